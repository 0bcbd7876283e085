// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
package import BusbarTransports
internal import PluginAPI

/// Opens what the endpoints of a link lead to: in the host itself, or for a child by its host.
package protocol LinkStreams: Sendable {
  /// Blocks until `deadline` at most. Nil where the link has no endpoint of this name.
  func open(_ endpoint: String, deadline: Int64, stop: CallSignal) throws(TransportError) -> OpenStream?
  /// The plugin gave its stream back, or its link is closed.
  func released()
  /// More about why a stream of the link was closed, where the transport knows it.
  var ending: String? { get }
}

extension LinkStreams {
  package func released() {}
  package var ending: String? { nil }
}

package struct OpenStream: Sendable {
  package var descriptor: Descriptor
  package var facts: StreamFacts

  package init(_ descriptor: Descriptor, _ facts: StreamFacts) {
    self.descriptor = descriptor
    self.facts = facts
  }
}

/// What a stream is, as far as framing has to know (stream.h).
package struct StreamFacts: Equatable, Sendable {
  package var kind: UInt32
  /// Bit/s of a serial line, else 0.
  package var baud: UInt32
  /// Start, data, parity and stop bits of one byte on a serial line, else 0.
  package var bitsPerByte: UInt32

  package init(kind: UInt32, baud: UInt32 = 0, bitsPerByte: UInt32 = 0) {
    self.kind = kind
    self.baud = baud
    self.bitsPerByte = bitsPerByte
  }
}

struct DialedStreams: LinkStreams {
  let endpoints: [String: StreamEndpoint]

  func open(_ name: String, deadline: Int64, stop: CallSignal) throws(TransportError) -> OpenStream? {
    guard let endpoint = endpoints[name] else { return nil }
    return OpenStream(try StreamDialer.open(endpoint, deadline: deadline, stop: stop), StreamFacts(endpoint))
  }

  var ending: String? { endpoints.values.lazy.compactMap(StreamDialer.ending).first }
}

extension StreamFacts {
  init(_ endpoint: StreamEndpoint) {
    switch endpoint {
    // A plugin cannot tell TLS from TCP, and need not.
    case .tcp, .tls: self.init(kind: UInt32(BB_STREAM_TCP))
    case .serial(let line):
      self.init(kind: UInt32(BB_STREAM_SERIAL), baud: line.baud, bitsPerByte: UInt32(line.bitsPerByte))
    case .visitor: self.init(kind: 0)
    }
  }
}
