// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// A request for a certificate (PKCS#10), whose sender has proven to hold the key.
@safe package final class CertificateRequest: @unchecked Sendable {
  let handle: OpaquePointer

  /// The first request of a PEM text. Throws also where it is not signed with its own key.
  package init(pem: [UInt8]) throws(OpenSSLError) {
    let handle = unsafe try reading(pem) { unsafe PEM_read_bio_X509_REQ($0, nil, { _, _, _, _ in -1 }, nil) }
    guard let handle = unsafe handle else { throw .last("this is no request in PEM form") }
    unsafe self.handle = handle
    guard let key = unsafe X509_REQ_get0_pubkey(handle), unsafe X509_REQ_verify(handle, key) == 1 else {
      throw .last("the request is not signed with its own key")
    }
  }

  deinit { unsafe X509_REQ_free(handle) }

  /// One of its common names is exactly this.
  package func isFor(_ name: String) -> Bool { unsafe busbar_name_is(X509_REQ_get_subject_name(handle), name, name.utf8.count) == 1 }

  /// RFC 2253.
  package var subject: String {
    let bytes = unsafe try? written { unsafe X509_NAME_print_ex($0, X509_REQ_get_subject_name(handle), 0, busbar_name_form()) >= 0 }
    return bytes.map { String(decoding: $0.prefix(512), as: UTF8.self) } ?? ""
  }

  /// 112 bits and more: RSA from 2048 bits, elliptic curves from 224 bits on (OCPP 2.0.1 part 2, A00.FR.503 and 504).
  package var isStrong: Bool {
    guard let key = unsafe X509_REQ_get0_pubkey(handle) else { return false }
    return unsafe EVP_PKEY_get_security_bits(key) >= 112
  }
}
