// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// One part of a name, such as `CN` and `gw-0001`.
package struct NamePart: Sendable, Equatable {
  package var kind: String
  package var text: String

  package init(_ kind: String, _ text: String) {
    self.kind = kind
    self.text = text
  }
}

extension PrivateKey {
  /// Uses of a host's own certificate: a server for devices, a client of brokers and devices; no authority.
  private static let extensions: [(Int32, String)] = [
    (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
    (NID_ext_key_usage, "serverAuth,clientAuth"),
  ]

  /// An authority: it signs certificates of devices, and no further authorities.
  private static let authority: [(Int32, String)] = [
    (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
  ]

  /// A device: a client.
  private static let device: [(Int32, String)] = [
    (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"), (NID_ext_key_usage, "clientAuth"),
    (NID_authority_key_identifier, "keyid"),
  ]

  /// A certificate signed by the key itself. `names` are DNS names and IP addresses; times are Unix seconds.
  package func selfSigned(
    subject: [NamePart], names: [String], from notBefore: Int64, until notAfter: Int64
  ) throws(OpenSSLError) -> Certificate {
    let name = unsafe try Self.name(subject)
    defer { unsafe X509_NAME_free(name) }
    return unsafe try certificate(
      of: name, key: handle, issuer: nil, Self.extensions + Self.alternatives(names), from: notBefore, until: notAfter)
  }

  /// A certificate of an authority, signed by the key itself.
  package func authority(subject: [NamePart], from notBefore: Int64, until notAfter: Int64) throws(OpenSSLError) -> Certificate {
    let name = unsafe try Self.name(subject)
    defer { unsafe X509_NAME_free(name) }
    return unsafe try certificate(of: name, key: handle, issuer: nil, Self.authority, from: notBefore, until: notAfter)
  }

  /// The certificate that a device asks for: its subject and its key, and nothing else of what it asks for. `issuer` is the
  /// certificate of this key.
  package func sign(
    _ request: CertificateRequest, issuer: Certificate, from notBefore: Int64, until notAfter: Int64
  ) throws(OpenSSLError) -> Certificate {
    guard let key = unsafe X509_REQ_get0_pubkey(request.handle), let name = unsafe X509_REQ_get_subject_name(request.handle) else {
      throw .last("the request has no key")
    }
    return unsafe try certificate(of: name, key: key, issuer: issuer, Self.device, from: notBefore, until: notAfter)
  }

  /// `issuer` nil: itself.
  private func certificate(
    of name: OpaquePointer, key: OpaquePointer, issuer: Certificate?, _ extensions: [(Int32, String)], from notBefore: Int64,
    until notAfter: Int64
  ) throws(OpenSSLError) -> Certificate {
    guard let handle = unsafe X509_new() else { throw .last("no memory") }
    let certificate = unsafe Certificate(owning: handle)
    var serial = [UInt8](repeating: 0, count: 16)
    guard unsafe RAND_bytes(&serial, 16) == 1 else { throw .last("no random numbers") }
    // Positive, and never 0 (RFC 5280, 4.1.2.2).
    serial[0] = serial[0] & 0x7F | 0x40
    let number = unsafe BN_bin2bn(serial, 16, nil)
    defer { unsafe BN_free(number) }
    let issuerHandle = unsafe issuer?.handle ?? handle
    let issuerName = unsafe issuer.map { unsafe X509_get_subject_name($0.handle) } ?? name
    guard unsafe X509_set_version(handle, 2) == 1, unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(handle)) != nil,
      unsafe ASN1_TIME_set(X509_getm_notBefore(handle), time_t(notBefore)) != nil,
      unsafe ASN1_TIME_set(X509_getm_notAfter(handle), time_t(notAfter)) != nil,
      unsafe X509_set_subject_name(handle, name) == 1, unsafe X509_set_issuer_name(handle, issuerName) == 1,
      unsafe X509_set_pubkey(handle, key) == 1
    else { throw .last("no certificate could be made") }
    var context = unsafe X509V3_CTX()
    unsafe X509V3_set_ctx(&context, issuerHandle, handle, nil, nil, 0)
    for (kind, value) in extensions + [(NID_subject_key_identifier, "hash")] {
      guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else { throw .last("no certificate could be made") }
      defer { unsafe X509_EXTENSION_free(made) }
      guard unsafe X509_add_ext(handle, made, -1) == 1 else { throw .last("no certificate could be made") }
    }
    guard unsafe X509_sign(handle, self.handle, EVP_sha256()) > 0 else { throw .last("no certificate could be made") }
    return certificate
  }

  /// A PKCS#10 request in PEM form.
  package func request(subject: [NamePart], names: [String]) throws(OpenSSLError) -> [UInt8] {
    guard let request = unsafe X509_REQ_new() else { throw .last("no memory") }
    defer { unsafe X509_REQ_free(request) }
    let name = unsafe try Self.name(subject)
    defer { unsafe X509_NAME_free(name) }
    var list: [OpaquePointer?] = unsafe []
    defer { for unsafe item in unsafe list { unsafe X509_EXTENSION_free(item) } }
    for (kind, value) in Self.extensions + Self.alternatives(names) {
      guard let made = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value) else { throw .last("no request could be made") }
      unsafe list.append(made)
    }
    guard unsafe X509_REQ_set_version(request, 0) == 1, unsafe X509_REQ_set_subject_name(request, name) == 1,
      unsafe X509_REQ_set_pubkey(request, handle) == 1, unsafe busbar_request_extensions(request, list, Int32(list.count)) == 1,
      unsafe X509_REQ_sign(request, handle, EVP_sha256()) > 0
    else { throw .last("no request could be made") }
    return unsafe try written { unsafe PEM_write_bio_X509_REQ($0, request) == 1 }
  }

  private static func alternatives(_ names: [String]) -> [(Int32, String)] {
    names.isEmpty ? [] : [(NID_subject_alt_name, names.map { "\(isAddress($0) ? "IP" : "DNS"):\($0)" }.joined(separator: ","))]
  }

  private static func isAddress(_ name: String) -> Bool {
    name.contains(":") || name.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func name(_ parts: [NamePart]) throws(OpenSSLError) -> OpaquePointer {
    guard let name = unsafe X509_NAME_new() else { throw .last("no memory") }
    for part in parts {
      let text = Array(part.text.utf8)
      guard unsafe X509_NAME_add_entry_by_txt(name, part.kind, MBSTRING_UTF8, text, Int32(text.count), -1, 0) == 1 else {
        unsafe X509_NAME_free(name)
        throw .last("\(part.kind)=\(part.text) is no part of a name")
      }
    }
    return unsafe name
  }
}
