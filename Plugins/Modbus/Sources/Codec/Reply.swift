// SPDX-License-Identifier: Apache-2.0

/// What a device answered.
package enum Reply: Equatable, Sendable {
  /// Registers, or one 0 or 1 for each bit.
  case values([UInt16])
  case written
  /// The objects of function 43/14 by their number.
  case identification([UInt8: String])
  /// Exception code (V1.1b3, section 7).
  case exception(UInt8)

  package var isException: Bool {
    if case .exception = self { true } else { false }
  }

  /// Reads a reply's PDU as the answer to `request`; nil where it is none: another function, another length, another
  /// place.
  package init?<Bytes: RandomAccessCollection>(_ pdu: Bytes, to request: Request) where Bytes.Element == UInt8 {
    let bytes = Array(pdu)
    guard let function = bytes.first else { return nil }
    if function == request.function | 0x80 {
      guard bytes.count == 2, bytes[1] != 0 else { return nil }
      self = .exception(bytes[1])
      return
    }
    guard function == request.function else { return nil }
    switch request {
    case .read(let address, let count):
      let expected = address.table.isBits ? (count + 7) / 8 : count * 2
      guard bytes.count == expected + 2, Int(bytes[1]) == expected else { return nil }
      let data = bytes.dropFirst(2)
      self = .values(address.table.isBits ? Self.bits(data, count) : Self.registers(data, count))
    case .writeCoil, .writeRegister:
      // The device repeats the request.
      guard bytes == request.pdu else { return nil }
      self = .written
    case .writeRegisters:
      guard bytes == Array(request.pdu.prefix(5)) else { return nil }
      self = .written
    case .identification:
      guard let objects = Self.objects(bytes) else { return nil }
      self = .identification(objects)
    }
  }

  /// Function, 0x0E, category, conformity, "more follows", next object, count; then number, length and text of each.
  private static func objects(_ bytes: [UInt8]) -> [UInt8: String]? {
    guard bytes.count >= 7, bytes[1] == 0x0E else { return nil }
    var objects: [UInt8: String] = [:]
    var rest = bytes[7...]
    for _ in 0..<bytes[6] {
      guard let number = rest.popFirst(), let length = rest.popFirst(), rest.count >= Int(length) else { return nil }
      let text = rest.prefix(Int(length)).filter { (0x20...0x7E).contains($0) }
      objects[number] = String(decoding: text, as: UTF8.self)
      rest = rest.dropFirst(Int(length))
    }
    return rest.isEmpty ? objects : nil
  }

  private static func registers(_ data: ArraySlice<UInt8>, _ count: Int) -> [UInt16] {
    (0..<count).map { index in
      let high = data[data.startIndex + index * 2]
      return UInt16(high) << 8 | UInt16(data[data.startIndex + index * 2 + 1])
    }
  }

  private static func bits(_ data: ArraySlice<UInt8>, _ count: Int) -> [UInt16] {
    (0..<count).map { index in
      let byte = data[data.startIndex + index / 8]
      return UInt16(byte >> UInt8(index % 8) & 1)
    }
  }
}

/// Exception codes that are acted on (V1.1b3, section 7).
package enum ExceptionCode {
  package static let illegalFunction: UInt8 = 1
  package static let illegalAddress: UInt8 = 2
  package static let illegalValue: UInt8 = 3
  package static let acknowledge: UInt8 = 5
  package static let busy: UInt8 = 6
  package static let gatewayPathUnavailable: UInt8 = 10
  package static let gatewayTargetSilent: UInt8 = 11

  package static func name(_ code: UInt8) -> String {
    switch code {
    case 1: "illegal function"
    case 2: "illegal data address"
    case 3: "illegal data value"
    case 4: "device failure"
    case 5: "acknowledge"
    case 6: "device busy"
    case 8: "memory parity error"
    case 10: "gateway path unavailable"
    case 11: "gateway target does not respond"
    default: "unknown"
    }
  }
}
