// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Brings devices and links together: devices of one adapter at one endpoint share a connection, since many devices serve
/// one client only.
struct LinkResolver {
  let manifests: [AdapterManifest]
  private var sink: DiagnosticSink

  private struct Connection: Hashable {
    var adapter: String
    var endpoint: Endpoint
  }

  private var links: [String: ResolvedLink] = [:]
  private var byEndpoint: [Connection: String] = [:]
  /// Who uses a serial device, by its path, and what connects by itself, by its endpoint.
  private var lines: [String: (adapter: String, place: Place)] = [:]

  init(manifests: [AdapterManifest], sink: DiagnosticSink) {
    self.manifests = manifests
    self.sink = sink
  }

  mutating func add(_ written: [DeviceReader.Link], _ drafts: [DeviceReader.Draft]) {
    for link in written {
      add(link, port: drafts.first { $0.link == link.id && $0.template?.defaults.port != nil }?.template?.defaults.port)
    }
    for draft in drafts { add(draft) }
  }

  /// In order of the id.
  var resolved: [ResolvedLink] { links.values.sorted { $0.id < $1.id } }

  /// A device of the registry, beside what is there already. Where anything is wrong with it nothing is added; what that
  /// is comes back as warnings.
  mutating func add(_ entry: JSONValue, place: Place, _ reader: DeviceReader) -> [Diagnostic] {
    let before = self
    let own = DiagnosticSink()
    let devices = YAMLMember(
      key: "devices", place: place, value: YAMLNode(.sequence([YAMLNode(json: entry, place: place)]), place: place))
    if let root = MapReader(YAMLNode(.mapping([devices]), place: place), key: "", known: nil, sink: own) {
      let drafts = reader.listening(own).devices(root, links: [:], linkIDs: [])
      sink = own
      for draft in drafts { add(draft) }
    }
    if own.hasErrors { self = before }
    sink = before.sink
    return own.sorted.map { found in
      var found = found
      found.severity = .warning
      found.message = own.hasErrors ? "the device is left out: \(found.message)" : found.message
      return found
    }
  }

  private mutating func add(_ link: DeviceReader.Link, port: Int?) {
    let endpoint = filled(link.endpoint, link.adapter, port)
    let config = config(of: link.map, schema: manifest(link.adapter)?.linkSchema, under: nil)
    links[link.id] = ResolvedLink(
      id: link.id, adapter: link.adapter, endpoint: endpoint, tls: link.tls ?? Configuration.DeviceTLS(), control: link.control, config: config,
      devices: [], place: link.place)
    let place = Connection(adapter: link.adapter, endpoint: endpoint)
    if let other = byEndpoint[place] {
      sink.error(
        link.map.value("endpoint")?.place ?? link.place, link.map.path("endpoint"),
        "the link \(other) has the same endpoint",
        expected: "one link for one connection")
    } else if isFree(endpoint, for: link.adapter, map: link.map) {
      byEndpoint[place] = link.id
    }
  }

  private mutating func add(_ draft: DeviceReader.Draft) {
    guard let id = draft.link ?? implicit(draft) else { return }
    let defaults = draft.template?.defaults ?? Template.Defaults()
    let config = config(of: draft.map, schema: manifest(draft.adapter)?.deviceSchema, under: draft.template?.configNode)
    let key = draft.id?.rawValue ?? "\(id)/" + Name.hash("\(draft.templateName ?? "") \(config.text)")
    if let other = links[id]?.devices.first(where: { $0.key == key }), draft.id == nil {
      sink.error(
        draft.place, draft.map.key, "the device is the same as the one in line \(other.place.line)",
        expected: "another config, or an id for each")
      return
    }
    let name = draft.name ?? draft.id?.rawValue ?? draft.template?.title ?? id
    links[id]?.devices.append(
      Device(
        key: key, id: draft.id, name: name, adapter: draft.adapter, template: draft.templateName, link: id,
        config: config,
        poll: draft.poll.over(defaults.poll), write: draft.write ?? draft.template?.write ?? true, place: draft.place))
  }

