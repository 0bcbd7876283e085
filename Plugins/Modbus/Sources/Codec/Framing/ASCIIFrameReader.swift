// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream into ASCII frames (Serial Line V1.02, 2.5.2): a colon begins one, whatever was before it; a line feed ends
/// it.
package struct ASCIIFrameReader: Sendable {
  /// Colon, 253 bytes of PDU with unit and sum in hexadecimal, carriage return, line feed.
  private static let longest = 1 + 2 * 255 + 2

  private var buffer: [UInt8] = []
  /// Lines that are no frame, since `clear`.
  package private(set) var damaged = 0

  package init() {}

  /// A frame has begun and is not complete.
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

  /// The next complete frame, nil where more has to come.
  package mutating func next() -> FrameReader.Frame? {
    while true {
      guard let colon = buffer.firstIndex(of: UInt8(ascii: ":")) else {
        if !buffer.isEmpty { damaged += 1 }
        buffer.removeAll()
        return nil
      }
      if colon > 0 {
        damaged += 1
        buffer.removeFirst(colon)
      }
      // A colon inside begins anew: the rest of the frame before it was lost.
      let next = buffer.dropFirst().firstIndex { $0 == UInt8(ascii: ":") || $0 == 10 }
      guard let end = next else {
        if buffer.count > Self.longest {
          damaged += 1
          buffer.removeAll()
        }
        return nil
      }
      let isWhole = buffer[end] == 10
      let line = buffer[...(isWhole ? end : end - 1)]
      let bytes = isWhole ? Self.bytes(of: line) : nil
      buffer.removeFirst(isWhole ? end + 1 : end)
      guard let bytes else {
        damaged += 1
        continue
      }
      return FrameReader.Frame(unit: bytes[0], pdu: Array(bytes[1..<(bytes.count - 1)]))
    }
  }

  /// Unit, PDU and sum of a whole line; nil where it is no frame or the sum is wrong.
  static func bytes(of line: ArraySlice<UInt8>) -> [UInt8]? {
    guard line.first == UInt8(ascii: ":"), line.count <= longest, line.suffix(2).elementsEqual([13, 10]) else { return nil }
    let digits = Array(line.dropFirst().dropLast(2))
    guard digits.count % 2 == 0, digits.count >= 6 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes.reduce(0, &+) == 0 ? bytes : nil
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    // The specification has capitals only; devices are not so strict.
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
