// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// What a listener shows to those that connect, and what it wants to see of them.
package struct ServerTLSSettings: Sendable {
  /// Paths of PEM files.
  package struct Files: Sendable, Equatable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  private let context: NIOSSLContext
  /// For those that speak no elliptic curves; nil where there is one certificate.
  private let classic: NIOSSLContext?

  /// PEM files. `second`: a certificate of the other kind: OCPP wants cipher suites for elliptic curves and for RSA (2.0.1 part 2,
  /// A00.FR.318). `clients`: authorities whose client certificates are accepted; empty = none is asked for, else one may be shown
  /// and is then verified. TLS 1.2 at least. Throws a sentence for a person.
  package init(certificate: String, key: String, second: Files? = nil, clients: [String]) throws(TransportError) {
    let first = try Self.context(Files(certificate: certificate, key: key), clients)
    guard let second else {
      (context, classic) = (first.context, nil)
      return
    }
    let other = try Self.context(second, clients)
    guard first.isElliptic != other.isElliptic else {
      throw TransportError(.other, "the certificates \(certificate) and \(second.certificate) are of one kind; expected one for an elliptic curve and one for RSA")
    }
    (context, classic) = first.isElliptic ? (first.context, other.context) : (other.context, first.context)
  }

  private static func context(_ files: Files, _ clients: [String]) throws(TransportError) -> (context: NIOSSLContext, isElliptic: Bool) {
    do {
      let certificates = try NIOSSLCertificate.fromPEMFile(files.certificate)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      // Whoever does not answer the end is not waited for any longer.
      configuration.shutdownTimeout = .seconds(2)
      if !clients.isEmpty {
        configuration.trustRoots = .certificates(try clients.flatMap { try NIOSSLCertificate.fromPEMFile($0) })
        configuration.certificateVerification = .optionalVerification
      }
      let key = try certificates.first?.extractPublicKey().toSPKIBytes() ?? []
      return (try NIOSSLContext(configuration: configuration), key.firstRange(of: Self.ellipticCurve) != nil)
    } catch {
      throw TransportError(.other, "the certificate \(files.certificate) cannot be used: \(error)")
    }
  }

  /// OBJECT IDENTIFIER id-ecPublicKey (RFC 5480 section 2.1.1).
  private static let ellipticCurve: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]

  /// What does TLS on a connection.
  func add(to channel: any Channel) throws {
    let pipeline = channel.pipeline.syncOperations
    if let classic {
      try pipeline.addHandler(CertificateChoice(elliptic: context, classic: classic))
    } else {
      try pipeline.addHandler(NIOSSLServerHandler(context: context))
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
