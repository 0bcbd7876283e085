// SPDX-License-Identifier: Apache-2.0

package import BusbarOpenSSL
internal import BusbarSystem

/// A sentence for a person about a key, a certificate or an authority, or the file that has it. Never what is in a key.
package struct SecurityError: Error, Sendable, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// A certificate with its chain, and its key, as they lie in files.
package struct Credentials: Sendable {
  /// Its own first.
  package let chain: [Certificate]
  package let key: PrivateKey

  /// Throws where a file cannot be read or the key is not the certificate's.
  package init(certificate: String, key: String) throws(SecurityError) {
    chain = try CertificateFile.read(certificate)
    self.key = try Self.readKey(key)
    guard let leaf = chain.first, leaf.fits(self.key) else {
      throw SecurityError("the key in \(key) is not the one of the certificate in \(certificate)")
    }
  }

  package static func readKey(_ path: String) throws(SecurityError) -> PrivateKey {
    do {
      return try PrivateKey(pem: try SmallFile.read(path))
    } catch let error as SmallFile.Failure {
      throw SecurityError(error.description)
    } catch {
      throw SecurityError("\(path): \(error)")
    }
  }
}

/// Certificates in PEM form.
package enum CertificateFile {
  /// At least one, in the order of the file.
  package static func read(_ path: String) throws(SecurityError) -> [Certificate] {
    do {
      return try Certificate.all(pem: try SmallFile.read(path))
    } catch let error as SmallFile.Failure {
      throw SecurityError(error.description)
    } catch {
      throw SecurityError("\(path): \(error)")
    }
  }
}
