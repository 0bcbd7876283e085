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
  /// The part of the registers that the value is, counted from the lowest bit, without a sign; nil: all of them.
  package var bits: ClosedRange<Int>?

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
    let raw = self.bits.map { part(bits, $0) } ?? bits
    guard !nan.contains(raw), let number = self.bits == nil ? type.number(raw) : Double(raw) else { return .none }
    return .number(scale.apply(number) + offset)
  }

  private func part(_ bits: UInt64, _ range: ClosedRange<Int>) -> UInt64 {
    let shifted = bits >> UInt64(range.lowerBound)
    return range.count < 64 ? shifted & (1 << UInt64(range.count) - 1) : shifted
  }

  /// The same registers with a value in its part of them; nil where it does not fit.
  package func merged(_ value: Double, into words: [UInt16]) -> [UInt16]? {
    guard let range = bits else { return encode(value) }
    guard let raw = UInt64(exactly: scale.undo(value - offset).rounded()), part(raw, 0...(range.count - 1)) == raw else {
      return nil
    }
    let mask = part(.max, 0...(range.count - 1)) << UInt64(range.lowerBound)
    let whole = ValueType.bits(words, order) & ~mask | raw << UInt64(range.lowerBound)
    return ValueType.words(whole, count: count, order)
  }

  /// With a further power of ten, as another register tells it.
  package func scaled(byPowerOfTen power: Int) -> Field {
    guard power != 0 else { return self }
    var field = self
    let factor = power > 0 ? Self.power(power) : 1 / Self.power(-power)
    field.scale = Scale(scale.factor * factor)
    return field
  }

  private static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { product, _ in product * 10 } }

  /// Powers of ten that a device can mean (SunSpec, `sunssf`); anything else is a damaged answer.
  package static let powers = -10...10

  /// The raw integer, for enumerations and bits; nil where the device has no value.
  package func code(_ words: ArraySlice<UInt16>) -> Int64? {
    let bits = ValueType.bits(words, order)
    let raw = self.bits.map { part(bits, $0) } ?? bits
    guard !nan.contains(raw) else { return nil }
    return self.bits == nil ? type.integer(raw & mask) : Int64(bitPattern: raw & mask)
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
