// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// `busbar.yaml` with all defaults filled in and everything checked (interfaces 1).
package struct Configuration: Sendable, Equatable {
  package enum HostRole: String, Sendable, Codable, CaseIterable { case gateway, server }
  package enum Isolation: String, Sendable, Codable, CaseIterable { case auto, host, child }
  /// The names of swift-log, without the finest.
  package enum LogLevel: String, Sendable, Codable, CaseIterable { case debug, info, notice, warning, error }
  package enum Acknowledge: String, Sendable, Codable, CaseIterable {
    /// The broker's PUBACK; the receiver's own message (interfaces 3.6).
    case broker, application
  }
  /// How a server of the host shows who it is.
  package enum ServerTLS: String, Sendable, Codable, CaseIterable { case auto, host, off }

  package struct Site: Sendable, Equatable {
    package var name: String?
    /// Latitude and longitude in degrees, `53.55,9.99`.
    package var location: String?
  }

  package struct Host: Sendable, Equatable {
    /// `[A-Za-z0-9_-]{1,64}`.
    package var id = ""
    package var role = HostRole.gateway
    package var site: Site?
    /// The directory of the database and keys.
    package var state = "/var/lib/busbar"

    package init() {}
  }

  package struct Plugins: Sendable, Equatable {
    package var directories = Installation.directories(
      "lib/busbar/plugins", standard: ["/usr/lib/busbar/plugins", "/usr/local/lib/busbar/plugins"])

    package init() {}
    /// `auto` means `child`.
    package var isolation = Isolation.auto
    /// By plugin id.
    package var overrides: [String: Isolation] = [:]
    /// Bytes of memory that a plugin's child may have of its own.
    package var memory: Int64 = 192 << 20
    /// A child runs also where the system has no Landlock.
    package var allowWeakSandbox = false
    package var requireSignature = false
    /// Raw Ed25519 public keys, 32 bytes each.
    package var trustedKeys: [[UInt8]] = []
    /// By plugin id.
    package var pins: [String: Pin] = [:]

    package enum Pin: Sendable, Equatable {
      /// The file that the host has accepted.
      case known
      /// SHA-256, hex.
      case hash(String)
    }
  }

  /// A file, or the host's own identity.
  package enum Credential: Sendable, Equatable {
    case host
    case file(String)
  }

  package struct TLS: Sendable, Equatable {
    /// PEM; nil = the system's certificate authorities.
    package var ca: String?
    /// Both or neither.
    package var certificate: Credential?
    package var key: Credential?
  }

  /// TLS with a device: how it is known, and who the host is to it.
  package struct DeviceTLS: Sendable, Equatable {
    /// PEM; nil = the system's certificate authorities.
    package var ca: String?
    /// Both or neither.
    package var certificate: Credential?
    package var key: Credential?
    /// What the device's certificate names, where that is not the address.
    package var name: String?
    /// SHA-256 of the device's certificate, instead of `ca` and `name`.
    package var fingerprint: [UInt8]?

    package init() {}
  }

  /// Limits of what is sent; 0 = none.
  package struct Rate: Sendable, Equatable {
    package var bytesPerSecond: Int64 = 0
    package var bytesPerDay: Int64 = 0
  }

  package struct Uplink: Sendable, Equatable {
    package var url: BrokerAddress
    package var username: String?
    package var password: Secret?
    package var tls = TLS()
    /// Put before every topic as it is.
    package var prefix = ""
    package var acknowledge = Acknowledge.broker
    /// What commands from the uplink may do.
    package var role = Role.operator_
    package var rate = Rate()
  }

  package struct Buffer: Sendable, Equatable {
    /// Bytes on disk.
    package var size: Int64 = 1 << 30
    package var age = Duration.seconds(30 * 86400)
    /// Longest time that a live reading may be only in memory.
    package var commit = Duration.seconds(1)
  }

  /// The last days of each point for people, a minute a row.
  package struct History: Sendable, Equatable {
    /// Bytes on disk; 0 = none is kept.
    package var size: Int64 = 64 << 20
    /// 0 = none is kept.
    package var age = Duration.seconds(7 * 86400)
    /// Longest time that a finished minute may be only in memory.
    package var commit = Duration.seconds(300)
  }

  package struct Log: Sendable, Equatable {
    /// The least severity that is logged.
    package var level = LogLevel.info
  }

  package struct Discovery: Sendable, Equatable {
    package var scan: [Subnet] = []
    /// Nil = only on request.
    package var interval: Duration?
  }

  /// Prometheus text on a port, over plain HTTP and without a login.
  package struct Metrics: Sendable, Equatable {
    package var listen: ListenAddress?
    /// With the values of points.
    package var points = false
  }

  package struct Management: Sendable, Equatable {
    /// Beside the Unix socket; nil = nothing beside it.
    package var listen: ListenAddress?
    package var tls = ServerTLS.auto
    package var metrics = Metrics()
  }

  /// What a device has to show that connects by itself: nothing, a password, a certificate (OCPP security profiles 0, 1 and
  /// 2, 3).
  package enum Login: String, Sendable, Codable, CaseIterable { case none, password, certificate }

  /// What becomes of a device that connects and is not known: it waits for approval, or goes into service.
  package enum Strangers: String, Sendable, Codable, CaseIterable { case approved, any }

  /// Signs certificates of devices: the host's own authority, or one whose files lie here.
  package enum Authority: Sendable, Equatable {
    case host
    case files(KeyPair)
  }

  /// Paths of PEM files.
  package struct KeyPair: Sendable, Equatable {
    package var certificate: String
    package var key: String
  }

  package struct Listener: Sendable, Equatable {
    package var listen: ListenAddress
    package var tls = ServerTLS.off
    /// What the listener shows, where `tls` is not off.
    package var certificate = Credential.host
    package var key = Credential.host
    /// PEM; authorities of the certificates that devices show.
    package var clients: String?
    /// A second certificate and its key, of the other kind (RSA beside elliptic curves).
    package var second: KeyPair?
    /// Who signs the certificates that devices ask for; nil: somebody elsewhere.
    package var authority: Authority?
    package var login = Login.password
    package var accept = Strangers.approved
    /// Where `accept` is `any`: how many devices the registry may have at this listener before further ones wait as candidates.
    package var acceptLimit = 1000
    /// What it speaks, the preferred one first; empty = what the adapters of the plugins speak.
    package var subprotocols: [String] = []
    /// Bytes of one message.
    package var message: Int64 = 64 << 10
    /// A device that says nothing is asked whether it is there; after twice this time without a word its connection ends.
    package var silence = Duration.seconds(60)

    package init(listen: ListenAddress, tls: ServerTLS = .off) {
      self.listen = listen
      self.tls = tls
    }
  }

  /// Who decides about tags at chargers: the local list, whoever manages the host, the list and then those.
  package enum TagSource: String, Sendable, Codable, CaseIterable { case local, uplink, both }

  /// What holds for a tag while nobody can be asked: what the list or an earlier answer says, everybody, nobody.
  package enum TagsOffline: String, Sendable, Codable, CaseIterable { case known, accept, refuse }

  package struct Authorization: Sendable, Equatable {
    package var source = TagSource.local
    package var offline = TagsOffline.known
    /// How long an answer counts.
    package var cache = Duration.seconds(86_400)
    /// How long an answer may take.
    package var timeout = Duration.seconds(5)
  }

  package struct Broker: Sendable, Equatable {
    package var url: BrokerAddress
    package var username: String?
    package var password: Secret?
    package var tls = TLS()
  }

  /// The file it was read from.
  package var file: String
  package var host = Host()
  package var plugins = Plugins()
  package var templateDirectories = Self.defaultTemplateDirectories
  package var uplink: Uplink?
  package var buffer = Buffer()
  package var history = History()
  package var log = Log()
  package var discovery = Discovery()
  package var management = Management()
  package var listeners: [String: Listener] = [:]
  package var authorization = Authorization()
  package var brokers: [String: Broker] = [:]
  /// Every connection that a device needs, and those of the section `links`; in order of the id.
  package var links: [ResolvedLink] = []
  package var templates = TemplateLibrary()

  init(file: String) { self.file = file }

  package static let defaultTemplateDirectories =
    Installation.directories(
      "share/busbar/templates", standard: ["/usr/share/busbar/templates", "/etc/busbar/templates"])

  /// In the order of the links, then of the file.
  package var devices: [Device] { links.flatMap(\.devices) }
}

