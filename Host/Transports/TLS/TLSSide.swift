// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// Which end of TLS the host is.
enum TLSSide: Sendable {
  /// `name` goes into the ClientHello; nil where the far end is known by its address.
  case client(NIOSSLContext, name: String?)
  /// `asks`: for the client's certificate, and goes on only where it is trusted.
  case server(NIOSSLContext, asks: Bool)

  /// `judge` is handed the far end's certificates, and a promise for the verdict.
  func handler(
    _ judge: @escaping @Sendable ([NIOSSLCertificate], EventLoopPromise<NIOSSLVerificationResult>) -> Void
  ) throws -> any ChannelHandler {
    switch self {
    case .client(let context, let name):
      try NIOSSLClientHandler(context: context, serverHostname: name, customVerificationCallback: judge)
    case .server(let context, true): NIOSSLServerHandler(context: context, customVerificationCallback: judge)
    case .server(let context, false): NIOSSLServerHandler(context: context)
    }
  }
}
