// SPDX-License-Identifier: Apache-2.0

/// Where a byte stream leads to.
package enum StreamEndpoint: Hashable, Sendable {
  case tcp(host: String, port: UInt16)
  case tls(host: String, port: UInt16, TLSSettings)
  case serial(SerialLine)
  /// No stream: the far end opens a WebSocket at a listener of the host's.
  case visitor(Visitor)

  package struct Visitor: Hashable, Sendable {
    /// The listener's name.
    package var listener: String
    /// What the far end calls itself.
    package var identity: String

    package init(listener: String, identity: String) {
      self.listener = listener
      self.identity = identity
    }
  }

  package struct SerialLine: Hashable, Sendable {
    package enum Parity: Int32, Sendable { case none = 0, odd = 1, even = 2 }

    package var path: String
    /// Bit/s.
    package var baud: UInt32
    package var dataBits: Int
    package var parity: Parity
    package var stopBits: Int

    package init(path: String, baud: UInt32 = 9600, dataBits: Int = 8, parity: Parity = .none, stopBits: Int = 1) {
      self.path = path
      self.baud = baud
      self.dataBits = dataBits
      self.parity = parity
      self.stopBits = stopBits
    }

    /// Start, data, parity and stop bits of one byte.
    package var bitsPerByte: Int { 1 + dataBits + (parity == .none ? 0 : 1) + stopBits }
  }
}

/// Why a stream could not be opened or used.
package struct TransportError: Error, Sendable, Equatable {
  package enum Cause: Sendable, Equatable {
    case timeout, closed, refused, address, cancelled, noSpace, other
    /// The far end is not who it has to be.
    case untrusted
  }

  package var cause: Cause
  /// A sentence for a person: what, where, what to do.
  package var message: String

  package init(_ cause: Cause, _ message: String) {
    self.cause = cause
    self.message = message
  }
}