/// One connection and the devices on it.
package struct ResolvedLink: Sendable, Equatable {
  /// Given in the section `links`, else made of adapter and endpoint: `modbus-192.168.1.20-502`.
  package var id: String
  package var adapter: String
  package var endpoint: Endpoint
  /// For endpoints with TLS.
  package var tls = Configuration.DeviceTLS()
  /// With what priority its adapter may ask for values of devices; nil = not at all.
  package var control: Priority?
  /// Checked by the adapter's schema, with its defaults, where the adapter is known; else as written.
  package var config: JSONValue
  package var devices: [Device]
  package var place: Place

  /// Equal settings; devices are compared on their own, places not at all.
  package func sameSettings(as other: ResolvedLink) -> Bool {
    id == other.id && adapter == other.adapter && endpoint == other.endpoint && tls == other.tls && control == other.control && config == other.config
  }
}

/// One device with its template's defaults filled in.
package struct Device: Sendable, Equatable {
  /// The same at every start: the id, or a text made of link, template and config, under which the id is bound at first contact.
  package var key: String
  /// Nil = made of the serial number at first contact.
  package var id: DeviceID?
  package var name: String
  package var adapter: String
  package var template: String?
  /// The id of its link.
  package var link: String
  /// Checked by the adapter's schema, with the template's and the schema's defaults; else as written.
  package var config: JSONValue
  package var poll: Poll
  /// Commands are allowed.
  package var write: Bool
  package var place: Place

  /// Equal in everything but the place.
  package func sameSettings(as other: Device) -> Bool {
    var moved = other
    moved.place = place
    return self == moved
  }
}
