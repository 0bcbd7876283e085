// SPDX-License-Identifier: Apache-2.0

/// A request and its PDU (Application Protocol V1.1b3, section 6).
package enum Request: Equatable, Sendable {
  /// 1 to 125 registers or bits.
  case read(Address, count: Int)
  case writeRegister(Int, UInt16)
  /// 1 to 123 registers.
  case writeRegisters(Int, [UInt16])
  case writeCoil(Int, Bool)
  /// Function 43/14, the basic objects: maker, product code, revision (6.21).
  case identification

  package static let maximumReadCount = 125
  package static let maximumWriteCount = 123
  /// Bytes of the PDU at most, of all but `writeRegisters`.
  private static let usualLength = 5

  package var function: UInt8 {
    switch self {
    case .read(let address, _): address.table.readFunction
    case .writeCoil: 5
    case .writeRegister: 6
    case .writeRegisters: 16
    case .identification: 43
    }
  }

  package var isWrite: Bool {
    switch self {
    case .read, .identification: false
    case .writeRegister, .writeRegisters, .writeCoil: true
    }
  }

  package var pdu: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.usualLength)
    bytes.append(function)
    switch self {
    case .read(let address, let count):
      bytes.append(word: UInt16(truncatingIfNeeded: address.register))
      bytes.append(word: UInt16(truncatingIfNeeded: count))
    case .writeCoil(let register, let value):
      bytes.append(word: UInt16(truncatingIfNeeded: register))
      bytes.append(word: value ? 0xFF00 : 0)
    case .writeRegister(let register, let value):
      bytes.append(word: UInt16(truncatingIfNeeded: register))
      bytes.append(word: value)
    case .writeRegisters(let register, let values):
      bytes.append(word: UInt16(truncatingIfNeeded: register))
      bytes.append(word: UInt16(truncatingIfNeeded: values.count))
      bytes.append(UInt8(truncatingIfNeeded: values.count * 2))
      for value in values { bytes.append(word: value) }
    case .identification: bytes += [0x0E, 1, 0]
    }
    return bytes
  }
}

extension Request: CustomStringConvertible {
  package var description: String {
    switch self {
    case .read(let address, let count): "read of \(count) at \(address)"
    case .writeCoil(let register, _): "write of coil \(register)"
    case .writeRegister(let register, _): "write of holding \(register)"
    case .writeRegisters(let register, let values): "write of \(values.count) at holding \(register)"
    case .identification: "read of the device identification"
    }
  }
}

extension [UInt8] {
  mutating func append(word: UInt16) {
    append(UInt8(word >> 8))
    append(UInt8(word & 0xFF))
  }
}
