// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// Between the plugin and a device that it connects to.
final class HostileStream: HostilePeer {
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

  var farEnd: FarEnd { .stream(.tcp(host: "127.0.0.1", port: listener.port)) }

  init(before target: StreamEndpoint, seed: UInt64) throws(TransportError) {
    self.target = target
    random = Mutex(SeededNumbers(seed: seed))
    listener = try StreamListener(host: "127.0.0.1", port: 0)
    WorkThread.start(name: "peer") { [self] in
      while let connection = listener.accept(stop: stop) { WorkThread.start(name: "peer-link") { self.serve(connection) } }
    }
  }

  func behave(_ new: Manner) {
    if new == .silent { unanswered.withLock { $0 = [] } }
    manner.withLock { $0 = new }
  }

  var heard: [[UInt8]] { unanswered.withLock { $0 } }

  /// The first request. Of Modbus TCP its number is another each time.
  var repeated: Int? {
    let heard = heard
    guard let first = heard.first, first.count > 2 else { return nil }
    let count = heard.count { $0.count == first.count && $0.dropFirst(2) == first.dropFirst(2) }
    return count > 1 ? count : nil
  }

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
    case .honest, .otherKind: return send(bytes, to: near)
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
    // Where an answer ends is the protocol's secret.
    case .closing, .closingBehind: return false
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
