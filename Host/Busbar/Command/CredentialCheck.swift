// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarSecurity

/// Looks into the PEM files that a configuration names, beyond whether they are there.
enum CredentialCheck {
  /// A sentence for each key that does not fit, each file that is no certificate, and an identity of the host's own that
  /// cannot be used. Makes nothing: an identity that is missing is made by `run`.
  static func problems(_ configuration: Configuration) -> [String] {
    var places: [(key: String, ca: String?, certificate: Configuration.Credential?, privateKey: Configuration.Credential?)] = []
    if let uplink = configuration.uplink, uplink.url.tls {
      places.append(("uplink.tls", uplink.tls.ca, uplink.tls.certificate, uplink.tls.key))
    }
    for link in configuration.links {
      places.append(("link \(link.id): tls", link.tls.ca, link.tls.certificate, link.tls.key))
    }
    for (name, listener) in configuration.listeners.sorted(by: { $0.key < $1.key }) where listener.tls != .off {
      places.append(("listeners.\(name).tls", listener.clients, listener.certificate, listener.key))
    }
    let identity = IdentityStore(configuration)
    var problems: [String] = []
    func check(_ key: String, _ body: () throws(SecurityError) -> Void) {
      do throws(SecurityError) { try body() } catch { problems.append("\(configuration.file): \(key): \(error)") }
    }
    for place in places {
      if let ca = place.ca { check("\(place.key).ca") { () throws(SecurityError) in _ = try CertificateFile.read(ca) } }
      guard let certificate = place.certificate, let key = place.privateKey else { continue }
      check(place.key) { () throws(SecurityError) in
        if certificate == .host || key == .host {
          guard try identity.existing() != nil else { return }
        }
        guard let certificate = certificate.path(host: identity.certificate), let key = key.path(host: identity.key) else { return }
        _ = try Credentials(certificate: certificate, key: key)
      }
    }
    return problems
  }
}
