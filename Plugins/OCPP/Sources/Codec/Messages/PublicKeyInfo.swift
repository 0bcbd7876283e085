// SPDX-License-Identifier: Apache-2.0

/// The public key of a certificate or of a request for one (SubjectPublicKeyInfo, RFC 5280 section 4.1), to tell whether one is for
/// the other. Nothing is verified here: that is for the charger, which has the key.
package struct PublicKeyInfo: Equatable, Sendable {
  let bytes: [UInt8]

  /// A PKCS#10 request in PEM form (RFC 2986 section 4.1): version, subject, key.
  package init?(request pem: String) {
    guard let der = Self.der(pem), let fields = DER(der).enter?.enter, let key = fields.element(2) else { return nil }
    bytes = key
  }

  /// The first certificate of a PEM text (RFC 5280 section 4.1): version, serial, algorithm, issuer, validity, subject, key.
  package init?(certificate pem: String) {
    guard let der = Self.der(pem), let fields = DER(der).enter?.enter else { return nil }
    // A version is tagged; version 1 has none.
    guard let key = fields.element(fields.tag == 0xA0 ? 6 : 5) else { return nil }
    bytes = key
  }

  private static func der(_ pem: String) -> [UInt8]? {
    let lines = pem.split(whereSeparator: \.isNewline).drop { !$0.hasPrefix("-----BEGIN ") }.dropFirst().prefix { !$0.hasPrefix("-----") }
    return base64(lines.joined())
  }

  /// RFC 4648 section 4; at most 16 KiB. Nil where it is none.
  private static func base64(_ text: String) -> [UInt8]? {
    let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
    guard text.utf8.count <= 16 << 10, text.utf8.count.isMultiple(of: 4) else { return nil }
    var bytes: [UInt8] = []
    var (held, count): (UInt32, Int) = (0, 0)
    for digit in digits {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      held = held << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: held >> count))
      }
    }
    return bytes
  }
}

/// Elements one after the other in the distinguished encoding (X.690), as far as certificates need it.
private struct DER {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes)[...] }

  var tag: UInt8? { bytes.first }

  /// Octets of the first element's head and of its content.
  private var lengths: (head: Int, content: Int)? {
    guard bytes.count >= 2 else { return nil }
    let first = Int(bytes[bytes.startIndex + 1])
    guard first >= 0x80 else { return (2, first) }
    let count = first & 0x7F
    guard (1...3).contains(count), bytes.count >= 2 + count else { return nil }
    return (2 + count, bytes.dropFirst(2).prefix(count).reduce(0) { $0 << 8 | Int($1) })
  }

  /// What is in the first element, which is a SEQUENCE.
  var enter: DER? {
    guard tag == 0x30, let (head, content) = lengths, bytes.count >= head + content else { return nil }
    return DER(bytes.dropFirst(head).prefix(content))
  }

  /// All octets of the element with this number.
  func element(_ number: Int) -> [UInt8]? {
    var rest = self
    for _ in 0..<number {
      guard let (head, content) = rest.lengths, rest.bytes.count >= head + content else { return nil }
      rest = DER(rest.bytes.dropFirst(head + content))
    }
    guard rest.tag == 0x30, let (head, content) = rest.lengths, rest.bytes.count >= head + content else { return nil }
    return Array(rest.bytes.prefix(head + content))
  }
}
