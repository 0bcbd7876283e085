// SPDX-License-Identifier: Apache-2.0

/// How a value lies in registers. Bytes inside a register are always high first.
package enum ValueType: String, CaseIterable, Sendable {
  case int16, uint16, int32, uint32, int64, uint64, float32, float64
  /// Two characters a register, the rest filled with 0 or blanks.
  case string

  /// Registers; a string has a length of its own.
  package var registers: Int? {
    switch self {
    case .int16, .uint16: 1
    case .int32, .uint32, .float32: 2
    case .int64, .uint64, .float64: 4
    case .string: nil
    }
  }

  package var isFloat: Bool { self == .float32 || self == .float64 }
}

/// Which register of a value comes first.
package enum WordOrder: String, CaseIterable, Sendable {
  case highFirst = "high-first"
  case lowFirst = "low-first"
}

extension ValueType {
  /// The registers as one pattern of bits.
  package static func bits<Words: BidirectionalCollection>(_ words: Words, _ order: WordOrder) -> UInt64
  where Words.Element == UInt16 {
    switch order {
    case .highFirst: words.reduce(0) { $0 << 16 | UInt64($1) }
    case .lowFirst: words.reversed().reduce(0) { $0 << 16 | UInt64($1) }
    }
  }

  package static func words(_ bits: UInt64, count: Int, _ order: WordOrder) -> [UInt16] {
    let high = (0..<count).map { UInt16(truncatingIfNeeded: bits >> UInt64(16 * (count - 1 - $0))) }
    return order == .highFirst ? high : high.reversed()
  }

  /// The number that a pattern of bits means; nil for a float that is not finite, and for text. Integers beyond 2^53
  /// lose their last digits.
  package func number(_ bits: UInt64) -> Double? {
    switch self {
    case .int16: return Double(Int16(truncatingIfNeeded: bits))
    case .uint16: return Double(UInt16(truncatingIfNeeded: bits))
    case .int32: return Double(Int32(truncatingIfNeeded: bits))
    case .uint32: return Double(UInt32(truncatingIfNeeded: bits))
    case .int64: return Double(Int64(bitPattern: bits))
    case .uint64: return Double(bits)
    case .float32:
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
      return value.isFinite ? Double(value) : nil
    case .float64:
      let value = Double(bitPattern: bits)
      return value.isFinite ? value : nil
    case .string: return nil
    }
  }

  /// The code of an enumeration or a field of bits, without a detour over floating point.
  package func integer(_ bits: UInt64) -> Int64 {
    switch self {
    case .int16: Int64(Int16(truncatingIfNeeded: bits))
    case .int32: Int64(Int32(truncatingIfNeeded: bits))
    default: Int64(bitPattern: bits)
    }
  }

  /// The pattern of bits for a number, rounded to an integer where the type is one; nil where it does not fit.
  package func pattern(_ value: Double) -> UInt64? {
    guard value.isFinite else { return nil }
    let rounded = value.rounded()
    switch self {
    case .int16: return Int16(exactly: rounded).map { UInt64(UInt16(bitPattern: $0)) }
    case .uint16: return UInt16(exactly: rounded).map { UInt64($0) }
    case .int32: return Int32(exactly: rounded).map { UInt64(UInt32(bitPattern: $0)) }
    case .uint32: return UInt32(exactly: rounded).map { UInt64($0) }
    case .int64: return Int64(exactly: rounded).map { UInt64(bitPattern: $0) }
    case .uint64: return UInt64(exactly: rounded)
    case .float32:
      let single = Float(value)
      return single.isFinite ? UInt64(single.bitPattern) : nil
    case .float64: return value.bitPattern
    case .string: return nil
    }
  }
}
