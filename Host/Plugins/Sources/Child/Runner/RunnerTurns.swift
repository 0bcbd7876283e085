// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Synchronization

/// The threads of a child take turns at the host's socket: who has read a call does it itself, and another one reads on
/// meanwhile. So no call waits for a thread to wake, and answers of the host are read while calls wait for them.
final class RunnerTurns: Sendable {
  /// Calls at once, and the one that reads.
  private static let threads = 65

  private let socket: Descriptor
  private let outlet: Outlet
  private let pool = ThreadPool(name: "lane", limit: threads)
  private let calls = Calls()
  private let turn: Mutex<Turn>

  /// Belongs to whose turn it is.
  private struct Turn {
    var room = [UInt8](repeating: 0, count: Packet.limit)
    var links: RunnerLinks?
    /// What the start needed, until it is over: behind the bars it could not be looked for.
    var start: (pages: OwnMemory.StartPages, end: Int64)?
  }

  /// What the packet that is being read has to be done.
  private final class Calls: WorkPool {
    private let waiting = Mutex<[@Sendable () -> Void]>([])

    func run(_ work: @escaping @Sendable () -> Void) { waiting.withLock { $0.append(work) } }

    func take() -> [@Sendable () -> Void] {
      waiting.withLock { waiting in
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting
      }
    }
  }

  init(_ socket: Descriptor) {
    self.socket = socket
    outlet = Outlet(socket)
    turn = Mutex(Turn(start: (OwnMemory.StartPages(), Clock.boot() + Runner.startLength)))
  }

  /// Reads until there is a call, and returns when it has been done; then another thread reads.
  func serve() {
    while true {
      turn.withLock { read(&$0) }
      var calls = calls.take()
      guard let own = calls.popLast() else { continue }
      for call in calls { pool.run(call) }
      // Where all threads have calls this one goes on reading: they may wait for what comes.
      guard pool.offer({ [self] in serve() }) else {
        pool.run(own)
        continue
      }
      return own()
    }
  }

  private func read(_ turn: inout Turn) {
    guard case .packet(let packet, let descriptor) = PacketSocket.receive(socket, into: &turn.room) else {
      OwnProcess.end(Runner.lostHost)
    }
    if let start = turn.start, Clock.boot() >= start.end {
      start.pages.release()
      turn.start = nil
    }
    do throws(MessageError) {
      for message in try Runner.messages(packet, descriptor) {
        if let links = turn.links {
          links.handle(message, descriptor)
        } else if case .load(let load) = message {
          turn.links = RunnerLinks(Runner.begin(load, outlet), outlet, calls)
        }
      }
    } catch {
      outlet.send(.refused("a message of the host makes no sense: \(error.what)"))
      OwnProcess.end(1)
    }
  }
}
