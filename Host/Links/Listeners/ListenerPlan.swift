// SPDX-License-Identifier: Apache-2.0

package import BusbarTransports

/// A listener as it was configured.
package struct ListenerPlan: Sendable, Equatable {
  /// What the far end has to show at least. OCPP 1.6 security whitepaper section 3, OCPP 2.0.1 part 2 section A: profiles 0;
  /// 1 and 2; 3.
  package enum Login: Int, Sendable, Comparable {
    case none, password, certificate

    package static func < (one: Login, other: Login) -> Bool { one.rawValue < other.rawValue }
  }

  /// PEM files.
  package struct TLS: Sendable, Equatable {
    package var certificate: String
    package var key: String
    /// A second certificate and its key, of the other kind.
    package var second: ServerTLSSettings.Files?
    /// Authorities of certificates that far ends show.
    package var clients: [String]

    package init(certificate: String, key: String, second: ServerTLSSettings.Files? = nil, clients: [String]) {
      self.certificate = certificate
      self.key = key
      self.second = second
      self.clients = clients
    }

    func settings() throws(TransportError) -> ServerTLSSettings {
      try ServerTLSSettings(certificate: certificate, key: key, second: second, clients: clients)
    }
  }

  package var name: String
  package var host: String
  package var port: Int
  package var tls: TLS?
  package var login: Login
  /// The preferred one first; empty = what the link's adapter speaks.
  package var subprotocols: [String]
  package var limits: WebSocketLimits

  package init(
    name: String, host: String, port: Int, tls: TLS?, login: Login, subprotocols: [String], limits: WebSocketLimits
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.tls = tls
    self.login = login
    self.subprotocols = subprotocols
    self.limits = limits
  }
}

/// How a listener is.
package struct ListenerState: Sendable, Equatable {
  package var name: String
  /// As configured, with the port in use: `0.0.0.0:8443`.
  package var address: String
  /// Why nobody can connect; nil where it listens.
  package var problem: String?

  /// The same as a sentence with its name in it.
  package var complaint: String? { problem.map { "the listener \(name): \($0)" } }
}

/// What a far end has to say of itself, and whether it is to be believed.
package enum LoginVerdict: Sendable, Equatable {
  case right
  /// How many in a row.
  case wrong(Int)
  /// Not looked at, after so many wrong ones.
  case tooMany
  /// There is no password to compare with.
  case unset
}

/// A far end that no link is for.
package struct Stranger: Sendable, Equatable {
  package var listener: String
  package var identity: String
  package var address: String
  /// What it speaks, in its order.
  package var subprotocols: [String]
  /// A password that it shows; nil = none.
  package var password: [UInt8]?
  /// Of a trusted authority.
  package var hasCertificate: Bool
}

/// Keeps passwords and meets strangers, for the listeners. Called from any thread.
package protocol DoorKeeper: Sendable {
  /// The least that this one far end has to show, beside what its listener asks for.
  func requirement(_ listener: String, _ identity: String) async -> (login: ListenerPlan.Login, tls: Bool)
  /// `host` is where the far end comes from.
  func judge(_ password: [UInt8], _ listener: String, _ identity: String, host: String) async -> LoginVerdict
  /// True where it is in service now, so that it is looked for once more.
  func met(_ stranger: Stranger) async -> Bool
}
