// SPDX-License-Identifier: Apache-2.0

/// How requests and replies are cut and protected on the wire.
package enum WireFraming: String, CaseIterable, Sendable {
  /// Modbus TCP: transaction, protocol 0, length, unit, PDU (Messaging on TCP/IP V1.0b, 3.1.3).
  case mbap = "tcp"
  /// Unit, PDU, CRC (Serial Line V1.02, 2.5.1).
  case rtu
  /// `:`, unit, PDU and LRC in hexadecimal, CR LF (Serial Line V1.02, 2.5.2).
  case ascii

  /// What the first request of a recording looks like; nil where it is no Modbus.
  package init?(request bytes: [UInt8]) {
    if bytes.first == UInt8(ascii: ":") {
      self = .ascii
    } else if bytes.count >= 8, bytes[2] == 0, bytes[3] == 0, Int(bytes[4]) << 8 | Int(bytes[5]) == bytes.count - 6 {
      self = .mbap
    } else if bytes.count >= 4, Self.crc(bytes.dropLast(2)) == UInt16(bytes[bytes.count - 1]) << 8 | UInt16(bytes[bytes.count - 2]) {
      self = .rtu
    } else {
      return nil
    }
  }

  package func frame(unit: UInt8, pdu: [UInt8], transaction: UInt16 = 0) -> [UInt8] {
    switch self {
    case .mbap: return FrameReader.frame(transaction: transaction, unit: unit, pdu: pdu)
    case .rtu:
      let sum = Self.crc([unit] + pdu)
      return [unit] + pdu + [UInt8(sum & 255), UInt8(sum >> 8)]
    case .ascii:
      let bytes = [unit] + pdu
      let sum = 0 &- bytes.reduce(0, &+)
      let digits = Array("0123456789ABCDEF".utf8)
      return [UInt8(ascii: ":")] + (bytes + [sum]).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } + [13, 10]
    }
  }

  /// Unit, PDU and transaction of a whole frame. Sums are not checked.
  package func content(of frame: [UInt8]) -> (unit: UInt8, pdu: [UInt8], transaction: UInt16)? {
    switch self {
    case .mbap:
      guard frame.count >= 8 else { return nil }
      return (frame[6], Array(frame[7...]), UInt16(frame[0]) << 8 | UInt16(frame[1]))
    case .rtu:
      guard frame.count >= 4 else { return nil }
      return (frame[0], Array(frame[1..<(frame.count - 2)]), 0)
    case .ascii:
      let digits = frame.dropFirst().prefix { $0 != 13 && $0 != 10 }
      var bytes: [UInt8] = []
      for index in stride(from: digits.startIndex, to: digits.endIndex - 1, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else { return nil }
        bytes.append(byte)
      }
      guard bytes.count >= 3 else { return nil }
      return (bytes[0], Array(bytes[1..<(bytes.count - 1)]), 0)
    }
  }

  /// Whether the sum of a whole frame is right; Modbus TCP leaves that to TCP.
  package func isSound(_ frame: [UInt8]) -> Bool {
    switch self {
    case .mbap: return true
    case .rtu:
      guard frame.count >= 4 else { return false }
      return Self.crc(frame.dropLast(2)) == UInt16(frame[frame.count - 1]) << 8 | UInt16(frame[frame.count - 2])
    case .ascii: return ASCIIFrameReader.bytes(of: frame[...]) != nil
    }
  }

  /// CRC-16 with the polynomial A001, from FFFF (Serial Line V1.02, 2.5.1.2); its low byte goes first.
  package static func crc(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var sum: UInt16 = 0xFFFF
    for byte in bytes {
      sum ^= UInt16(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xA001 : sum >> 1 }
    }
    return sum
  }
}

/// Cuts the requests that a client sends. What cannot be a request is kept until the line is silent, and then dropped.
package struct RequestCutter: Sendable {
  /// No request of any framing is longer; what is longer is thrown away.
  private static let longest = 600

  private let framing: WireFraming
  private var buffer: [UInt8] = []

  package init(_ framing: WireFraming) { self.framing = framing }

  package var isEmpty: Bool { buffer.isEmpty }

  package mutating func append(_ bytes: [UInt8]) {
    buffer += bytes
    if buffer.count > 16 * Self.longest { buffer.removeAll() }
  }

  /// The next whole request.
  package mutating func next() -> [UInt8]? {
    guard let length, buffer.count >= length else { return nil }
    defer { buffer.removeFirst(length) }
    return Array(buffer.prefix(length))
  }

  /// The line was silent: what is there begins no request.
  package mutating func reset() { buffer.removeAll() }

  private var length: Int? {
    switch framing {
    case .mbap:
      guard buffer.count >= 6 else { return nil }
      return min(Self.longest, 6 + (Int(buffer[4]) << 8 | Int(buffer[5])))
    case .ascii: return buffer.firstIndex(of: 10).map { $0 + 1 }
    case .rtu:
      guard buffer.count >= 2 else { return nil }
      switch buffer[1] {
      case 1...6, 8: return 8
      case 7, 11, 12, 17: return 4
      case 15, 16: return buffer.count > 6 ? 9 + Int(buffer[6]) : nil
      case 22: return 10
      case 23: return buffer.count > 10 ? 13 + Int(buffer[10]) : nil
      case 43: return 7
      default: return nil
      }
    }
  }
}
