// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSystem

/// An authority that signs certificates of devices, so that they need no passwords.
///
/// Of the host's own: two files in `STATE/identity`, made where they are missing, the key first and never again, as with the
/// host's identity. Or a key and a certificate that somebody has made elsewhere, best one that is good for these devices only.
package struct DeviceAuthority: Sendable {
  private let chain: [Certificate]
  private let key: PrivateKey

  /// 397 days: renewed about once a year, as browsers expect it of servers.
  package static let lifetime: Int64 = 397 * 86400

  /// `certificate` and `key` are PEM files; the certificate may be followed by those that signed it.
  package init(certificate: String, key: String) throws(SecurityError) {
    let credentials = try Credentials(certificate: certificate, key: key)
    self.chain = credentials.chain
    self.key = credentials.key
    guard credentials.chain[0].isAuthority else {
      throw SecurityError("\(certificate) is no certificate of an authority: it must not sign others")
    }
  }

  /// PEM files of the host's own authority, whether they are there or not.
  package static func files(state: String) -> (certificate: String, key: String) {
    ("\(state)/identity/authority.pem", "\(state)/identity/authority-key.pem")
  }

  /// The host's own, made where it is missing.
  package static func own(state: String, gateway: String) throws(SecurityError) -> DeviceAuthority {
    let files = files(state: state)
    do {
      let place = try PrivateDirectory("\(state)/identity")
      if SmallFile.stamp(files.key) == nil {
        guard SmallFile.stamp(files.certificate) == nil else {
          throw SecurityError("\(files.key) is missing beside its certificate: restore it, or remove \(files.certificate) and give all devices new certificates")
        }
        try place.write("authority-key.pem", try PrivateKey.makeP256().pem())
      }
      if SmallFile.stamp(files.certificate) == nil {
        let now = max(Clock.unixMilliseconds() / 1000, clockSetAfter)
        let made = try Credentials.readKey(files.key).authority(
          subject: [NamePart("CN", "\(gateway) devices")], from: now - 86400, until: now + 20 * 365 * 86400)
        try place.write("authority.pem", made.pem)
      }
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("the authority for devices could not be made: \(error)")
    }
    return try DeviceAuthority(certificate: files.certificate, key: files.key)
  }

  /// 2026-01-01: no certificate is older than this program.
  private static let clockSetAfter: Int64 = 1_767_225_600

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
