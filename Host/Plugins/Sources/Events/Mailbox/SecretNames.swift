// SPDX-License-Identifier: Apache-2.0

/// What in messages of links is a secret: settings of OCPP 1.6 (AuthorizationKey) and 2.0.1 (BasicAuthPassword, the passwords of
/// a network profile), and addresses with a password in them, from which a device fetches firmware or to which it sends its logs.
package enum SecretNames {
  private static let names = ["authorizationkey", "password"].map { Array($0.utf8) }

  /// Whether one does in this message.
  package static func appear(in bytes: [UInt8]) -> Bool {
    names.contains { name in
      guard bytes.count >= name.count else { return false }
      return (0...(bytes.count - name.count)).contains { start in
        bytes[start] | 0x20 == name[0] && name.indices.allSatisfy { bytes[start + $0] | 0x20 == name[$0] }
      }
    } || holdsLogin(bytes)
  }

  /// `ftp://user:word@host`: something between `://` and an `@` before the next `/` or the end of the text (RFC 3986 section 3.2).
  private static func holdsLogin(_ bytes: [UInt8]) -> Bool {
    guard bytes.contains(UInt8(ascii: "@")) else { return false }
    var (slashes, isAuthority) = (0, false)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "/"):
        slashes += 1
        isAuthority = slashes == 2
      // JSON may write a slash as \/.
      case UInt8(ascii: "\\"): continue
      case UInt8(ascii: "@") where isAuthority: return true
      case UInt8(ascii: "\""), UInt8(ascii: " "): (slashes, isAuthority) = (0, false)
      default: slashes = 0
      }
    }
    return false
  }
}
