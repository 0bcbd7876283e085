// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// An X.509 certificate.
@safe package final class Certificate: @unchecked Sendable {
  let handle: OpaquePointer

  init(owning handle: OpaquePointer) { unsafe self.handle = handle }

  deinit { unsafe X509_free(handle) }

  package convenience init(der: [UInt8]) throws(OpenSSLError) {
    let handle = unsafe der.withUnsafeBufferPointer { bytes in
      var place = bytes.baseAddress
      return unsafe d2i_X509(nil, &place, bytes.count)
    }
    guard let handle = unsafe handle else { throw .last("this is no certificate") }
    unsafe self.init(owning: handle)
  }

  /// All certificates of a PEM text, at most 256; what else stands there is skipped.
  package static func all(pem: [UInt8]) throws(OpenSSLError) -> [Certificate] {
    let found = unsafe try reading(pem) { bio in
      var found: [Certificate] = []
      while found.count < 256, let handle = unsafe PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) {
        unsafe found.append(Certificate(owning: handle))
      }
      return found
    }
    // The end of the text is an error of the library's too.
    ERR_clear_error()
    guard !found.isEmpty else { throw OpenSSLError("there is no certificate in PEM form in it") }
    return found
  }

  package var der: [UInt8] {
    unsafe (try? written { unsafe i2d_X509_bio($0, handle) == 1 }) ?? []
  }

  package var pem: [UInt8] {
    unsafe (try? written { unsafe PEM_write_bio_X509($0, handle) == 1 }) ?? []
  }

  /// RFC 2253: `CN=gw-0001,O=Nordhof`.
  package var subject: String { unsafe Self.text(X509_get_subject_name(handle)) }
  package var issuer: String { unsafe Self.text(X509_get_issuer_name(handle)) }

  private static func text(_ name: OpaquePointer?) -> String {
    let bytes = unsafe try? written { unsafe X509_NAME_print_ex($0, name, 0, busbar_name_form()) >= 0 }
    return bytes.map { String(decoding: $0.prefix(512), as: UTF8.self) } ?? ""
  }

  /// DNS names and IP addresses of the extension, without their kind.
  package var names: [String] {
    guard let text = unsafe try? written({ unsafe busbar_alternative_names(handle, $0) >= 0 }) else { return [] }
    return text.split(separator: 0x0A).compactMap { line in
      let line = String(decoding: line.prefix(256), as: UTF8.self)
      guard line.hasPrefix("DNS:") || line.hasPrefix("IP Address:") else { return nil }
      return line.split(separator: ":", maxSplits: 1).dropFirst().first.map { String($0) }
    }
  }

  /// The common name, or one of the DNS names of the extension, is exactly this.
  package func isFor(_ name: String) -> Bool { unsafe busbar_certificate_is_for(handle, name, name.utf8.count) == 1 }

  /// Unix time in seconds.
  package var notBefore: Int64 { unsafe Self.time(X509_get0_notBefore(handle)) }
  package var notAfter: Int64 { unsafe Self.time(X509_get0_notAfter(handle)) }

  private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return 0 }
    defer { unsafe ASN1_STRING_free(epoch) }
    guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
    return Int64(days) * 86400 + Int64(seconds)
  }

  /// SHA-256 of the DER form.
  package var fingerprint: [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    return unsafe X509_digest(handle, EVP_sha256(), &digest, &length) == 1 && length == 32 ? digest : []
  }

  /// The subject key identifier: what the certificate says, else SHA-1 of the public key (RFC 5280, 4.2.1.2; SHIP 12.2).
  package var keyIdentifier: [UInt8] {
    if let extensionValue = unsafe X509_get0_subject_key_id(handle) {
      let count = unsafe Int(ASN1_STRING_length(extensionValue))
      if let data = unsafe ASN1_STRING_get0_data(extensionValue), count > 0 {
        return unsafe Array(UnsafeBufferPointer(start: data, count: count))
      }
    }
    var digest = [UInt8](repeating: 0, count: 20)
    var length: UInt32 = 0
    return unsafe X509_pubkey_digest(handle, EVP_sha1(), &digest, &length) == 1 ? digest : []
  }

  package func fits(_ key: PrivateKey) -> Bool {
    defer { ERR_clear_error() }
    return unsafe X509_check_private_key(handle, key.handle) == 1
  }

  /// The other one's key has signed this one, and its name is the issuer's.
  package func isIssued(by other: Certificate) -> Bool {
    defer { ERR_clear_error() }
    guard let key = unsafe X509_get0_pubkey(other.handle) else { return false }
    return unsafe X509_check_issued(other.handle, handle) == X509_V_OK && X509_verify(handle, key) == 1
  }

  /// It may sign others.
  package var isAuthority: Bool {
    defer { ERR_clear_error() }
    return unsafe X509_check_ca(handle) >= 1
  }

  package var isSelfSigned: Bool {
    defer { ERR_clear_error() }
    return unsafe X509_self_signed(handle, 1) == 1
  }
}

extension Certificate: Equatable {
  package static func == (left: Certificate, right: Certificate) -> Bool { unsafe X509_cmp(left.handle, right.handle) == 0 }
}
