// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarOpenSSL
import BusbarSecurity
import BusbarSystem
import BusbarTransports

/// Who a simulated device is to those who connect with TLS: a certificate of files, the host's own where a configuration
/// is named, else one of its own that this user's simulated devices share.
struct SimulatedTLS: Sendable {
  /// For `tls.fingerprint` of a host's configuration.
  let fingerprint: String
  private let settings: TLSServerSettings

  init(certificate: String?, key: String?, clientCA: String?, config: String?) throws {
    do {
      var files = (certificate: certificate ?? "", key: key ?? "")
      if certificate == nil {
        let store = try Self.store(config)
        _ = try store.load()
        files = (store.certificate, store.key)
      }
      let credentials = try Credentials(certificate: files.certificate, key: files.key)
      fingerprint = Fingerprint.text(credentials.chain[0].fingerprint)
      settings = TLSServerSettings(certificate: files.certificate, key: files.key, clientCA: clientCA)
      _ = try settings.context()
    } catch let error as SecurityError {
      throw CommandFailure(error.description)
    } catch let error as TransportError {
      throw CommandFailure(error.message)
    }
  }

  private static func store(_ config: String?) throws -> IdentityStore {
    guard let config else { return IdentityStore(state: try TemporaryStore.make(), gateway: "simulated-device") }
    let (configuration, diagnostics) = ConfigurationLoader.load(file: config)
    guard let configuration else { throw CommandFailure(diagnostics: diagnostics.map(\.description)) }
    return IdentityStore(configuration)
  }

  /// Ten seconds for the handshake: far more than it takes, and a port scanner does not hold a thread for ever.
  func secure(_ connection: Descriptor, stop: CallSignal) throws(TransportError) -> Descriptor {
    try StreamListener.secure(connection, settings, deadline: Clock.boot() + 10_000_000_000, stop: stop)
  }
}
