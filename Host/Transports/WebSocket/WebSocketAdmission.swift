// SPDX-License-Identifier: Apache-2.0

/// Who wants to open a WebSocket, as far as the transport can tell.
package struct WebSocketRequest: Sendable, Equatable {
  /// Percent-decoded, without query.
  package var path: String
  /// In the client's order of preference.
  package var subprotocols: [String]
  /// Of HTTP Basic (RFC 7617).
  package var login: Login?
  /// `192.0.2.7:50123`.
  package var address: String
  /// The address without the port.
  package var host: String { Self.host(address) }
  package var tls: Bool
  package var certificate: PeerCertificate?

  package init(
    path: String, subprotocols: [String], login: Login?, address: String, tls: Bool, certificate: PeerCertificate?
  ) {
    self.path = path
    self.subprotocols = subprotocols
    self.login = login
    self.address = address
    self.tls = tls
    self.certificate = certificate
  }

  static func host(_ address: String) -> String { address.split(separator: ":").dropLast().joined(separator: ":") }

  package struct Login: Sendable, Equatable {
    package var user: String
    /// Bytes, because chargers put anything here.
    package var password: [UInt8]

    package init(user: String, password: [UInt8]) {
      self.user = user
      self.password = password
    }
  }

  /// A client certificate whose key the far end has proven to hold.
  package struct PeerCertificate: Sendable, Equatable {
    package var der: [UInt8]
    /// It leads to an authority that the listener trusts.
    package var trusted: Bool
  }
}

/// What becomes of a request.
package enum WebSocketAdmission: Sendable {
  /// `subprotocol` is one of the client's, or empty where none is needed.
  case accept(subprotocol: String, receiver: any WebSocketReceiver)
  case refuse(Refusal)

  package enum Refusal: UInt, Sendable {
    case badRequest = 400, unauthorized = 401, forbidden = 403, notFound = 404, tooManyRequests = 429, unavailable = 503
  }
}

/// Decides about requests. Called from any thread; may take its time, within the listener's limit for handshakes.
package protocol WebSocketDoor: Sendable {
  func admit(_ request: WebSocketRequest) async -> WebSocketAdmission
  /// How those from an address are met, before anything is known of them. `host` as in a request; quick.
  func standing(_ host: String) -> WebSocketStanding
  /// A far end has begun TLS and gone without asking for anything that the door was shown. Quick.
  func abandoned(_ host: String)
}

/// What connections from an address may cost.
package enum WebSocketStanding: Sendable, Equatable {
  case welcome
  /// Behind all others.
  case doubtful
  /// No more than the connection: TLS is not begun.
  case unwelcome
}

/// Takes what a connection brings. Called on the connection's own thread, in order, and must not block.
package protocol WebSocketReceiver: AnyObject, Sendable {
  func opened(_ connection: any WebSocketSending)
  func received(_ message: WebSocketMessage)
  /// The last one. 1006 where there was no closing handshake (RFC 6455 section 7.1.5).
  func closed(code: UInt16, reason: String)
}

package enum WebSocketMessage: Sendable, Equatable {
  /// Valid UTF-8.
  case text([UInt8])
  case binary([UInt8])
}

/// The way out of a connection. From any thread.
package protocol WebSocketSending: AnyObject, Sendable {
  /// False where the connection is gone, or more waits for the far end than is allowed.
  func send(_ message: WebSocketMessage) -> Bool
  func close(code: UInt16, reason: String)
  var isOpen: Bool { get }
  /// Nothing is read while it is paused: the far end has to wait.
  func pauseReading(_ paused: Bool)
}
