// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// What TLS says about an end, for a person.
enum TLSFailure {
  /// Of a connection that was open; nil where there is nothing to say beyond that it ended.
  static func sentence(_ end: TLSTunnel.End, _ name: String, hasCertificate: Bool) -> String? {
    if let error = end.error, !isEnd(error) { return sentence(error, name, hasCertificate: hasCertificate) }
    // Some say why, with an alert; some just leave.
    if !end.hasReceived {
      return "\(name) ended the connection after the TLS handshake without a word, as devices do that "
        + (hasCertificate ? "do not accept the host's certificate (tls.certificate)" : "ask for a client certificate: set tls.certificate and tls.key")
    }
    return end.error == nil ? nil : "\(name) ended the connection without the end that TLS asks for"
  }

  /// The end of TCP where TLS was not done.
  private static func isEnd(_ error: any Error) -> Bool {
    error as? NIOSSLError == .uncleanShutdown || error is IOError || reason(error).contains("EOF during handshake")
  }

  /// Of a handshake that failed, or of an alert.
  static func sentence(_ error: any Error, _ name: String, hasCertificate: Bool) -> String {
    let reason = reason(error)
    func contains(_ words: String...) -> Bool { words.contains { reason.contains($0) } }
    if isEnd(error) {
      return "\(name) closed the connection during the TLS handshake: does it speak TLS, and does it know this host's certificate?"
    }
    if contains("CERTIFICATE_REQUIRED") || (!hasCertificate && contains("HANDSHAKE_FAILURE", "BAD_CERTIFICATE")) {
      return hasCertificate
        ? "\(name) does not accept the host's certificate: give the device the authority that issued it"
        : "\(name) asks for a client certificate: set tls.certificate and tls.key"
    }
    if contains("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "ACCESS_DENIED") {
      return "\(name) does not accept the host's certificate (\(short(reason))): give the device the authority that issued it, "
        + "and check its dates"
    }
    if contains("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_RECORD", "UNEXPECTED_MESSAGE", "EXCESSIVE_MESSAGE_SIZE") {
      return "\(name) does not speak TLS: check the port, or use tcp://"
    }
    if contains("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL") {
      return "\(name) speaks only versions of TLS before 1.2, which are not safe: update the device"
    }
    if contains("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_COMMON", "UNKNOWN_CIPHER", "WRONG_CIPHER", "WRONG_CURVE", "BAD_ECPOINT") {
      return "\(name) and this host have no way of TLS in common, or it does not accept the host's certificate (\(short(reason)))"
    }
    return "TLS with \(name) failed (\(short(reason)))"
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case NIOSSLError.handshakeFailed(.sslError(let stack)), NIOSSLError.shutdownFailed(.sslError(let stack)),
      BoringSSLError.sslError(let stack):
      stack.map(\.description).joined(separator: " ")
    default: String(describing: error)
    }
  }

  /// `… error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at FILE:LINE` has one word for people.
  private static func short(_ reason: String) -> String {
    let words = reason.split(separator: " at ").first.map(String.init) ?? reason
    return String((words.split(separator: ":").last.map(String.init) ?? words).prefix(120)).lowercased().replacing("_", with: " ")
  }
}
