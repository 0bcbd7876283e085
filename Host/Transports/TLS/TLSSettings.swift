// SPDX-License-Identifier: Apache-2.0

/// How the far end of a TLS connection is known, and who the host is to it. Paths of PEM files, no secrets: they are read
/// when a connection is made, so that a renewed file counts from the next one on.
package struct TLSSettings: Hashable, Sendable {
  /// Authorities; nil = those of the system.
  package var ca: String?
  /// Both or neither. The host's own identity is two files like any other.
  package var certificate: String?
  package var key: String?
  /// What the far end's certificate has to name, where that is not the address.
  package var name: String?
  /// SHA-256 of the far end's certificate; then `ca` and `name` do not matter.
  package var fingerprint: [UInt8]?

  package init(
    ca: String? = nil, certificate: String? = nil, key: String? = nil, name: String? = nil, fingerprint: [UInt8]? = nil
  ) {
    self.ca = ca
    self.certificate = certificate
    self.key = key
    self.name = name
    self.fingerprint = fingerprint
  }
}
