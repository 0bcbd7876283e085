// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSecurity
internal import BusbarSystem
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// What connections of certain settings need, read from their files once and again when a file changes.
final class TLSContexts: Sendable {
  struct Client: Sendable {
    let context: NIOSSLContext
    let trust: PeerTrust
  }

  struct Server: Sendable {
    let context: NIOSSLContext
    /// Nil = clients show no certificate.
    let trust: PeerTrust?

    func objection(to chain: [[UInt8]]) -> String? {
      trust?.objection(to: chain.compactMap { try? Certificate(der: $0) })
    }
  }

  static let shared = TLSContexts()

  private struct ClientKey: Hashable {
    let settings: TLSSettings
    let name: String
  }

  private let clients = TLSCache<ClientKey, Client>()
  private let servers = TLSCache<TLSServerSettings, Server>()

  /// `host` is the address as configured. Blocks for reading files.
  func client(_ settings: TLSSettings, host: String) throws(TransportError) -> Client {
    let key = ClientKey(settings: settings, name: settings.name ?? host)
    return try clients.value(key, files: [settings.ca, settings.certificate, settings.key]) { () throws(TransportError) in
      try explained(settings.certificate) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        Self.harden(&configuration)
        let trust: PeerTrust =
          if let fingerprint = settings.fingerprint {
            .fingerprint(fingerprint)
          } else {
            .authorities(try TrustStore(try settings.ca.map(CertificateFile.read)), file: settings.ca, name: key.name)
          }
        if let certificate = settings.certificate, let key = settings.key {
          (configuration.certificateChain, configuration.privateKey) = try Self.own(certificate, key)
        }
        return Client(context: try NIOSSLContext(configuration: configuration), trust: trust)
      }
    }
  }

  /// Blocks for reading files.
  func server(_ settings: TLSServerSettings) throws(TransportError) -> Server {
    try servers.value(settings, files: [settings.certificate, settings.key, settings.clientCA]) { () throws(TransportError) in
      try explained(settings.certificate) {
        let (chain, key) = try Self.own(settings.certificate, settings.key)
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        Self.harden(&configuration)
        let trust = try settings.clientCA.map { PeerTrust.clients(of: try TrustStore(try CertificateFile.read($0)), file: $0) }
        if trust == nil { configuration.certificateVerification = .none }
        return Server(context: try NIOSSLContext(configuration: configuration), trust: trust)
      }
    }
  }

  private static func harden(_ configuration: inout TLSConfiguration) {
    configuration.minimumTLSVersion = .tlsv12
    // The far end is judged by `PeerTrust`; this keeps a second list of authorities from being loaded.
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .certificates([])
    // How long a far end may take to answer the end of the connection.
    configuration.shutdownTimeout = .seconds(1)
  }

  private static func own(
    _ certificate: String, _ key: String
  ) throws -> (chain: [NIOSSLCertificateSource], key: NIOSSLPrivateKeySource) {
    let credentials = try Credentials(certificate: certificate, key: key)
    let chain = try credentials.chain.map { NIOSSLCertificateSource.certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) }
    return (chain, .privateKey(try NIOSSLPrivateKey(bytes: try credentials.key.pem(), format: .pem)))
  }

  private func explained<Made>(_ certificate: String?, _ make: () throws -> Made) throws(TransportError) -> Made {
    do {
      return try make()
    } catch let error as SecurityError {
      throw TransportError(.address, error.description)
    } catch let error as OpenSSLError {
      throw TransportError(.address, error.description)
    } catch {
      // The library's error may quote what it was given.
      throw TransportError(
        .address, "the certificate in \(certificate ?? "tls") is of a kind that TLS cannot use here: use one with a P-256 or RSA key")
    }
  }
}

/// What was made of files, until one of them changes.
private final class TLSCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let stamps: [SmallFile.Stamp?]
    let value: Value
  }

  private let entries = Mutex<[Key: Entry]>([:])

  func value(
    _ key: Key, files: [String?], make: () throws(TransportError) -> Value
  ) throws(TransportError) -> Value {
    // Before the files are read: a change in between is seen the next time.
    let stamps = files.map { $0.flatMap(SmallFile.stamp) }
    if let known = entries.withLock({ $0[key] }), known.stamps == stamps { return known.value }
    let value = try make()
    entries.withLock { entries in
      // Far above what a host has links; what is beyond is made anew.
      if entries.count >= 1024 { entries.removeAll() }
      entries[key] = Entry(stamps: stamps, value: value)
    }
    return value
  }
}
