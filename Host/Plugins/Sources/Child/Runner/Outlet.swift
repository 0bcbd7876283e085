// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Logging
internal import Synchronization

/// A child's messages on their way to the host, in order. What is only told waits for what is waited for, so that a poll is
/// one packet.
final class Outlet: Sendable {
  /// Bytes that wait at most, and nanoseconds.
  private static let waiting = 32_768
  private static let longest: Int64 = 50_000_000
  /// How long a batch waits for a host that does not keep up.
  private static let patience: Int64 = 200_000_000

  private let socket: Descriptor
  private let state = Mutex(State())

  private struct State {
    var packet = Packet.head
    var since: Int64 = 0
    var lost = 0
  }

  init(_ socket: Descriptor) { self.socket = socket }

  /// Goes at once, with all that waits.
  func send(_ message: ChildMessage) {
    let bytes = Self.bytes(message)
    state.withLock { state in
      append(bytes, &state)
      flush(&state)
    }
  }

  /// Goes with the next one that goes at once, or soon.
  func tell(_ message: ChildMessage) {
    let bytes = Self.bytes(message)
    let now = Clock.boot()
    state.withLock { state in
      if state.packet.count == Packet.head.count { state.since = now }
      append(bytes, &state)
      if state.packet.count >= Self.waiting || now - state.since > Self.longest { flush(&state) }
    }
  }

  /// Goes at once, or is dropped and counted where the host does not keep up: lines of the log.
  func offer(_ message: (_ lost: Int) -> ChildMessage) {
    state.withLock { state in
      guard isWritable else {
        state.lost += 1
        return
      }
      append(Self.bytes(message(state.lost)), &state)
      state.lost = 0
      flush(&state)
    }
  }

  /// The host does not keep up, and did not catch up within a moment.
  var isCongested: Bool {
    !isWritable && Poll.wait([(socket.number, .write)], until: Clock.boot() + Self.patience)[0].isEmpty
  }

  private var isWritable: Bool { Poll.isReady(socket.number, .write) }

  /// A packet with nothing else in it.
  static func packet(_ message: ChildMessage) -> [UInt8] {
    var packet = Packet.head
    Packet.append(bytes(message), to: &packet)
    return packet
  }

  private static func bytes(_ message: ChildMessage) -> [UInt8] {
    var writer = MessageWriter()
    writer.put(message)
    return writer.bytes
  }

  private func append(_ message: [UInt8], _ state: inout State) {
    if state.packet.count + 4 + message.count > Packet.limit { flush(&state) }
    Packet.append(message, to: &state.packet)
  }

  private func flush(_ state: inout State) {
    guard state.packet.count > Packet.head.count else { return }
    while true {
      switch PacketSocket.send(socket, state.packet) {
      case .sent:
        state.packet = Packet.head
        return
      case .full: _ = Poll.wait([(socket.number, .write)], until: nil)
      // Without a host there is nothing to do.
      case .closed: OwnProcess.end(Runner.lostHost)
      }
    }
  }
}

/// The host's log, from a child.
struct OutletLog: LogHandler {
  let outlet: Outlet
  /// 0 = the plugin as a whole.
  let link: UInt32
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level: UInt8 =
      switch event.level {
      case .critical, .error: 3
      case .warning: 4
      case .notice: 5
      case .info: 6
      case .debug, .trace: 7
      }
    outlet.offer { lost in
      .log(link: link, level: level, text: lost > 0 ? "\(event.message) (\(lost) lines before it were lost)" : "\(event.message)")
    }
  }
}
