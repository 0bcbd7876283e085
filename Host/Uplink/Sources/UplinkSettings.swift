// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The `uplink` part of the configuration (interfaces 1), with secrets and paths resolved.
package struct UplinkSettings: Sendable, Equatable {
  /// What removes a message from the buffer (interfaces 3.6).
  package enum Acknowledgement: String, Sendable, Codable, CaseIterable {
    case broker, application
  }

  /// PEM files. The broker's certificate and host name are always verified.
  package struct TLS: Sendable, Equatable {
    /// Nil = the certificate authorities of the system.
    package var ca: String?
    package var certificate: String?
    package var key: String?

    package init(ca: String? = nil, certificate: String? = nil, key: String? = nil) {
      self.ca = ca
      self.certificate = certificate
      self.key = key
    }
  }

  /// A name or an address, IPv6 without brackets.
  package var host: String
  package var port: Int
  /// Nil = `mqtt`, plain.
  package var tls: TLS?
  package var username: String?
  package var password: String?
  /// Put before every topic as it is: "site1/" gives "site1/devices/…".
  package var prefix: String
  /// `host.id`
  package var gateway: String
  package var path: HostPath
  package var clientID: String
  /// Seconds, 5 to 65535.
  package var keepalive: Int
  package var acknowledgement: Acknowledgement
  /// What commands from the uplink may do.
  package var role: Role
  /// Whoever manages the host is asked about tags.
  package var authorizes = false
  /// 0 = no limit.
  package var bytesPerSecond: Int
  /// 0 = no limit. Counted by UTC days.
  package var bytesPerDay: Int
  /// The pause after the first failed attempt, and the longest one; jitter only shortens them.
  package var firstPause: Duration
  package var longestPause: Duration

  package init(
    host: String, port: Int, tls: TLS? = nil, username: String? = nil, password: String? = nil, prefix: String = "",
    gateway: String, path: HostPath = .gateway, clientID: String? = nil, keepalive: Int = 30,
    acknowledgement: Acknowledgement = .broker, role: Role = .operator_, bytesPerSecond: Int = 0, bytesPerDay: Int = 0,
    firstPause: Duration = .seconds(1), longestPause: Duration = .seconds(60)
  ) {
    self.host = host
    self.port = port
    self.tls = tls
    self.username = username
    self.password = password
    self.prefix = prefix
    self.gateway = gateway
    self.path = path
    self.clientID = clientID ?? "busbar-\(gateway)"
    self.keepalive = keepalive
    self.acknowledgement = acknowledgement
    self.role = role
    self.bytesPerSecond = bytesPerSecond
    self.bytesPerDay = bytesPerDay
    self.firstPause = firstPause
    self.longestPause = longestPause
  }
}

/// How devices reach the receiver (`path` in payloads): over a gateway at their place, or straight to a server.
package enum HostPath: String, Sendable, Codable {
  case direct, gateway

  /// By `host.role`: `gateway` or `server`.
  package init(role: String) { self = role == "server" ? .direct : .gateway }
}

/// The password stays out of logs and dumps.
extension UplinkSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    "\(tls == nil ? "mqtt" : "mqtts")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["url": description, "clientID": clientID]) }
}
