// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The sections of `busbar.yaml` that stand for themselves; links and devices are read by `DeviceReader`.
struct ConfigurationReader {
  static let sections = [
    "host", "plugins", "templates", "uplink", "buffer", "history", "log", "discovery", "management", "listeners", "authorization", "brokers",
    "links", "devices",
  ]

  let file: String
  let environment: HostEnvironment
  let sink: DiagnosticSink

  func read(_ root: YAMLNode) -> Configuration? {
    guard let map = MapReader(root, key: "", known: Self.sections, sink: sink) else { return nil }
    var configuration = Configuration(file: file)
    configuration.host = host(map)
    configuration.plugins = plugins(map)
    configuration.templateDirectories = templates(map)
    configuration.uplink = uplink(map)
    configuration.buffer = buffer(map)
    configuration.history = history(map)
    configuration.log.level = part(map, "log", ["level"])?.choice("level") ?? configuration.log.level
    configuration.discovery = discovery(map)
    configuration.management = management(map)
    configuration.listeners = listeners(map)
    configuration.authorization = authorization(map)
    configuration.brokers = brokers(map)
    return configuration
  }

  /// A path of the file, below the file's folder where it is not absolute.
  func path(_ text: String) -> String { FileReader.path(text, below: FileReader.folder(of: file)) }

  func part(_ map: MapReader, _ name: String, _ known: [String]) -> MapReader? {
    map.part(name).flatMap { MapReader($0, key: map.path(name), known: known, sink: sink) }
  }

  private func host(_ map: MapReader) -> Configuration.Host {
    var host = Configuration.Host()
    let section = part(map, "host", ["id", "role", "site", "state"])
    if let section, section.value("id") != nil {
      host.id = section.text("id", expected: "[A-Za-z0-9_-], 1 to 64 characters", where: Name.isValid) ?? ""
    } else if let id = environment.gatewayID {
      host.id = id
    } else {
      sink.error(
        section?.node.place ?? map.node.place, "host.id", "this machine has no machine id and no name to make an id of",
        expected: "an id, [A-Za-z0-9_-], 1 to 64 characters")
    }
    guard let section else { return host }
    host.role = section.choice("role") ?? host.role
    host.state = section.text("state", expected: "a directory").map(path) ?? host.state
    if let site = part(section, "site", ["name", "location"]) {
      host.site = Configuration.Site(
        name: site.text("name", expected: "a text of at most 128 bytes", limit: 128),
        location: site.text(
          "location", expected: "latitude and longitude in degrees, such as \"53.55,9.99\"", where: Self.isLocation))
    }
    return host
  }

