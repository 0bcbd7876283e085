// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL

/// An authority that signs certificates of devices, so that they need no passwords.
///
/// The host's own, `authority.pem` and `authority-key.pem` in `STATE/identity`. Or a key and a certificate that somebody has made
/// elsewhere, best one that is good for these devices only.
package struct DeviceAuthority: Sendable {
  private let chain: [Certificate]
  private let key: PrivateKey

  /// 397 days: renewed about once a year, as browsers expect it of servers.
  package static let lifetime: Int64 = 397 * 86400

  /// `certificate` and `key` are PEM files; the certificate may be followed by those that signed it.
  package init(certificate: String, key: String) throws(SecurityError) {
    try self.init(try Credentials(certificate: certificate, key: key), certificate)
  }

  private init(_ credentials: Credentials, _ file: String) throws(SecurityError) {
    guard credentials.chain[0].isAuthority else {
      throw SecurityError("\(file) is no certificate of an authority: it must not sign others")
    }
    chain = credentials.chain
    key = credentials.key
  }

  private static func files(_ state: String) -> KeptPair {
    KeptPair(state: state, certificate: "authority.pem", key: "authority-key.pem")
  }

  /// The path of the PEM file of the host's own, whether it is there or not.
  package static func certificate(state: String) -> String { files(state).certificate }

  /// The host's own, made where it is missing.
  package static func own(state: String, gateway: String) throws(SecurityError) -> DeviceAuthority {
    let files = files(state)
    let credentials = try files.load(remedy: "give all devices new certificates") { key, from, until in
      try key.authority(subject: [NamePart("CN", "\(gateway) devices")], from: from, until: until)
    }
    return try DeviceAuthority(credentials, files.certificate)
  }

  /// The certificate for a request and those that signed it, in PEM form without the root, which the far end knows or need not
  /// know. `identity`: whose it has to be, so that nobody gets one for another. `now`: Unix seconds. Throws a sentence.
  package func sign(request: String, for identity: String, now: Int64) throws(SecurityError) -> (chain: String, notAfter: Int64) {
    do {
      let asked = try CertificateRequest(pem: Array(request.utf8))
      guard asked.isFor(identity) else {
        throw SecurityError("the request is for \(asked.subject.prefix(128)), not for \(identity)")
      }
      guard asked.isStrong else { throw SecurityError("the key is too short: RSA from 2048 bits, elliptic curves from 224 bits on") }
      let end = min(now + Self.lifetime, chain[0].notAfter)
      guard end > now else { throw SecurityError("the certificate of the authority has expired") }
      let made = try key.sign(asked, issuer: chain[0], from: now - 86400, until: end)
      let signers = chain.filter { !$0.isSelfSigned }
      let pem = ([made] + (signers.isEmpty ? [chain[0]] : signers)).flatMap(\.pem)
      return (String(decoding: pem, as: UTF8.self), end)
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("\(error)")
    }
  }
}
