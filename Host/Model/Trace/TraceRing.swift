// SPDX-License-Identifier: Apache-2.0

/// The last frames of a link, in a bounded number of bytes: the oldest ones make room. Recording into a full ring
/// allocates nothing.
package struct TraceRing: Sendable {
  package struct Entry: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
      case sent([UInt8])
      case received([UInt8])
      case event(TraceEvent)
    }

    /// Boot clock, nanoseconds.
    package var time: Int64
    /// Number of the device on its link that the call was for; 0 = none.
    package var device: UInt32
    package var content: Content

    package init(time: Int64, device: UInt32, _ content: Content) {
      self.time = time
      self.device = device
      self.content = content
    }
  }

  package enum Direction: UInt8, Sendable { case sent = 1, received = 2 }

  /// Bytes kept of one frame (diagnostics.h), and of the sentence of a failure.
  package static let frameLimit = 4_096
  static let sentenceLimit = 200
  /// 16 KiB hold the last 180 polls of 20 registers, and 50 links need 0.8 MiB.
  package static let defaultCapacity = 16_384

  // Kind, device, time, length; then the bytes.
  private static let headLength = 1 + 4 + 8 + 2

  private let capacity: Int
  private var bytes: [UInt8] = []
  // Positions count up for ever; the place is the position modulo the capacity.
  private var first = 0
  private var end = 0

  /// `capacity` in bytes is a power of two, at least 1 KiB. Where two frames of the greatest length have no room, less of
  /// each is kept.
  package init(capacity: Int = TraceRing.defaultCapacity) {
    precondition(capacity.nonzeroBitCount == 1 && capacity >= 1_024)
    self.capacity = capacity
  }

  /// Bytes that are kept of one frame here.
  private var frameRoom: Int { capacity >= 2 * Self.frameLimit ? Self.frameLimit : capacity / 2 - Self.headLength }

  package mutating func record(
    _ direction: Direction, _ frame: ArraySlice<UInt8>, device: UInt32, time: Int64
  ) {
    let kept = frame.prefix(frameRoom)
    put(direction.rawValue, kept, device, time)
    if kept.count < frame.count { record(.cut(frame.count - kept.count), device: device, time: time) }
  }

  package mutating func record(_ event: TraceEvent, device: UInt32, time: Int64) {
    let kind = Self.kind(event)
    if let number = event.number {
      let value = UInt32(clamping: number)
      put(
        kind, [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)][...], device,
        time)
    } else if case .failed(let text) = event {
      put(kind, Array(text.utf8.prefix(Self.sentenceLimit))[...], device, time)
    } else {
      put(kind, [], device, time)
    }
  }

  /// All that is kept, oldest first.
  package var entries: [Entry] {
    var found: [Entry] = []
    var place = first
    while place < end {
      let (kind, device, time, length) = head(at: place)
      let body = (0..<length).map { self[place + Self.headLength + $0] }
      if let content = Self.content(kind, body) { found.append(Entry(time: time, device: device, content)) }
      place += Self.headLength + length
    }
    return found
  }

  private mutating func put(_ kind: UInt8, _ body: ArraySlice<UInt8>, _ device: UInt32, _ time: Int64) {
    let length = Self.headLength + body.count
    while end + length - first > capacity { first += Self.headLength + head(at: first).length }
    // A link that says little costs little.
    while bytes.count < capacity, end + length > bytes.count {
      bytes.append(contentsOf: repeatElement(0, count: bytes.isEmpty ? 1_024 : bytes.count))
    }
    append(kind)
    append(UInt64(device), bytes: 4)
    append(UInt64(bitPattern: time), bytes: 8)
    append(UInt64(body.count), bytes: 2)
    for byte in body { append(byte) }
  }

  private mutating func append(_ byte: UInt8) {
    bytes[end & (capacity - 1)] = byte
    end += 1
  }

  private mutating func append(_ value: UInt64, bytes count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }

  private subscript(_ position: Int) -> UInt8 { bytes[position & (capacity - 1)] }

  private func head(at place: Int) -> (kind: UInt8, device: UInt32, time: Int64, length: Int) {
    func value(_ from: Int, _ count: Int) -> UInt64 {
      var value: UInt64 = 0
      for index in 0..<count { value |= UInt64(self[place + from + index]) << UInt64(8 * index) }
      return value
    }
    return (
      self[place], UInt32(truncatingIfNeeded: value(1, 4)), Int64(bitPattern: value(5, 8)), Int(value(13, 2))
    )
  }

  private static func kind(_ event: TraceEvent) -> UInt8 {
    switch event {
    case .opened: 3
    case .closed: 4
    case .released: 5
    case .timeout: 6
    case .cancelled: 7
    case .failed: 8
    case .discarded: 9
    case .cut: 10
    case .lost: 11
    }
  }

  private static func content(_ kind: UInt8, _ body: [UInt8]) -> Entry.Content? {
    let number = body.reduce(0) { ($0 << 8 | Int($1)) & 0xFFFF_FFFF }
    switch kind {
    case 1: return .sent(body)
    case 2: return .received(body)
    case 3: return .event(.opened)
    case 4: return .event(.closed)
    case 5: return .event(.released)
    case 6: return .event(.timeout)
    case 7: return .event(.cancelled)
    case 8: return .event(.failed(String(decoding: body, as: UTF8.self)))
    case 9: return .event(.discarded(number))
    case 10: return .event(.cut(number))
    case 11: return .event(.lost(number))
    default: return nil
    }
  }
}
