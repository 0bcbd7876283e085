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
  /// Bytes for which there is room for certain once the socket takes more: it then has three quarters of its 208 KiB left.
  private static let certainRoom = 16_384
  /// What the system needs for a packet beside its bytes.
  private static let overhead = 1024

  private let socket: Descriptor
  private let state = Mutex(State())
  /// Whose turn it is to send has it, and the room for the packet after the next. Apart from the state: who tells something
  /// does not wait for the system.
  private let sending = Mutex(PacketWriter())
  /// Bytes since the socket was seen to take more.
  private let sentSince = Atomic(Outlet.certainRoom)

  private struct State {
    var packet = PacketWriter()
    /// Packets before it that had no room for what came next.
    var full: [PacketWriter] = []
    var since: Int64 = 0
    var lost = 0

    mutating func put(_ message: ChildMessage) {
      if packet.put(message) { return }
      full.append(packet)
      packet = PacketWriter()
      _ = packet.put(message)
    }

    /// The next one that is to be sent; false where there is none.
    mutating func take(_ next: inout PacketWriter) -> Bool {
      if !full.isEmpty {
        next = full.removeFirst()
        return true
      }
      guard !packet.isEmpty else { return false }
      swap(&packet, &next)
      return true
    }
  }

  init(_ socket: Descriptor) { self.socket = socket }

  /// Goes at once, with all that waits.
  func send(_ message: ChildMessage) {
    state.withLock { $0.put(message) }
    flush()
  }

  /// Goes with the next one that goes at once, or soon.
  func tell(_ message: ChildMessage) {
    let now = Clock.boot()
    let isDue = state.withLock { state in
      if state.packet.isEmpty { state.since = now }
      state.put(message)
      return !state.full.isEmpty || state.packet.bytes.count >= Self.waiting || now - state.since > Self.longest
    }
    if isDue { flush() }
  }

  /// Goes at once, or is dropped and counted where the host does not keep up: lines of the log.
  func offer(_ message: (_ lost: Int) -> ChildMessage) {
    let isWritable = isWritable
    state.withLock { state in
      guard isWritable else {
        state.lost += 1
        return
      }
      state.put(message(state.lost))
      state.lost = 0
    }
    if isWritable { flush() }
  }

  /// The host does not keep up, and did not catch up within a moment.
  var isCongested: Bool {
    !isWritable && Poll.wait([(socket.number, .write)], until: Clock.boot() + Self.patience)[0].isEmpty
  }

  private var isWritable: Bool {
    let sent = sentSince.load(ordering: .relaxed)
    if sent < Self.certainRoom { return true }
    guard Poll.isReady(socket.number, .write) else { return false }
    // What another thread has sent meanwhile goes on counting; of two that looked at once one has taken it off.
    _ = sentSince.compareExchange(expected: sent, desired: 0, ordering: .relaxed)
    return true
  }

  /// A packet with nothing else in it.
  static func packet(_ message: ChildMessage) -> [UInt8] {
    var packet = PacketWriter()
    _ = packet.put(message)
    return packet.bytes
  }

  /// In the order in which it was told: who takes a packet sends it before another one takes the next.
  private func flush() {
    sending.withLock { packet in
      while state.withLock({ $0.take(&packet) }) {
        transmit(packet.bytes)
        packet.clear()
      }
    }
  }

  private func transmit(_ packet: [UInt8]) {
    sentSince.add(packet.count + Self.overhead, ordering: .relaxed)
    while true {
      switch PacketSocket.send(socket, packet) {
      case .sent: return
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
