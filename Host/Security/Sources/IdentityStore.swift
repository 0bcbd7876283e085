// SPDX-License-Identifier: Apache-2.0

package import BusbarOpenSSL
internal import BusbarSystem

/// Who the host is to brokers and devices: a private key that never leaves the machine, and a certificate for it, signed
/// by itself until an authority's is installed.
///
/// Two files in `STATE/identity`, which only the host's user enters. The key is written first and never again, so that a
/// host that is killed between the two finds its key and makes the certificate anew; a key that is missing beside a
/// certificate is an error for a person, since another key would make a certificate of an authority worthless.
package struct IdentityStore: Sendable {
  /// Paths of PEM files, whether they are there or not.
  package let certificate: String
  package let key: String

  private let directory: String
  private let gateway: String

  /// `state` is the host's state directory; `gateway` its id, which a certificate of its own names.
  package init(state: String, gateway: String) {
    directory = "\(state)/identity"
    certificate = "\(directory)/certificate.pem"
    key = "\(directory)/key.pem"
    self.gateway = gateway
  }

  /// Nil where none was made yet.
  package func existing() throws(SecurityError) -> HostIdentity? {
    guard SmallFile.stamp(certificate) != nil else { return nil }
    return try read()
  }

  /// Made where it is missing.
  package func load() throws(SecurityError) -> HostIdentity {
    if SmallFile.stamp(key) != nil, SmallFile.stamp(certificate) != nil { return try read() }
    do {
      let place = try PrivateDirectory(directory)
      if SmallFile.stamp(key) == nil {
        guard SmallFile.stamp(certificate) == nil else { throw missingKey }
        try place.write("key.pem", try PrivateKey.makeP256().pem())
      }
      if SmallFile.stamp(certificate) == nil {
        try place.write("certificate.pem", try selfSigned(try Credentials.readKey(key)).pem)
      }
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("the host's identity could not be made: \(error)")
    }
    return try read()
  }

  /// A PKCS#10 request in PEM form, for the key of the identity, which is made where it is missing. Nothing given = the
  /// gateway's id, and the names that a certificate of the host's own has.
  package func request(subject: [NamePart] = [], names: [String] = []) throws(SecurityError) -> [UInt8] {
    _ = try load()
    do {
      return try Credentials.readKey(key).request(
        subject: subject.isEmpty ? [NamePart("CN", gateway)] : subject, names: names.isEmpty ? ownNames : names)
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("no request could be made: \(error)")
    }
  }

  /// Puts an authority's certificate, and those between it and the authority, in the place of the one that was there.
  /// `pem` has them in any order. `now` is Unix time in seconds. Throws, and changes nothing, where they do not fit.
  package func install(pem: [UInt8], now: Int64) throws(SecurityError) -> HostIdentity {
    _ = try load()
    do {
      let chain = try CertificateChain.order(try Certificate.all(pem: pem), for: try Credentials.readKey(key), now: now)
      try PrivateDirectory(directory).write("certificate.pem", chain.flatMap(\.pem))
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("\(error)")
    }
    return try read()
  }

  private func read() throws(SecurityError) -> HostIdentity {
    guard SmallFile.stamp(key) != nil else { throw missingKey }
    return HostIdentity(chain: try Credentials(certificate: certificate, key: key).chain)
  }

  private var missingKey: SecurityError {
    SecurityError("\(key) is missing beside its certificate: restore it, or remove \(certificate) and have a new identity made")
  }

  private var ownNames: [String] { [gateway] }

  private func selfSigned(_ key: PrivateKey) throws -> Certificate {
    // A gateway may make it before its clock is set; no certificate is older than this program.
    let base = max(Clock.unixMilliseconds() / 1000, Self.clockSetAfter)
    return try key.selfSigned(
      subject: [NamePart("CN", gateway)], names: ownNames, from: base - 86400, until: base + Self.lifetime)
  }

  /// 2026-01-01.
  private static let clockSetAfter: Int64 = 1_767_225_600
  /// 20 years: a host runs for 15, and nobody renews what it has signed itself.
  private static let lifetime: Int64 = 20 * 365 * 86400
}

/// The public side of the host's identity.
package struct HostIdentity: Sendable {
  /// Its own first.
  package let chain: [Certificate]

  package var certificate: Certificate { chain[0] }
  package var isSelfSigned: Bool { certificate.isSelfSigned }
}
