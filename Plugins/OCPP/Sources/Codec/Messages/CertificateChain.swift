// SPDX-License-Identifier: Apache-2.0

/// A chain of certificates as CertificateSigned carries it: PEM (RFC 7468), the charger's own first, then what signed it.
package struct CertificateChain: Equatable, Sendable {
  /// `certificateChain` of CertificateSigned in both versions, characters.
  package static let longest = 10_000
  /// More lead to no authority that anybody has.
  package static let mostCertificates = 10

  private static let begin = "-----BEGIN CERTIFICATE-----"
  private static let end = "-----END CERTIFICATE-----"

  package let text: String

  /// Takes certificates and nothing else: above all no key. What is in them is the charger's to judge. Throws a sentence.
  package init(pem: String) throws(Refusal) {
    guard pem.utf8.count <= Self.longest else {
      throw Refusal(text: "the chain has \(pem.utf8.count) characters; at most \(Self.longest) can be sent")
    }
    var lines: [String] = []
    var body: String?
    var count = 0
    for line in pem.split(whereSeparator: \.isNewline) {
      switch body {
      case nil:
        guard line == Self.begin else { throw Refusal(text: "the chain has something else than certificates in PEM") }
        body = ""
      case let text? where line == Self.end:
        guard Self.isDER(text) else { throw Refusal(text: "certificate \(count + 1) of the chain is damaged") }
        count += 1
        body = nil
      case let text?: body = text + line
      }
      lines.append(String(line))
    }
    guard body == nil else { throw Refusal(text: "certificate \(count + 1) of the chain has no end") }
    guard (1...Self.mostCertificates).contains(count) else {
      throw Refusal(text: "the chain has \(count) certificates; expected 1 to \(Self.mostCertificates)")
    }
    text = lines.joined(separator: "\n") + "\n"
  }

  /// Base64 (RFC 4648 section 4) of an ASN.1 SEQUENCE: its first byte, 0x30, makes the first letter an M.
  private static func isDER(_ text: String) -> Bool {
    guard text.utf8.count.isMultiple(of: 4), text.hasPrefix("M") else { return false }
    let bare = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }
    guard text.utf8.count - bare.count <= 2 else { return false }
    return bare.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "+"), UInt8(ascii: "/"): true
      default: false
      }
    }
  }
}
