// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
package import NIOSSL

/// Who the host is to clients of a TLS listener, and which of them it lets in. Paths of PEM files, no secrets.
package struct TLSServerSettings: Hashable, Sendable {
  package var certificate: String
  package var key: String
  /// Authorities of the certificates that clients have to show; nil = clients show none.
  package var clientCA: String?

  package init(certificate: String, key: String, clientCA: String? = nil) {
    self.certificate = certificate
    self.key = key
    self.clientCA = clientCA
  }

  /// For listeners on SwiftNIO: TLS 1.2 at least, made anew where a file has changed since the last call, so a listener asks
  /// for each connection. With `clientCA` a handler has to judge the certificates that it is shown, as `judge` does.
  /// Blocks for reading files. Throws a sentence.
  package func context() throws(TransportError) -> NIOSSLContext { try TLSContexts.shared.server(self).context }

  /// Nil where the client of this chain, its own certificate first, in DER form, is let in; else why not.
  package func objection(to chain: [[UInt8]]) throws(TransportError) -> String? {
    try TLSContexts.shared.server(self).objection(to: chain)
  }
}

extension StreamListener {
  /// The server's side of TLS on a connection that `accept` gave. Blocks for the handshake, until the deadline at most.
  package static func secure(
    _ connection: Descriptor, _ settings: TLSServerSettings, deadline: Int64, stop: CallSignal
  ) throws(TransportError) -> Descriptor {
    try TLSDialer.accept(connection, settings, deadline: deadline, stop: stop)
  }
}
