// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// Stands between the plugin and the device and spoils what the device answers.
final class HostilePeer: Sendable {
  enum Manner: Sendable, Equatable {
    case honest
    /// The last part of each answer is lost.
    case truncated
    case doubled
    /// Each answer comes later than this.
    case delayed(Duration)
    /// One bit of each answer is another.
    case flipped
    /// After an answer comes more, and more.
    case endless
    case silent
    /// The connection ends instead of an answer.
    case closing
  }

  /// Bytes of one endless answer.
  private static let flood = 4 << 20
  /// Between the two of a doubled answer.
  private static let gap = Duration.milliseconds(20)

  private let listener: StreamListener
  private let target: StreamEndpoint
  private let stop = CallSignal()
  private let manner = Mutex(Manner.honest)
  private let random: Mutex<SeededNumbers>
  private let unanswered = Mutex<[[UInt8]]>([])

  /// What the plugin connects to.
  var endpoint: StreamEndpoint { .tcp(host: "127.0.0.1", port: listener.port) }

  init(before target: StreamEndpoint, seed: UInt64) throws(TransportError) {
    self.target = target
    random = Mutex(SeededNumbers(seed: seed))
    listener = try StreamListener(host: "127.0.0.1", port: 0)
    WorkThread.start(name: "peer") { [self] in
      while let connection = listener.accept(stop: stop) { WorkThread.start(name: "peer-link") { self.serve(connection) } }
    }
  }

  func behave(_ new: Manner) { manner.withLock { $0 = new } }

  /// What came while it was silent, as it was read; 64 pieces at most.
  var heard: [[UInt8]] { unanswered.withLock { $0 } }

  private func serve(_ near: Descriptor) {
    guard let far = try? StreamDialer.open(target, deadline: later(.seconds(5)), stop: stop) else { return }
    var bytes: [UInt8] = []
    while !stop.isSet {
      let ready = Poll.wait([(near.number, .read), (far.number, .read)], until: nil)
      bytes.removeAll(keepingCapacity: true)
      if !ready[0].isEmpty {
        guard case .bytes = near.read(into: &bytes, upTo: 4_096) else { return }
        if manner.withLock({ $0 == .silent }) {
          unanswered.withLock { if $0.count < 64 { $0.append(bytes) } }
        }
        guard send(bytes, to: far) else { return }
      } else if !ready[1].isEmpty {
        guard case .bytes = far.read(into: &bytes, upTo: 4_096), answer(bytes, to: near) else { return }
      }
    }
  }

  /// False = the connection ends.
  private func answer(_ bytes: [UInt8], to near: Descriptor) -> Bool {
    switch manner.withLock({ $0 }) {
    case .honest: return send(bytes, to: near)
    case .truncated: return send(Array(bytes.dropLast(max(1, bytes.count / 3))), to: near)
    case .doubled:
      guard send(bytes, to: near) else { return false }
      // Apart: what comes in one piece is seen at once.
      _ = Poll.wait([(stop.descriptor, .read)], until: later(Self.gap))
      return send(bytes, to: near)
    case .delayed(let time):
      _ = Poll.wait([(stop.descriptor, .read)], until: later(time))
      return send(bytes, to: near)
    case .flipped:
      var changed = bytes
      let bit = random.withLock { $0.next() }
      changed[Int(bit >> 8) % bytes.count] ^= 1 << (bit & 7)
      return send(changed, to: near)
    case .endless:
      let more = bytes.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") } + [0x39]
      var sent = 0
      while sent < Self.flood, manner.withLock({ $0 == .endless }) {
        guard send(more, to: near) else { return false }
        sent += more.count
      }
      return true
    case .silent: return true
    case .closing: return false
    }
  }

  private func send(_ bytes: [UInt8], to descriptor: Descriptor) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch descriptor.write(rest) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock: _ = Poll.wait([(descriptor.number, .write)], until: later(.seconds(10)))
      case .closed, .failed: return false
      }
    }
    return true
  }
}

/// The same numbers from the same seed (SplitMix64, Steele, Lea and Flood 2014).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var number = state
    number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
    number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
    return number ^ (number >> 31)
  }
}