  /// The link of an endpoint; made where there is none yet.
  private mutating func implicit(_ draft: DeviceReader.Draft) -> String? {
    guard let written = draft.endpoint else { return nil }
    let endpoint = filled(written, draft.adapter, draft.template?.defaults.port)
    let place = Connection(adapter: draft.adapter, endpoint: endpoint)
    if let id = byEndpoint[place] {
      sameTLS(draft, as: id)
      return id
    }
    guard isFree(endpoint, for: draft.adapter, map: draft.map) else { return nil }
    let id = Self.id(adapter: draft.adapter, endpoint: endpoint)
    if let other = links[id] {
      sink.error(
        other.place, "links", "the id \(id) is the one of the connection of the device in line \(draft.place.line)",
        expected: "another id for the link")
      return nil
    }
    let empty = YAMLNode(.mapping([]), place: draft.place)
    let schema = manifest(draft.adapter)?.linkSchema
    let config =
      schema.map { SchemaChecker(sink: sink).check(empty, schema: $0, key: draft.map.path("link.config")) } ?? [:]
    links[id] = ResolvedLink(
      id: id, adapter: draft.adapter, endpoint: endpoint, tls: draft.tls ?? Configuration.DeviceTLS(), control: draft.control, config: config,
      devices: [], place: draft.place)
    byEndpoint[place] = id
    return id
  }

  /// One connection has one TLS; a device that says nothing of it shares what is there.
  private func sameTLS(_ draft: DeviceReader.Draft, as id: String) {
    guard let tls = draft.tls, let link = links[id], tls != link.tls, let node = draft.map.value("tls") else { return }
    sink.error(
      node.place, draft.map.path("tls"), "the connection is shared with the one in line \(link.place.line), which has other TLS settings",
      expected: "the same tls for one connection")
  }

  /// A template's port is one without TLS; the adapter knows which ports its protocol has.
  private func filled(_ endpoint: Endpoint, _ adapter: String, _ port: Int?) -> Endpoint {
    let usual = manifest(adapter)?.ports[endpoint.scheme.rawValue]
    return endpoint.filled(port: endpoint.scheme == .tls ? usual : port ?? usual)
  }

  private func manifest(_ adapter: String) -> AdapterManifest? { manifests.first { $0.id == adapter } }

  private func config(of map: MapReader, schema: JSONValue?, under lower: YAMLNode?) -> JSONValue {
    let empty = YAMLNode(.mapping([]), place: map.node.place)
    let own = map.part("config").flatMap { $0.members == nil ? nil : $0 } ?? empty
    let node = lower?.overlaid(by: own) ?? own
    guard let schema else { return node.json }
    return SchemaChecker(sink: sink).check(node, schema: schema, key: map.path("config"))
  }

  /// A serial line can be opened once, with one adapter and one set of settings; what connects by itself has one adapter.
  private mutating func isFree(_ endpoint: Endpoint, for adapter: String, map: MapReader) -> Bool {
    let line = endpoint.scheme == .serial ? endpoint.path : endpoint.text
    guard [.serial, .listener].contains(endpoint.scheme) else { return true }
    let place = map.value("endpoint")?.place ?? map.node.place
    guard let other = lines[line] else {
      lines[line] = (adapter, place)
      return true
    }
    let problem = other.adapter == adapter ? "other settings" : "another adapter"
    let what = endpoint.scheme == .serial ? "the line" : "the connection"
    sink.error(
      place, map.path("endpoint"), "\(what) \(line) is used with \(problem) in line \(other.place.line)",
      expected: "one adapter and the same settings for one \(endpoint.scheme == .serial ? "line" : "connection")")
    return false
  }

  /// `modbus-192.168.1.20-502`, `modbus-ttyUSB0`, `rest-http-10.0.0.5-80`. Where characters had to be replaced, eight hex
  /// digits of a hash keep ids apart.
  static func id(adapter: String, endpoint: Endpoint) -> String {
    var text: String
    switch endpoint.scheme {
    case .serial:
      text = endpoint.path.hasPrefix("/dev/") ? String(endpoint.path.dropFirst(5)) : String(endpoint.path.dropFirst())
    case .mqtt: text = "mqtt-" + (endpoint.broker ?? "")
    case .listener: text = (endpoint.visitor?.listener ?? "") + "-" + (endpoint.visitor?.identity ?? "")
    case .tcp: text = endpoint.host
    default: text = "\(endpoint.scheme.rawValue)-\(endpoint.host)"
    }
    if let port = endpoint.port { text += "-\(port)" }
    if endpoint.path != "/", ![.serial, .listener].contains(endpoint.scheme) { text += endpoint.path }
    if !endpoint.query.isEmpty { text += "?" + endpoint.query }
    let plain = String(text.unicodeScalars.map { Name.isLink(String($0)) ? Character($0) : "-" })
    let id = "\(adapter)-\(plain)"
    guard plain != text || id.utf8.count > 64 else { return id }
    return "\(id.prefix(55))-\(Name.hash(adapter + " " + endpoint.text).suffix(8))"
  }
}
