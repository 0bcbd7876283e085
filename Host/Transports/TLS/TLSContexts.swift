// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSecurity
internal import BusbarSystem
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// What a connection of certain settings needs, read from their files once and again when a file changes.
final class TLSContexts: Sendable {
  struct Client: Sendable {
    let context: NIOSSLContext
    let trust: PeerTrust
  }

  static let shared = TLSContexts()

  /// Far above what a host has links; what is beyond is made anew each time.
  private static let limit = 1024

  private struct Key: Hashable {
    let settings: TLSSettings
    let name: String
  }

  private struct Entry {
    let stamps: [SmallFile.Stamp?]
    let client: Client
  }

  private let entries = Mutex<[Key: Entry]>([:])

  /// `host` is the address as configured. Blocks for reading files.
  func client(_ settings: TLSSettings, host: String) throws(TransportError) -> Client {
    let key = Key(settings: settings, name: settings.name ?? host)
    // Before the files are read: a change in between is seen the next time.
    let stamps = [settings.ca, settings.certificate, settings.key].map { $0.flatMap(SmallFile.stamp) }
    if let known = entries.withLock({ $0[key] }), known.stamps == stamps { return known.client }
    let client = try Self.make(settings, name: key.name)
    entries.withLock { entries in
      if entries.count >= Self.limit { entries.removeAll() }
      entries[key] = Entry(stamps: stamps, client: client)
    }
    return client
  }

  private static func make(_ settings: TLSSettings, name: String) throws(TransportError) -> Client {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    // The far end is judged by `PeerTrust`; this keeps a second list of authorities from being loaded.
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .certificates([])
    // How long a far end may take to answer the end of the connection.
    configuration.shutdownTimeout = .seconds(1)
    do {
      let trust: PeerTrust =
        if let fingerprint = settings.fingerprint {
          .fingerprint(fingerprint)
        } else {
          .authorities(try TrustStore(try settings.ca.map(CertificateFile.read)), file: settings.ca, name: name)
        }
      if let certificate = settings.certificate, let key = settings.key {
        let credentials = try Credentials(certificate: certificate, key: key)
        configuration.certificateChain = try credentials.chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: try credentials.key.pem(), format: .pem))
      }
      return Client(context: try NIOSSLContext(configuration: configuration), trust: trust)
    } catch let error as SecurityError {
      throw TransportError(.address, error.description)
    } catch let error as OpenSSLError {
      throw TransportError(.address, error.description)
    } catch {
      throw TransportError(
        .address, "the certificate in \(settings.certificate ?? "tls") is of a kind that TLS cannot use here (\(error)): use P-256 or RSA")
    }
  }
}
