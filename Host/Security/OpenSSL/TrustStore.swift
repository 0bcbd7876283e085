// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// Authorities that are believed.
@safe package final class TrustStore: @unchecked Sendable {
  /// Why a chain is not believed, of which the caller makes a sentence.
  package enum Verdict: Sendable, Equatable {
    case trusted
    /// No way from the certificate to an authority of the store.
    case unknownAuthority
    case wrongName
    case expired, notYetValid
    /// Not meant for servers, a broken signature, a weak key, …; the library's words.
    case other(String)
  }

  /// What the far end is, which its certificate has to allow.
  package enum Part: Sendable, Equatable {
    /// `name` is a DNS name or an IP address, which the certificate has to name.
    case server(name: String)
    case client
  }

  private let handle: OpaquePointer

  /// Nil = those of the system (OpenSSL's default places, and SSL_CERT_FILE and SSL_CERT_DIR).
  package init(_ authorities: [Certificate]?) throws(OpenSSLError) {
    guard let handle = unsafe X509_STORE_new() else { throw .last("no memory") }
    unsafe self.handle = handle
    if let authorities {
      for authority in authorities { unsafe X509_STORE_add_cert(handle, authority.handle) }
      // What a person names is believed as it is, also where it is no root: an intermediate one, or the device's own.
      unsafe X509_STORE_set_flags(handle, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    } else if unsafe X509_STORE_set_default_paths(handle) != 1 {
      throw .last("the system's authorities cannot be read")
    }
    ERR_clear_error()
  }

  deinit { unsafe X509_STORE_free(handle) }

  /// `chain` as the far end sent it, its own first. Blocks for reading files of the system's store.
  package func judge(_ chain: [Certificate], as part: Part) -> Verdict {
    defer { ERR_clear_error() }
    guard let leaf = chain.first else { return .other("no certificate") }
    guard let context = unsafe X509_STORE_CTX_new(), let others = unsafe busbar_chain() else { return .other("no memory") }
    defer {
      unsafe X509_STORE_CTX_free(context)
      unsafe busbar_chain_free(others)
    }
    for certificate in chain.dropFirst() { _ = unsafe busbar_chain_add(others, certificate.handle) }
    guard unsafe X509_STORE_CTX_init(context, handle, leaf.handle, others) == 1,
      unsafe X509_STORE_CTX_set_default(context, part == .client ? "ssl_client" : "ssl_server") == 1, let rules = unsafe X509_STORE_CTX_get0_param(context)
    else { return .other("no memory") }
    unsafe X509_VERIFY_PARAM_set_hostflags(rules, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    // OpenSSL takes an empty name for none to be checked.
    if case .server("") = part { return .wrongName }
    if case .server(let name) = part, unsafe X509_VERIFY_PARAM_set1_ip_asc(rules, name) != 1,
      unsafe X509_VERIFY_PARAM_set1_host(rules, name, name.utf8.count) != 1
    {
      return .wrongName
    }
    if unsafe X509_verify_cert(context) == 1 { return .trusted }
    let code = unsafe X509_STORE_CTX_get_error(context)
    switch code {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED,
      // Of the authority's name, and signed with another key: a device that has made itself a new certificate.
      X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return .unknownAuthority
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: return .wrongName
    case X509_V_ERR_CERT_HAS_EXPIRED: return .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: return .notYetValid
    default: return unsafe .other(String(cString: X509_verify_cert_error_string(Int(code))))
    }
  }
}
