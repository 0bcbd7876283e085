// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSystem

/// A private key that never leaves the machine and a certificate for it: two files in `STATE/identity`, which only the host's
/// user enters.
///
/// The key is written first and never again, so that a host that is killed between the two finds its key and makes the
/// certificate anew; a key that is missing beside a certificate is an error for a person, since another key would make what
/// others have built on the certificate worthless.
struct KeptPair: Sendable {
  /// Paths of PEM files, whether they are there or not.
  let certificate: String
  let key: String

  private let directory: String
  private let names: (certificate: String, key: String)

  init(state: String, certificate: String, key: String) {
    directory = "\(state)/identity"
    names = (certificate, key)
    self.certificate = "\(directory)/\(certificate)"
    self.key = "\(directory)/\(key)"
  }

  var hasCertificate: Bool { SmallFile.stamp(certificate) != nil }

  /// What is there. `remedy` is what a person can do without the key, for a sentence.
  func read(remedy: String) throws(SecurityError) -> Credentials {
    guard SmallFile.stamp(key) != nil else { throw missingKey(remedy) }
    return try Credentials(certificate: certificate, key: key)
  }

  /// Made where it is missing: `sign` makes the certificate, which is good from and until these Unix seconds.
  func load(
    remedy: String, _ sign: (_ key: PrivateKey, _ from: Int64, _ until: Int64) throws -> Certificate
  ) throws(SecurityError) -> Credentials {
    if hasCertificate { return try read(remedy: remedy) }
    do {
      // While it is held nobody else makes one.
      let place = try PrivateDirectory(directory)
      if SmallFile.stamp(key) == nil {
        guard !hasCertificate else { throw missingKey(remedy) }
        try place.write(names.key, try PrivateKey.makeP256().pem())
      }
      if !hasCertificate {
        // A gateway may make it before its clock is set; no certificate is older than this program.
        let base = max(Clock.unixMilliseconds() / 1000, Self.clockSetAfter)
        let made = try sign(try Credentials.readKey(key), base - 86400, base + Self.lifetime)
        try place.write(names.certificate, made.pem)
      }
    } catch let error as SecurityError {
      throw error
    } catch {
      throw SecurityError("\(certificate) could not be made: \(error)")
    }
    return try read(remedy: remedy)
  }

  func replaceCertificate(_ pem: [UInt8]) throws { try PrivateDirectory(directory).write(names.certificate, pem) }

  private func missingKey(_ remedy: String) -> SecurityError {
    SecurityError("\(key) is missing beside its certificate: restore it, or remove \(certificate) and \(remedy)")
  }

  /// 2026-01-01.
  private static let clockSetAfter: Int64 = 1_767_225_600
  /// 20 years: a host runs for 15, and nobody renews what it has signed itself.
  private static let lifetime: Int64 = 20 * 365 * 86400
}
