// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// What of a password is kept.
package enum PasswordDigest {
  package static let saltBytes = 16
  package static let keyBytes = 32

  /// scrypt (RFC 7914) with N = 4096, r = 8, p = 1: 4 MiB and some 10 ms, so that a few thousand chargers may come back
  /// after a power cut, and guessing from a stolen database stays dear.
  package static func scrypt(_ password: [UInt8], salt: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    var key = [UInt8](repeating: 0, count: keyBytes)
    let done = unsafe password.withUnsafeBufferPointer { password in
      unsafe password.withMemoryRebound(to: CChar.self) { password in
        unsafe EVP_PBE_scrypt(password.baseAddress, password.count, salt, salt.count, 4096, 8, 1, 32 << 20, &key, keyBytes)
      }
    }
    guard done == 1 else { throw .last("a password could not be hashed") }
    return key
  }

  package static func random(_ count: Int) throws(OpenSSLError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else { throw .last("the system gives no random bytes") }
    return bytes
  }

  /// HMAC-SHA-256 (RFC 2104), for comparing within one run of the host.
  package static func seal(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    unsafe HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &out, &length)
    return out
  }

  /// Takes as long whatever differs.
  package static func same(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    unsafe one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
  }
}
