// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// What devices may connect to.
extension ConfigurationReader {
  private static let keys = ["listen", "tls", "authority", "login", "accept", "accept_limit", "subprotocols", "message", "silence"]

  func listeners(_ map: MapReader) -> [String: Configuration.Listener] {
    var listeners: [String: Configuration.Listener] = [:]
    var ports: [String: String] = [:]
    for entry in map.entries("listeners", expected: "a map of names, each with listen and tls") {
      guard let section = MapReader(entry.member.value, key: entry.key, known: Self.keys, sink: sink) else { continue }
      name(entry.member, key: entry.key)
      let expected = "ADDRESS:PORT, such as 0.0.0.0:8443"
      if section.value("listen") == nil { section.missing("listen", expected: expected) }
      let address = section.parse("listen", expected: expected) { text throws(ValueError) in try ListenAddress(text) }
      var listener = Configuration.Listener(listen: address ?? Self.nowhere)
      tls(section, &listener)
      authority(section, &listener)
      listener.accept = section.choice("accept") ?? listener.accept
      listener.acceptLimit =
        section.integer("accept_limit", in: 1...16_384, expected: "a number of devices from 1 to 16384").map(Int.init) ?? listener.acceptLimit
      listener.subprotocols = section.texts("subprotocols", expected: "names such as ocpp2.0.1", where: Self.isToken) ?? []
      listener.message =
        section.read("message", expected: "a size from 4KiB to 1MiB, such as 64KiB") { node in
          node.text.flatMap(Units.size).flatMap { (4 << 10...1 << 20).contains($0) ? $0 : nil }
        } ?? listener.message
      listener.silence = section.duration("silence", in: .seconds(5) ... .seconds(3600)) ?? listener.silence
      login(section, &listener)
      guard let address else { continue }
      if let other = ports.updateValue(entry.member.key, forKey: address.description), let node = section.value("listen") {
        sink.error(node.place, section.path("listen"), "the listener \(other) has the same address", expected: "a port for each")
      }
      listeners[entry.member.key] = listener
    }
    return listeners
  }

  func authorization(_ map: MapReader) -> Configuration.Authorization {
    var authorization = Configuration.Authorization()
    guard let section = part(map, "authorization", ["source", "offline", "cache", "timeout"]) else { return authorization }
    authorization.source = section.choice("source") ?? authorization.source
    authorization.offline = section.choice("offline") ?? authorization.offline
    authorization.cache = section.duration("cache", in: .seconds(1) ... .seconds(365 * 86_400)) ?? authorization.cache
    authorization.timeout = section.duration("timeout", in: .milliseconds(100) ... .seconds(10)) ?? authorization.timeout
    if authorization.source != .local, map.part("uplink") == nil {
      sink.error(
        section.value("source")?.place ?? section.node.place, section.path("source"), "there is no uplink to ask",
        expected: "local, or the section uplink")
    }
    return authorization
  }

  private static let nowhere = ListenAddress(host: "127.0.0.1", port: 0)

  /// `host`, `off`, or the files of another certificate.
  private func tls(_ section: MapReader, _ listener: inout Configuration.Listener) {
    guard let node = section.part("tls") else { return }
    guard node.members != nil else {
      let word: Configuration.ServerTLS? = section.choice("tls")
      listener.tls = word == .auto ? .host : word ?? .host
      return
    }
    listener.tls = .host
    guard let map = part(section, "tls", ["certificate", "key", "clients", "second"]) else { return }
    let (certificate, key) = pair(map)
    if let second = part(map, "second", ["certificate", "key"]) { listener.second = files(second) }
    if let certificate, let key { (listener.certificate, listener.key) = (certificate, key) }
    listener.clients = map.text("clients", expected: "the path of a PEM file").map(path)
    if let clients = listener.clients, let place = map.value("clients")?.place {
      exists(clients, place: place, key: map.path("clients"), secret: false)
    }
  }

  private func pair(_ map: MapReader) -> (certificate: Configuration.Credential?, key: Configuration.Credential?) {
    for (one, other) in [("certificate", "key"), ("key", "certificate")]
    where map.value(one) != nil && map.value(other) == nil {
      map.missing(other, expected: "certificate and key together")
    }
    return (credential(map, "certificate"), credential(map, "key"))
  }

  private func files(_ map: MapReader) -> Configuration.KeyPair? {
    guard case (.file(let certificate)?, .file(let key)?) = pair(map) else {
      sink.error(map.node.place, map.path("certificate"), "found no two files", expected: "the paths of a certificate and its key")
      return nil
    }
    return Configuration.KeyPair(certificate: certificate, key: key)
  }

  /// `host`, or the files of an authority made elsewhere.
  private func authority(_ section: MapReader, _ listener: inout Configuration.Listener) {
    guard let node = section.part("authority") else { return }
    if node.members != nil {
      listener.authority = part(section, "authority", ["certificate", "key"]).flatMap { files($0) }.map { .files($0) }
    } else if node.text == "host" {
      listener.authority = .host
    } else {
      sink.error(
        node.place, section.path("authority"), "found \(node.found)",
        expected: "host, or { certificate: FILE, key: FILE } of an authority")
    }
    if listener.authority != nil, listener.tls == .off {
      sink.error(
        node.place, section.path("authority"), "the listener looks at no certificates: it has no TLS", expected: "tls: host, or no authority")
    }
  }

  private func login(_ section: MapReader, _ listener: inout Configuration.Listener) {
    listener.login = section.choice("login") ?? listener.login
    let place = section.value("login")?.place ?? section.node.place
    switch listener.login {
    case .certificate:
      if listener.clients == nil, listener.authority == nil {
        sink.error(
          place, section.path("login"), "nothing says whose certificates devices have to show",
          expected: "tls: { clients: FILE } with the certificates of their authorities, or authority: host")
      }
    case .password where listener.tls == .off && !listener.listen.isLoopback:
      sink.warning(
        place, section.path("login"), "passwords cross the network in the clear: there is no TLS",
        expected: "tls: host, or a network that nobody else is on")
    case .none where !listener.listen.isLoopback:
      sink.warning(
        place, section.path("login"), "everybody who reaches \(listener.listen) can say that it is one of the devices",
        expected: "login: password, or a network that nobody else is on")
    case .none, .password: break
    }
  }

  /// RFC 6455 section 4.1: a token of RFC 2616.
  private static func isToken(_ text: String) -> Bool {
    text.utf8.count <= 64 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
  }
}
