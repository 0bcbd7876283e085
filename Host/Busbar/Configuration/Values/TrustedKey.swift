// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// An Ed25519 public key of somebody whose plugins are trusted: `ed25519:` and the 32 bytes in Base64, or the path of a PEM
/// file (SubjectPublicKeyInfo, RFC 8410), as `busbar plugin keygen` and `openssl pkey -pubout` write it.
package enum TrustedKey {
  package static let expected = "ed25519:BASE64 or the path of a public key in PEM form"
  private static let length = 32
  /// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }: the only form that such a key has in DER.
  private static let head: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

  /// The raw key.
  package static func read(_ text: String, below folder: String) throws(ValueError) -> [UInt8] {
    if text.hasPrefix("ed25519:") {
      guard let data = Data(base64Encoded: String(text.dropFirst(8))), data.count == length else {
        throw ValueError("this is no Ed25519 key", expected: "ed25519: and 32 bytes in Base64")
      }
      return [UInt8](data)
    }
    let path = FileReader.path(text, below: folder)
    switch FileReader.read(path, limit: 65_536) {
    case .failure(let failure): throw ValueError("\(text): \(failure.sentence)", expected: expected)
    case .success(let bytes):
      let pem = String(decoding: bytes, as: UTF8.self)
      guard let begin = pem.firstRange(of: "-----BEGIN PUBLIC KEY-----"),
        let end = pem[begin.upperBound...].firstRange(of: "-----END PUBLIC KEY-----"),
        let der = Data(
          base64Encoded: String(pem[begin.upperBound..<end.lowerBound]), options: .ignoreUnknownCharacters)
      else {
        throw ValueError("\(text) holds no public key in PEM form", expected: expected)
      }
      guard der.count == head.count + length, [UInt8](der.prefix(head.count)) == head else {
        throw ValueError("the key in \(text) is of another kind", expected: "an Ed25519 key")
      }
      return [UInt8](der.suffix(length))
    }
  }

  /// How a raw key is written in a configuration.
  package static func text(_ key: [UInt8]) -> String { "ed25519:\(Data(key).base64EncodedString())" }
}
