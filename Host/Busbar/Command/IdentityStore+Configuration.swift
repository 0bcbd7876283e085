// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarSecurity

extension IdentityStore {
  init(_ configuration: Configuration) {
    self.init(state: configuration.host.state, gateway: configuration.host.id)
  }
}

extension Configuration.Credential {
  /// `host` is the path of the host's own.
  func path(host: String?) -> String? {
    switch self {
    case .host: host
    case .file(let path): path
    }
  }
}

extension Configuration {
  /// Something says `host` for a certificate or key.
  var usesHostIdentity: Bool {
    let uplink = uplink.map { [$0.tls.certificate, $0.tls.key] } ?? []
    let links = links.flatMap { [$0.tls.certificate, $0.tls.key] }
    let listeners = listeners.values.filter { $0.tls != .off }.flatMap { [$0.certificate, $0.key] }
    return (uplink + links + listeners).contains(.host)
  }
}
