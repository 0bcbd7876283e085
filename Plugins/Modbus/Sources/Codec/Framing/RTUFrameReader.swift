// SPDX-License-Identifier: Apache-2.0

/// Finds RTU replies in a byte stream. On a line frames are told apart by silence; over TCP nothing is left of that, so a
/// frame is known by its length, which follows from its function, and by its sum. What stands between frames is passed
/// over, so that a damaged frame costs nothing but itself.
package struct RTUFrameReader: Sendable {
  private var buffer: [UInt8] = []
  /// Bytes that belong to no frame, since `clear`.
  package private(set) var damaged = 0

  package init() {}

  /// Something has begun that is no complete frame.
  package var isInside: Bool { !buffer.isEmpty }

  package mutating func append(_ bytes: [UInt8]) { buffer += bytes }

  /// Throws away what is there. True where there was something.
  package mutating func clear() -> Bool {
    defer {
      buffer.removeAll()
      damaged = 0
    }
    return !buffer.isEmpty || damaged > 0
  }

  /// The next complete frame, nil where more has to come. `unit` and `function` are those of the answer that is waited
  /// for: within something that may still become a frame nothing else is believed.
  package mutating func next(unit: UInt8, function: UInt8) -> FrameReader.Frame? {
    var begun: Int?
    for start in buffer.indices {
      switch candidate(at: start) {
      case .none: continue
      case .incomplete: begun = begun ?? start
      case .frame(let length):
        let frame = FrameReader.Frame(unit: buffer[start], pdu: Array(buffer[(start + 1)..<(start + length - 2)]))
        if begun != nil, frame.unit != unit || frame.pdu[0] & 0x7F != function { continue }
        damaged += start
        buffer.removeFirst(start + length)
        return frame
      }
    }
    let useless = begun ?? buffer.count
    damaged += useless
    buffer.removeFirst(useless)
    return nil
  }

  private enum Candidate {
    case none, incomplete
    case frame(Int)
  }

  private func candidate(at start: Int) -> Candidate {
    let bytes = buffer[start...]
    guard bytes.count >= 2 else { return .incomplete }
    guard let length = Self.length(bytes) else { return .none }
    guard length > 0, bytes.count >= length else { return .incomplete }
    return WireFraming.rtu.isSound(Array(bytes.prefix(length))) ? .frame(length) : .none
  }

  /// Length of a reply with unit and sum, told by its first bytes; 0 where more of them are needed, nil where it is none.
  private static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
    let start = bytes.startIndex
    switch bytes[start + 1] {
    case 0x81...: return 5
    case 1...4:
      guard bytes.count >= 3 else { return 0 }
      return 1...250 ~= bytes[start + 2] ? 5 + Int(bytes[start + 2]) : nil
    case 5, 6, 15, 16: return 8
    case 43: return identification(bytes)
    default: return nil
    }
  }

  /// Read device identification (V1.1b3, 6.21): a head of 8 bytes with the number of objects, each with number and length.
  private static func identification(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= 8 else { return 0 }
    guard bytes[bytes.startIndex + 2] == 14 else { return nil }
    var place = 8
    for _ in 0..<bytes[bytes.startIndex + 7] {
      guard bytes.count >= place + 2 else { return 0 }
      place += 2 + Int(bytes[bytes.startIndex + place + 1])
      guard place <= 254 else { return nil }
    }
    return place + 2
  }
}
