// SPDX-License-Identifier: Apache-2.0

/// Writes JSON into a buffer that can be used again. The caller keeps the structure right; commas are put by the writer.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false

  package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// Forgets the content, keeps the memory.
  package mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  package mutating func key(_ name: String) {
    separate()
    quoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ text: String) {
    separate()
    quoted(text)
    needsComma = true
  }

  package mutating func integer(_ value: Int64) { raw(String(value)) }
  package mutating func boolean(_ value: Bool) { raw(value ? "true" : "false") }
  package mutating func null() { raw("null") }

  /// A finite number, rounded to the resolution (0 = shortest form that reads back the same); what is not finite is null.
  package mutating func number(_ value: Double, resolution: Double = 0) {
    value.isFinite ? raw(Self.text(value, resolution: resolution)) : null()
  }

  package mutating func value(_ value: Value, resolution: Double = 0) {
    switch value {
    case .number(let number): self.number(number, resolution: resolution)
    case .integer(let number): integer(number)
    case .boolean(let flag): boolean(flag)
    case .text(let text): string(text)
    }
  }

  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .boolean(let flag): boolean(flag)
    case .integer(let number): integer(number)
    case .number(let number): self.number(number)
    case .string(let text): string(text)
    case .array(let items):
      beginArray()
      for item in items { self.value(item) }
      endArray()
    case .object(let members):
      beginObject()
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        key(name)
        self.value(member)
      }
      endObject()
    }
  }

  /// JSON text that was written before.
  package mutating func raw(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  /// A number's text. A resolution of 0.1, 0.5 or 10 gives as many decimals as the step has, without trailing zeros.
  package static func text(_ value: Double, resolution: Double) -> String {
    guard value.isFinite else { return "null" }
    if resolution > 0 {
      let steps = (value / resolution).rounded()
      for decimals in 0...9 {
        let power = powers[decimals]
        let scaled = resolution * power
        guard scaled >= 1, abs(scaled - scaled.rounded()) < 1e-9 * scaled else { continue }
        let units = steps * scaled.rounded()
        guard abs(units) < 9e15 else { break }
        return fixed(Int64(units), decimals: decimals)
      }
    }
    if value == value.rounded(), abs(value) < 9e15 { return String(Int64(value)) }
    return "\(value)"
  }

  private static let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  private static func fixed(_ units: Int64, decimals: Int) -> String {
    let divisor = Int64(powers[decimals])
    let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: UInt64(divisor))
    let sign = units < 0 ? "-" : ""
    guard rest != 0 else { return whole == 0 ? "0" : "\(sign)\(whole)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: decimals - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(whole).\(digits)"
  }

  private mutating func open(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    bytes.append(byte)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func quoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    // Nearly every text is a name, which goes in as it is.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
      return bytes.append(contentsOf: text.utf8)
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\"")])
      case UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\\")])
      case 0x0A: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
      case 0..<0x20:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(Self.hex[Int(byte >> 4)])
        bytes.append(Self.hex[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
  }

  private static let hex: [UInt8] = Array("0123456789abcdef".utf8)
}
