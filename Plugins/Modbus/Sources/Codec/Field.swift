// SPDX-License-Identifier: Apache-2.0

/// A value in a device's registers: where, how, and what its raw patterns mean.
package struct Field: Equatable, Sendable {
  package var address: Address
  package var type: ValueType
  /// Registers, or 1 in a table of bits.
  package var count: Int
  package var order: WordOrder
  /// Raw patterns that mean "no value".
  package var nan: [UInt64]
  package var scale: Scale
  package var offset: Double
  /// Bits that count, for codes and switches.
  package var mask: UInt64 = .max

  package init(
    _ address: Address, _ type: ValueType, count: Int? = nil, order: WordOrder = .highFirst, nan: [UInt64] = [],
    scale: Double = 1, offset: Double = 0
  ) {
    self.address = address
    self.type = type
    self.count = address.table.isBits ? 1 : type.registers ?? count ?? 1
    self.order = order
    self.nan = nan
    self.scale = Scale(scale)
    self.offset = offset
  }

  package var end: Int { address.register + count }

  package enum Decoded: Equatable, Sendable {
    case number(Double)
    case text(String)
    /// The device says that it has no value.
    case none
  }

  /// `words` are exactly `count`.
  package func decode(_ words: ArraySlice<UInt16>) -> Decoded {
    if type == .string {
      let text = Self.text(words)
      return text.isEmpty ? .none : .text(text)
    }
    let bits = ValueType.bits(words, order)
    guard !nan.contains(bits), let raw = type.number(bits) else { return .none }
    return .number(scale.apply(raw) + offset)
  }

  /// The raw integer, for enumerations and bits; nil where the device has no value.
  package func code(_ words: ArraySlice<UInt16>) -> Int64? {
    let bits = ValueType.bits(words, order)
    return nan.contains(bits) ? nil : type.integer(bits & mask)
  }

  /// The registers for a value; nil where it does not fit.
  package func encode(_ value: Double) -> [UInt16]? {
    guard let bits = type.pattern(scale.undo(value - offset)) else { return nil }
    return ValueType.words(bits, count: count, order)
  }

  package func encode(text: String) -> [UInt16] {
    var bytes = Array(text.utf8.prefix(count * 2))
    bytes += [UInt8](repeating: 0, count: count * 2 - bytes.count)
    return (0..<count).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
  }

  /// The smallest step that the registers can tell, 0 for a float.
  package var step: Double { type.isFloat ? 0 : abs(scale.factor) }

  private static func text(_ words: ArraySlice<UInt16>) -> String {
    let bytes = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    // Devices fill unused places with 0, 0xFF or blanks.
    let used = bytes.prefix { $0 != 0 && $0 != 0xFF }.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
    let trimmed = used.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed()
    return String(decoding: trimmed, as: UTF8.self)
  }
}

extension Field {
  /// A serial number, model or version as text; empty where the device has none.
  package func identity(_ words: [UInt16], _ labels: [Int64: String]) -> String {
    if type == .string {
      if case .text(let text) = decode(words[...]) { return text }
      return ""
    }
    guard let code = code(words[...]) else { return "" }
    return labels[code] ?? (type == .uint64 ? "\(UInt64(bitPattern: code))" : "\(code)")
  }
}
