// SPDX-License-Identifier: Apache-2.0

/// Bytes as digits, two each, in small letters.
package enum Hexadecimal {
  package static func text(_ bytes: [UInt8]) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
