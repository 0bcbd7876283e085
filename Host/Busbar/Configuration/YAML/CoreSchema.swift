// SPDX-License-Identifier: Apache-2.0

/// Types of plain scalars: the core schema of YAML 1.2.2, section 10.3.2. `yes`, `no`, `on` and `off` are text; so are `.inf`
/// and `.nan`, which no value here can be.
enum CoreSchema {
  static func content(of text: String) -> YAMLNode.Content {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .boolean(true)
    case "false", "False", "FALSE": return .boolean(false)
    default: break
    }
    guard let first = text.utf8.first, (0x2B...0x39).contains(first) else { return .text(text) }
    if text.hasPrefix("0x") { return integer(text.dropFirst(2), radix: 16) ?? .text(text) }
    if text.hasPrefix("0o") { return integer(text.dropFirst(2), radix: 8) ?? .text(text) }
    let unsigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    if unsigned.utf8.allSatisfy(isDigit), !unsigned.isEmpty {
      if let value = Int64(text) { return .integer(value) }
      return Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
    }
    return number(text, unsigned: unsigned)
  }

  /// Whether the text may stand without quotes and stays a text.
  static func isText(_ text: String) -> Bool { if case .text = content(of: text) { true } else { false } }

  private static func integer(_ digits: Substring, radix: Int) -> YAMLNode.Content? {
    guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
    return Int64(digits, radix: radix).map { .integer($0) }
  }

  private static func number(_ text: String, unsigned: Substring) -> YAMLNode.Content {
    // Double(_:) also takes "1p3", "infinity" and hexadecimal; the core schema does not.
    let allowed = unsigned.utf8.allSatisfy { isDigit($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }
    guard allowed, unsigned.utf8.contains(where: isDigit), let value = Double(padded(text)), value.isFinite
    else { return .text(text) }
    return .number(value)
  }

  /// `5.` and `.5` are numbers too.
  private static func padded(_ text: String) -> String {
    text.hasSuffix(".") ? text + "0" : text
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
