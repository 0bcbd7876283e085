// SPDX-License-Identifier: Apache-2.0

internal import BusbarTransports
internal import Synchronization

/// Between the plugin and a device that connects by itself: spoils its messages, whole ones, as a host may hand them on. What no host
/// hands on, such as text that is no UTF-8 or half a message, does not come out of here either.
package final class HostileVisitor: HostilePeer {
  /// What becomes of a message.
  enum Delivery {
    case message(WebSocketMessage)
    case later(Duration, WebSocketMessage)
    /// The connection ends without a word.
    case end
  }

  /// Bytes of the longest message that a host takes (websocket.h).
  private static let longest = 1 << 20
  private static let mostUsual = 512
  /// Such messages behind one.
  private static let flood = 3

  private let door: VisitorDoor
  private let manner = Mutex(Manner.honest)
  private let random: Mutex<SeededNumbers>
  private let unanswered = Mutex<[[UInt8]]>([])
  /// What it said before, without numbers.
  private let usual = Mutex<Set<[UInt8]>>([])
  private let passing = Mutex(())

  var farEnd: FarEnd { .visitor(door, self) }

  init(at door: VisitorDoor, seed: UInt64) {
    self.door = door
    random = Mutex(SeededNumbers(seed: seed))
  }

  /// What is said from now on is spoilt so; what was said before is on its way.
  func behave(_ new: Manner) {
    passing.withLock { _ in
      if new == .silent { unanswered.withLock { $0 = [] } }
      manner.withLock { $0 = new }
    }
  }

  /// Spoils a message and hands on what becomes of it.
  func pass(_ message: WebSocketMessage, _ hand: (Delivery) -> Void) {
    passing.withLock { _ in
      for delivery in spoil(message) { hand(delivery) }
    }
  }

  var heard: [[UInt8]] { unanswered.withLock { $0 } }

  /// The plugin says something.
  func hear(_ bytes: [UInt8]) {
    guard manner.withLock({ $0 == .silent }) else {
      usual.withLock { if $0.count < Self.mostUsual { $0.insert(Self.withoutNumbers(bytes)) } }
      return
    }
    unanswered.withLock { if $0.count < 64 { $0.append(bytes) } }
  }

  /// Of requests that it did not send before: what it asks again and again may be asked again. A number in it may be another each time.
  var repeated: Int? {
    let known = usual.withLock { $0 }
    let new = heard.map(Self.withoutNumbers).filter { !known.contains($0) }
    let count = new.reduce(into: [:]) { $0[$1, default: 0] += 1 }.values.max() ?? 0
    return count > 1 ? count : nil
  }

  private static func withoutNumbers(_ bytes: [UInt8]) -> [UInt8] {
    bytes.filter { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private func spoil(_ message: WebSocketMessage) -> [Delivery] {
    let (isText, bytes) =
      switch message {
      case .text(let bytes): (true, bytes)
      case .binary(let bytes): (false, bytes)
      }
    func made(_ bytes: [UInt8]) -> WebSocketMessage { isText ? .text(bytes) : .binary(bytes) }
    switch manner.withLock({ $0 }) {
    case .honest: return [.message(message)]
    case .truncated: return [.message(made(Self.valid(bytes.dropLast(max(1, bytes.count / 3)), isText)))]
    case .doubled: return [.message(message), .message(message)]
    case .delayed(let time): return [.later(time, message)]
    case .flipped: return [.message(made(flipped(bytes, isText)))]
    case .endless:
      let filling = bytes.isEmpty ? [UInt8(ascii: "9")] : bytes
      let more = Array((0...(Self.longest / filling.count)).map { _ in filling }.joined().prefix(Self.longest))
      return [.message(message)] + Array(repeating: .message(made(Self.valid(more[...], isText))), count: Self.flood)
    case .silent: return []
    case .closing: return [.end]
    case .closingBehind: return [.message(message), .end]
    case .otherKind: return [.message(isText ? .binary(bytes) : .text(Self.valid(bytes[...], true)))]
    }
  }

  private func flipped(_ bytes: [UInt8], _ isText: Bool) -> [UInt8] {
    guard !bytes.isEmpty else { return bytes }
    var changed = bytes
    let bit = random.withLock { $0.next() }
    // The highest bit of a byte would make it no text.
    changed[Int(bit >> 8) % bytes.count] ^= 1 << (isText ? bit % 7 : bit & 7)
    return isText && String(validating: changed, as: UTF8.self) == nil ? bytes : changed
  }

  /// The longest beginning that is a text, where it has to be one.
  private static func valid(_ bytes: ArraySlice<UInt8>, _ isText: Bool) -> [UInt8] {
    guard isText else { return Array(bytes) }
    var bytes = bytes
    // A character has four bytes at most.
    for _ in 0..<4 where String(validating: bytes, as: UTF8.self) == nil { bytes = bytes.dropLast() }
    return String(validating: bytes, as: UTF8.self) == nil ? [] : Array(bytes)
  }
}
