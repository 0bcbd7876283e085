// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The manifest in the ELF section `.busbar.manifest` (contract, section 5).
package struct PluginManifest: Sendable, Equatable {
  package struct Adapter: Sendable, Equatable {
    package var id: String
    package var title: String
    /// Endpoint name to the schemes that it may have: `["device": ["tcp", "serial"]]`.
    package var endpoints: [String: [String]]
    /// The usual port by scheme: `["tcp": 502, "tls": 802]`.
    package var ports: [String: Int]
    /// JSON schemas: a device's settings, a link's settings, a template's body and its probe.
    package var deviceSchema: JSONValue?
    package var linkSchema: JSONValue?
    package var templateSchema: JSONValue?
    package var probeSchema: JSONValue?
    /// Schemes of endpoints behind which it can search.
    package var searches: [String]
    /// What it speaks with devices that connect to a listener, the preferred one first (RFC 6455, Sec-WebSocket-Protocol).
    package var subprotocols: [String] = []
    /// What kinds of device it is for.
    package var kinds: [DeviceKind] = []

    /// Its devices connect by themselves, to a listener of the host.
    package var isVisited: Bool { !endpoints.isEmpty && endpoints.values.allSatisfy { $0 == [Self.visited] } }

    private static let visited = "listener"
  }

  package struct Failure: Error, Sendable, Equatable {
    package var message: String
  }

  package var id: String
  package var version: String
  package var major: Int64
  package var minor: Int64
  package var requires: [String]
  package var permissions: [String]
  package var adapters: [Adapter]

  package init(_ text: [UInt8]) throws(Failure) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: Array(text.prefix { $0 != 0 }), depth: 64)
    } catch {
      throw Failure(message: "its manifest cannot be read: \(error)")
    }
    guard let id = json["id"]?.string, Self.isName(id) else {
      throw Failure(message: "its manifest has no usable \"id\" (like org.example.line)")
    }
    guard let version = json["version"]?.string, !version.isEmpty, version.utf8.count <= 64 else {
      throw Failure(message: "its manifest has no \"version\"")
    }
    guard let major = json["abi"]?["major"]?.integer, let minor = json["abi"]?["minor"]?.integer else {
      throw Failure(message: "its manifest has no \"abi\": {\"major\", \"minor\"}")
    }
    guard let adapters = json["adapters"]?.array, (1...64).contains(adapters.count) else {
      throw Failure(message: "its manifest lists no adapters")
    }
    self.id = id
    self.version = version
    self.major = major
    self.minor = minor
    requires = (json["requires"]?.array ?? []).compactMap(\.string)
    permissions = (json["permissions"]?.array ?? []).compactMap(\.string)
    self.adapters = []
    for adapter in adapters { self.adapters.append(try Adapter(adapter)) }
    guard Set(self.adapters.map(\.id)).count == self.adapters.count else {
      throw Failure(message: "its manifest names an adapter twice")
    }
  }

  /// In a child: what the code has to say of itself.
  init(id: String, version: String, adapters: [String]) {
    self.id = id
    self.version = version
    major = HostABI.major
    minor = HostABI.minor
    requires = []
    permissions = []
    self.adapters = adapters.map { Adapter(id: $0, title: $0, endpoints: [:], ports: [:], searches: []) }
  }

  fileprivate static func isName(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}

extension PluginManifest.Adapter {
  fileprivate init(_ json: JSONValue) throws(PluginManifest.Failure) {
    guard let id = json["id"]?.string, PluginManifest.isName(id) else {
      throw PluginManifest.Failure(message: "an adapter of its manifest has no usable \"id\"")
    }
    self.id = id
    title = json["title"]?.string ?? id
    endpoints = (json["endpoints"]?.object ?? [:]).mapValues { ($0.array ?? []).compactMap(\.string) }
    ports = (json["ports"]?.object ?? [:]).compactMapValues { $0.integer.flatMap { (1...65_535).contains($0) ? Int($0) : nil } }
    deviceSchema = json["config"]
    linkSchema = json["link"]
    templateSchema = json["template"]
    probeSchema = json["probe"]
    searches = (json["discovery"]?["scan"]?.array ?? []).compactMap(\.string)
    kinds = (json["kinds"]?.array ?? []).compactMap { $0.string.flatMap(DeviceKind.init(rawValue:)) }
    subprotocols = (json["subprotocols"]?.array ?? []).compactMap(\.string).filter { (1...64).contains($0.utf8.count) }
  }
}
