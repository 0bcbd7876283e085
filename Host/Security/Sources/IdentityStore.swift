// SPDX-License-Identifier: Apache-2.0

package import BusbarOpenSSL

/// Who the host is to brokers and devices: a private key that never leaves the machine, and a certificate for it, signed
/// by itself until an authority's is installed: `certificate.pem` and `key.pem` in `STATE/identity`.
package struct IdentityStore: Sendable {
  private static let remedy = "have a new identity made"

  private let files: KeptPair
  private let gateway: String

  /// `state` is the host's state directory; `gateway` its id, which a certificate of its own names.
  package init(state: String, gateway: String) {
    files = KeptPair(state: state, certificate: "certificate.pem", key: "key.pem")
    self.gateway = gateway
  }

  /// Paths of PEM files, whether they are there or not.
  package var certificate: String { files.certificate }
  package var key: String { files.key }

  /// Nil where none was made yet.
  package func existing() throws(SecurityError) -> HostIdentity? { files.hasCertificate ? try read() : nil }

  /// Made where it is missing.
  package func load() throws(SecurityError) -> HostIdentity {
    let credentials = try files.load(remedy: Self.remedy) { [gateway, ownNames] key, from, until in
      try key.selfSigned(subject: [NamePart("CN", gateway)], names: ownNames, from: from, until: until)
    }
    return HostIdentity(chain: credentials.chain)
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
      try files.replaceCertificate(chain.flatMap(\.pem))
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("\(error)")
    }
    return try read()
  }

  private func read() throws(SecurityError) -> HostIdentity { HostIdentity(chain: try files.read(remedy: Self.remedy).chain) }

  private var ownNames: [String] { [gateway] }
}

/// The public side of the host's identity.
package struct HostIdentity: Sendable {
  /// Its own first.
  package let chain: [Certificate]

  package var certificate: Certificate { chain[0] }
  package var isSelfSigned: Bool { certificate.isSelfSigned }
}
