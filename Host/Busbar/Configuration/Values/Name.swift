// SPDX-License-Identifier: Apache-2.0

/// Names and ids: gateway, links, brokers, listeners, templates, points.
package enum Name {
  /// `[A-Za-z0-9_-]{1,64}`, as device and gateway ids.
  package static func isValid(_ text: String) -> Bool {
    matches(text) { isLetter($0 | 0x20) || isDigit($0) || $0 == 0x5F || $0 == 0x2D }
  }

  /// A link's id may have dots too: `modbus-192.168.1.20-502`.
  package static func isLink(_ text: String) -> Bool {
    matches(text) { isLetter($0 | 0x20) || isDigit($0) || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E }
  }

  /// `[a-z0-9-]{1,64}`: adapters and templates.
  package static func isSlug(_ text: String) -> Bool {
    matches(text) { isLetter($0) || isDigit($0) || $0 == 0x2D }
  }

  /// A point's name: lower case words with `_` between them, a letter first.
  package static func isSnakeCase(_ text: String) -> Bool {
    matches(text) { isLetter($0) || isDigit($0) || $0 == 0x5F } && !text.contains("__") && text.last != "_"
      && isLetter(text.utf8.first ?? 0)
  }

  /// FNV-1a, 64 bit, as 16 hex digits. For names that must stay the same, not for security.
  package static func hash(_ text: String) -> String {
    var hash: UInt64 = 14_695_981_039_346_656_037
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func matches(_ text: String, _ allowed: (UInt8) -> Bool) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(allowed)
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
