// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// What a listener shows to those that connect, and what it wants to see of them.
package struct ServerTLSSettings: Sendable {
  let context: NIOSSLContext

  /// PEM files. `clients`: authorities whose client certificates are accepted; nil = none is asked for, given = one may be
  /// shown and is then verified. TLS 1.2 at least. Throws a sentence for a person.
  package init(certificate: String, key: String, clients: String?) throws(TransportError) {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      if let clients {
        configuration.trustRoots = .file(clients)
        configuration.certificateVerification = .optionalVerification
      }
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      throw TransportError(.other, "the certificate \(certificate) cannot be used: \(error)")
    }
  }
}

extension WebSocketListener {
  /// Optional verification lets only those finish the handshake whose certificate is good, or who show none.
  static func certificate(_ channel: any Channel) -> WebSocketRequest.PeerCertificate? {
    guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
      let certificate = handler.peerCertificate, let der = try? certificate.toDERBytes()
    else { return nil }
    return WebSocketRequest.PeerCertificate(der: der, trusted: true)
  }
}
