// SPDX-License-Identifier: Apache-2.0

/// Names of settings whose values are secrets, in the protocols that links carry: OCPP 1.6 (AuthorizationKey), 2.0.1
/// (BasicAuthPassword).
enum SecretNames {
  private static let names = ["authorizationkey", "basicauthpassword"].map { Array($0.utf8) }

  static func appear(in bytes: [UInt8]) -> Bool {
    names.contains { name in
      guard bytes.count >= name.count else { return false }
      return (0...(bytes.count - name.count)).contains { start in
        bytes[start] | 0x20 == name[0] && name.indices.allSatisfy { bytes[start + $0] | 0x20 == name[$0] }
      }
    }
  }
}
