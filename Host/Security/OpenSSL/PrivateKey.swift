// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// A private key. It has no description and no bytes but `pem`, which nobody prints.
@safe package final class PrivateKey: @unchecked Sendable {
  let handle: OpaquePointer

  private init(owning handle: OpaquePointer) { unsafe self.handle = handle }

  deinit { unsafe EVP_PKEY_free(handle) }

  /// A new key on the curve P-256 (SHIP 9, Modbus/TCP Security, and every TLS library know it).
  package static func makeP256() throws(OpenSSLError) -> PrivateKey {
    guard let handle = unsafe busbar_p256() else { throw .last("no key could be made") }
    return unsafe PrivateKey(owning: handle)
  }

  /// PKCS#8 or the older forms. One that is encrypted is refused.
  package convenience init(pem: [UInt8]) throws(OpenSSLError) {
    guard let handle = unsafe try reading(pem, { unsafe busbar_read_key($0) }) else {
      ERR_clear_error()
      let text = String(decoding: pem, as: UTF8.self)
      throw OpenSSLError(
        text.contains("ENCRYPTED") ? "the key is encrypted, and nobody is there to give its passphrase: store it without one, mode 0600"
          : "this is no private key in PEM form")
    }
    unsafe self.init(owning: handle)
  }

  /// PKCS#8, not encrypted.
  package func pem() throws(OpenSSLError) -> [UInt8] {
    unsafe try written { unsafe PEM_write_bio_PKCS8PrivateKey($0, handle, nil, nil, 0, nil, nil) == 1 }
  }
}
