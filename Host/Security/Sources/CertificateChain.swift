// SPDX-License-Identifier: Apache-2.0

package import BusbarOpenSSL
internal import BusbarSystem

/// The answer of an authority, put in order and checked.
package enum CertificateChain {
  /// The certificate of this key first, then each one's issuer. `now` is Unix time in seconds. A root at the end is left
  /// out, since nobody believes one that is sent. Throws a sentence.
  package static func order(_ certificates: [Certificate], for key: PrivateKey, now: Int64) throws(SecurityError) -> [Certificate] {
    let own = certificates.filter { $0.fits(key) }
    guard let leaf = own.first else {
      let found = certificates.prefix(4).map { "\"\($0.subject)\"" }.joined(separator: ", ")
      throw SecurityError("no certificate in it is for this host's key (found: \(found)): make a request with `busbar identity csr`")
    }
    guard own.allSatisfy({ $0 == leaf }) else { throw SecurityError("there are several certificates for this host's key in it") }
    var chain = [leaf]
    var rest = certificates.filter { $0 != leaf }
    while let next = rest.first(where: { chain[chain.count - 1].isIssued(by: $0) }), !chain[chain.count - 1].isSelfSigned {
      rest.removeAll { $0 == next }
      chain.append(next)
    }
    guard rest.isEmpty else {
      throw SecurityError(
        "\"\(rest[0].subject)\" in it has not issued \"\(chain[chain.count - 1].subject)\": give the certificate and those between it and its authority")
    }
    for certificate in chain {
      guard now >= certificate.notBefore else {
        throw SecurityError(
          "\"\(certificate.subject)\" is valid from \(UTCDate.text(certificate.notBefore)) on; today is \(UTCDate.text(now)) by this machine's clock")
      }
      guard now < certificate.notAfter else {
        throw SecurityError(
          "\"\(certificate.subject)\" expired on \(UTCDate.text(certificate.notAfter)); today is \(UTCDate.text(now)) by this machine's clock")
      }
    }
    if chain.count > 1, chain[chain.count - 1].isSelfSigned { chain.removeLast() }
    return chain
  }
}
