// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Synchronization

/// Threads of a child wait at the host's socket, and one wakes for each packet: who has read a call does it itself, and another
/// one waits there meanwhile. So a call costs one wake, and answers of the host are read while calls wait for them.
final class RunnerTurns: Sendable {
  /// Calls at once, and the one that waits.
  private static let threads = 65
  /// Threads that wait at the socket though nothing is being done: a call then wakes no thread but its own.
  private static let spare = 2

  private let socket: Descriptor
  private let turns: PacketTurns
  private let outlet: Outlet
  private let pool = ThreadPool(name: "lane", limit: threads)
  private let calls = Calls()
  private let turn: Mutex<Turn>
  /// Threads that wait at the socket, or will look at it again before they do anything else.
  private let waiting = Atomic(0)

  /// Belongs to the one that reads.
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
      // Emptied while it is held twice, an array gets new memory.
      var taken: [@Sendable () -> Void] = []
      waiting.withLock { swap(&taken, &$0) }
      return taken
    }
  }

  init(_ socket: Descriptor) {
    self.socket = socket
    outlet = Outlet(socket)
    guard let turns = PacketTurns(socket) else {
      outlet.send(.refused("it cannot wait for its host: the system has no more descriptors"))
      OwnProcess.end(1)
    }
    self.turns = turns
    turn = Mutex(Turn(start: (OwnMemory.StartPages(), Clock.boot() + Runner.startLength)))
  }

  /// Loads the plugin, on this thread, and leaves all else to others.
  func begin() {
    repeat {
      wait()
      turn.withLock { read(&$0) }
    } while turn.withLock { $0.links == nil }
    pool.run { [self] in serve() }
  }

  /// Reads and does calls, until enough others wait for the next one.
  private func serve() {
    while join() {
      // A call that found all threads busy, this one among them.
      if pool.queued > 0, leaveToOthers() { return }
      wait()
      var found = turn.withLock { turn in
        read(&turn)
        return calls.take()
      }
      let others = waiting.subtract(1, ordering: .acquiringAndReleasing).newValue
      guard let own = found.popLast() else { continue }
      for call in found { pool.run(call) }
      // Where all threads have calls this one goes on reading: they may wait for what comes.
      guard others > 0 || pool.offer({ [self] in serve() }) else {
        pool.run(own)
        continue
      }
      own()
    }
  }

  private func wait() {
    // A plugin that closes what is not its own has no host any more.
    if !turns.wait() { OwnProcess.end(Runner.lostHost) }
  }

  /// False where enough wait already.
  private func join() -> Bool {
    change { count in count < Self.spare ? count + 1 : nil }
  }

  /// False where nobody else waits.
  private func leaveToOthers() -> Bool {
    change { count in count > 1 ? count - 1 : nil }
  }

  /// Who looks at the number and then changes it must not do so while another one does: nobody would be left.
  private func change(_ next: (Int) -> Int?) -> Bool {
    var count = waiting.load(ordering: .acquiring)
    while let wanted = next(count) {
      let (exchanged, original) = waiting.compareExchange(expected: count, desired: wanted, ordering: .acquiringAndReleasing)
      if exchanged { return true }
      count = original
    }
    return false
  }

  private func read(_ turn: inout Turn) {
    let packet: ArraySlice<UInt8>
    let descriptor: Descriptor?
    let received = PacketSocket.receive(socket, into: &turn.room)
    guard turns.next() else { OwnProcess.end(Runner.lostHost) }
    switch received {
    case .none: return
    case .packet(let received, let passed): (packet, descriptor) = (received, passed)
    case .closed, .tooLong: OwnProcess.end(Runner.lostHost)
    }
    if let start = turn.start, Clock.boot() >= start.end {
      start.pages.release()
      turn.start = nil
    }
    do throws(MessageError) {
      try Runner.read(packet, descriptor) { message in
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