  private static func isLocation(_ text: String) -> Bool {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      Double(part.drop { $0 == " " }).flatMap { $0.isFinite ? $0 : nil }
    }
    guard numbers.count == 2, let latitude = numbers[0], let longitude = numbers[1] else { return false }
    return abs(latitude) <= 90 && abs(longitude) <= 180
  }

  private func plugins(_ map: MapReader) -> Configuration.Plugins {
    var plugins = Configuration.Plugins()
    guard
      let section = part(
        map, "plugins",
        ["directories", "isolation", "overrides", "memory", "allow_weak_sandbox", "require_signature", "trusted_keys", "pin"])
    else { return plugins }
    plugins.directories = section.texts("directories", expected: "directories")?.map(path) ?? plugins.directories
    if let isolation: Configuration.Isolation = section.choice("isolation") {
      plugins.isolation = isolation
    }
    if let overrides = section.part("overrides").flatMap({
      MapReader($0, key: section.path("overrides"), known: nil, sink: sink)
    }) {
      for member in overrides.node.members ?? [] {
        guard let isolation: Configuration.Isolation = overrides.choice(member.key) else { continue }
        plugins.overrides[member.key] = isolation
      }
    }
    plugins.memory =
      section.read("memory", expected: "a size from 32MiB to 16GiB, such as 192MiB") { node in
        node.text.flatMap(Units.size).flatMap { (32 << 20...16 << 30).contains($0) ? $0 : nil }
      } ?? plugins.memory
    plugins.allowWeakSandbox = section.boolean("allow_weak_sandbox") ?? false
    trust(section, &plugins)
    return plugins
  }

  private func trust(_ section: MapReader, _ plugins: inout Configuration.Plugins) {
    plugins.requireSignature = section.boolean("require_signature") ?? false
    let keys = section.list("trusted_keys", expected: "a list of keys", limit: 64)
    for item in keys {
      guard let text = item.node.text else {
        sink.error(item.node.place, item.key, "found \(item.node.found)", expected: TrustedKey.expected)
        continue
      }
      do throws(ValueError) {
        plugins.trustedKeys.append(try TrustedKey.read(text, below: FileReader.folder(of: file)))
      } catch {
        sink.error(item.node.place, item.key, error.message, expected: error.expectation)
      }
    }
    if plugins.requireSignature, keys.isEmpty, let node = section.value("require_signature") {
      sink.error(
        node.place, section.path("require_signature"), "no key is trusted, so no plugin could be loaded",
        expected: "a key in plugins.trusted_keys, or false")
    }
    for entry in section.entries("pin", expected: "a map of plugin ids, each with true or a SHA-256") {
      switch entry.member.value.content {
      case .boolean(true): plugins.pins[entry.member.key] = .known
      case .boolean(false): continue
      case .text(let text) where text.utf8.count == 64 && text.utf8.allSatisfy(Self.isHex):
        plugins.pins[entry.member.key] = .hash(text.lowercased())
      default:
        sink.error(
          entry.member.value.place, entry.key, "found \(entry.member.value.found)",
          expected: "true, or the SHA-256 of the plugin as 64 hex digits in quotes (busbar plugin inspect shows it)")
      }
    }
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
  }

  private func templates(_ map: MapReader) -> [String] {
    guard let section = part(map, "templates", ["directories"]) else { return Configuration.defaultTemplateDirectories }
    let written = section.list("directories", expected: "a list of directories")
    for item in written {
      guard let text = item.node.text, !FileReader.isDirectory(path(text)) else { continue }
      guard !Configuration.defaultTemplateDirectories.contains(text) else { continue }
      sink.warning(
        item.node.place, item.key, "there is no directory \(YAMLNode.short(text, limit: 1024))",
        expected: "a directory with templates")
    }
    let directories = section.texts("directories", expected: "directories")?.map(path)
    return directories ?? Configuration.defaultTemplateDirectories
  }

  private func buffer(_ map: MapReader) -> Configuration.Buffer {
    var buffer = Configuration.Buffer()
    guard let section = part(map, "buffer", ["size", "age", "commit"]) else { return buffer }
    let expected = "a size from 1MiB to 1024GiB, such as 64MiB or 2GiB"
    buffer.size =
      section.read("size", expected: expected) { node in
        node.text.flatMap(Units.size).flatMap { (1 << 20...1 << 40).contains($0) ? $0 : nil }
      } ?? buffer.size
    buffer.age = section.duration("age", in: .seconds(60) ... .seconds(3650 * 86400)) ?? buffer.age
    buffer.commit = section.duration("commit", in: .milliseconds(10) ... .seconds(600)) ?? buffer.commit
    return buffer
  }

  private func history(_ map: MapReader) -> Configuration.History {
    var history = Configuration.History()
    guard let section = part(map, "history", ["size", "age", "commit"]) else { return history }
    history.size =
      section.read("size", expected: "0 for no history, or a size from 4MiB to 64GiB, such as 64MiB") { node in
        if node.json == 0 { return 0 }
        return node.text.flatMap(Units.size).flatMap { (4 << 20...64 << 30).contains($0) ? $0 : nil }
      } ?? history.size
    let range: ClosedRange<Duration> = .seconds(3600) ... .seconds(3660 * 86400)
    history.age =
      section.read("age", expected: "0 for no history, or \(MapReader.expected(range))") { node in
        node.json == 0 ? .zero : MapReader.duration(node, in: range)
      } ?? history.age
    history.commit = section.duration("commit", in: .seconds(5) ... .seconds(3600)) ?? history.commit
    return history
  }

  private func discovery(_ map: MapReader) -> Configuration.Discovery {
    var discovery = Configuration.Discovery()
    guard let section = part(map, "discovery", ["scan", "interval"]) else { return discovery }
    for item in section.list("scan", expected: "a list of ranges such as 192.168.1.0/24", limit: 64) {
      do {
        discovery.scan.append(try Subnet(item.node.text ?? ""))
      } catch {
        let message = item.node.text == nil ? "found \(item.node.found)" : error.message
        sink.error(item.node.place, item.key, message, expected: error.expectation)
      }
    }
    let range: ClosedRange<Duration> = .seconds(60) ... .seconds(30 * 86400)
    let interval = section.read("interval", expected: "0 for scans on request only, or \(MapReader.expected(range))") {
      node in
      node.json == 0 ? .zero : MapReader.duration(node, in: range)
    }
    discovery.interval = interval == .zero ? nil : interval
    return discovery
  }

  private func management(_ map: MapReader) -> Configuration.Management {
    var management = Configuration.Management()
    guard let section = part(map, "management", ["listen", "tls", "metrics"]) else { return management }
    management.listen = section.parse("listen", expected: "ADDRESS:PORT, such as 127.0.0.1:8480") {
      text throws(ValueError) in
      try ListenAddress(text)
    }
    management.tls = section.choice("tls") ?? management.tls
    management.metrics = metrics(section)
    return management
  }

  private func metrics(_ management: MapReader) -> Configuration.Metrics {
    var metrics = Configuration.Metrics()
    guard let section = part(management, "metrics", ["listen", "points"]) else { return metrics }
    metrics.listen = section.parse("listen", expected: "ADDRESS:PORT, such as 127.0.0.1:9464") {
      text throws(ValueError) in
      try ListenAddress(text)
    }
    metrics.points = section.boolean("points") ?? metrics.points
    if let listen = metrics.listen, !listen.isLoopback, let node = section.value("listen") {
      sink.warning(
        node.place, section.path("listen"), "everybody who reaches \(listen) can read the metrics: there is no login and no TLS",
        expected: "an address of this machine alone, such as 127.0.0.1:\(listen.port), or a firewall before it")
    }
    return metrics
  }

  func name(_ member: YAMLMember, key: String) {
    if !Name.isValid(member.key) {
      sink.error(member.place, key, "this is no name", expected: "[A-Za-z0-9_-], 1 to 64 characters")
    }
  }
}
