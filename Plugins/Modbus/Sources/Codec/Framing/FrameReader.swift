// SPDX-License-Identifier: Apache-2.0

/// Cuts a TCP byte stream into Modbus frames (Messaging on TCP/IP V1.0b, 3.1.3): transaction, protocol 0, length, unit,
/// PDU. Frames may come in pieces or several at once.
package struct FrameReader: Sendable {
  package struct Frame: Equatable, Sendable {
    /// 0 in framings that have none.
    package var transaction: UInt16 = 0
    package var unit: UInt8
    package var pdu: [UInt8]
  }

  /// The stream is not Modbus, or not in step any more. Nothing that follows can be trusted.
  package enum Garbage: Error, Equatable, Sendable {
    case protocolID(UInt16)
    case length(Int)
  }

  /// Unit and a PDU of 1 to 253 bytes; a length field outside is no Modbus (V1.0b, 3.1.3).
  private static let lengths = 2...254
  private static let headLength = 6

  private var buffer: [UInt8] = []

  package init() {}

  /// A frame has begun and is not complete.
  package var isInside: Bool { !buffer.isEmpty }

  package mutating func append(_ bytes: [UInt8]) { buffer += bytes }

  /// The next complete frame, nil where more has to come.
  package mutating func next() throws(Garbage) -> Frame? {
    guard buffer.count >= Self.headLength else { return nil }
    let protocolID = word(2)
    guard protocolID == 0 else { throw .protocolID(protocolID) }
    let length = Int(word(4))
    guard Self.lengths.contains(length) else { throw .length(length) }
    guard buffer.count >= Self.headLength + length else { return nil }
    let frame = Frame(
      transaction: word(0), unit: buffer[6], pdu: Array(buffer[(Self.headLength + 1)..<(Self.headLength + length)]))
    buffer.removeFirst(Self.headLength + length)
    return frame
  }

  private func word(_ index: Int) -> UInt16 { UInt16(buffer[index]) << 8 | UInt16(buffer[index + 1]) }

  package static func frame(transaction: UInt16, unit: UInt8, pdu: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headLength + 1 + pdu.count)
    bytes.append(word: transaction)
    bytes.append(word: 0)
    bytes.append(word: UInt16(truncatingIfNeeded: pdu.count + 1))
    bytes.append(unit)
    bytes += pdu
    return bytes
  }
}
