// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL

/// A password as it lies on disk: salted and hashed. It has no description that says more.
package struct PasswordRecord: Sendable, Equatable, CustomStringConvertible {
  /// OCPP 1.6 security whitepaper A00.FR.205: 16 to 20 bytes are asked for; 2.0.1 allows up to 40 characters. What people
  /// have set in their chargers is longer and shorter.
  package static let allowed = 8...128

  let salt: [UInt8]
  let key: [UInt8]

  package var description: String { "a password" }

  /// Throws where it is too short or too long.
  package init(_ password: [UInt8]) throws {
    guard Self.allowed.contains(password.count) else {
      throw SecurityError("a password has \(Self.allowed.lowerBound) to \(Self.allowed.upperBound) bytes")
    }
    salt = try PasswordDigest.random(PasswordDigest.saltBytes)
    key = try PasswordDigest.scrypt(password, salt: salt)
  }

  /// Nil where they are not the bytes of one.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 1 + PasswordDigest.saltBytes + PasswordDigest.keyBytes, bytes[0] == 1 else { return nil }
    salt = Array(bytes[1..<(1 + PasswordDigest.saltBytes)])
    key = Array(bytes[(1 + PasswordDigest.saltBytes)...])
  }

  /// The first byte is the kind of hash, so that a stronger one can follow.
  package var bytes: [UInt8] { [1] + salt + key }

  func matches(_ password: [UInt8]) -> Bool {
    guard password.count <= Self.allowed.upperBound, let other = try? PasswordDigest.scrypt(password, salt: salt) else { return false }
    return PasswordDigest.same(key, other)
  }
}
