// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The sections `links` and `devices`, checked against templates, manifests and each other.
struct DeviceReader {
  /// A device as written, as far as it could be read.
  struct Draft {
    var map: MapReader
    var place: Place
    var id: DeviceID?
    var name: String?
    var adapter: String
    var template: Template?
    var templateName: String?
    var link: String?
    var endpoint: Endpoint?
    /// Nil = the device says nothing of it.
    var tls: Configuration.DeviceTLS?
    /// Nil = the device says nothing of it.
    var control: Priority?
    var poll: Poll
    var write: Bool?
  }

  struct Link {
    var map: MapReader
    var id: String
    var adapter: String
    var endpoint: Endpoint
    var tls: Configuration.DeviceTLS?
    var control: Priority?
    var place: Place
  }

  let templates: TemplateLibrary
  let manifests: [AdapterManifest]
  let brokers: [String]
  let listeners: [String]
  /// Reads and checks the key `tls` of a map.
  let tls: (MapReader) -> Configuration.DeviceTLS?
  let sink: DiagnosticSink

  /// The same, with other ears.
  func listening(_ sink: DiagnosticSink) -> DeviceReader {
    DeviceReader(templates: templates, manifests: manifests, brokers: brokers, listeners: listeners, tls: tls, sink: sink)
  }

  func links(_ root: MapReader) -> [Link] {
    var links: [Link] = []
    var lines: [String: Int] = [:]
    for item in root.list("links", expected: "a list of links") {
      let keys = ["id", "adapter", "endpoint", "tls", "control", "config"]
      guard let map = MapReader(item.node, key: item.key, known: keys, sink: sink) else { continue }
      let id = required(map, "id", expected: "[A-Za-z0-9_.-], 1 to 64 characters", where: Name.isLink)
      if let id, let node = map.value("id") {
        if let line = lines[id] {
          sink.error(
            node.place, map.path("id"), "the link \"\(id)\" is there twice, first in line \(line)",
            expected: "each id once")
          continue
        }
        lines[id] = node.place.line
      }
      let adapter = required(map, "adapter", expected: "the id of an adapter", where: Name.isSlug)
      if let adapter, let node = map.value("adapter") { known(adapter: adapter, at: node, key: map.path("adapter")) }
      if map.value("endpoint") == nil { map.missing("endpoint", expected: Endpoint.example) }
      let endpoint = endpoint(map, adapter: adapter)
      let tls = tls(map, endpoint)
      _ = config(map)
      guard let id, let adapter, let endpoint else { continue }
      links.append(Link(map: map, id: id, adapter: adapter, endpoint: endpoint, tls: tls, control: control(map), place: item.node.place))
    }
    return links
  }

  func devices(_ root: MapReader, links: [String: Link], linkIDs: Set<String>) -> [Draft] {
    var drafts: [Draft] = []
    var lines: [DeviceID: Int] = [:]
    for item in root.list("devices", expected: "a list of devices") {
      let keys = ["id", "name", "adapter", "template", "endpoint", "tls", "link", "control", "config", "poll", "write"]
      guard let map = MapReader(item.node, key: item.key, known: keys, sink: sink) else { continue }
      let id = map.read("id", expected: "[A-Za-z0-9_-], 1 to 64 characters") {
        $0.text.flatMap(DeviceID.init(rawValue:))
      }
      if let id, let node = map.value("id") {
        if let line = lines[id] {
          sink.error(
            node.place, map.path("id"), "the device \"\(id)\" is there twice, first in line \(line)",
            expected: "each id once")
        } else {
          lines[id] = node.place.line
        }
      }
      let name = map.text("name", expected: "a text of at most 128 bytes", limit: 128)
      let (template, templateName) = template(map)
      let link = link(map, links: links, known: linkIDs)
      let adapter = adapter(map, template: template, templateName: templateName, link: link.flatMap { links[$0] })
      needsTemplate(map, adapter: adapter)
      let endpoint = endpoint(map, adapter: adapter)
      let tls = tls(map, endpoint)
      let poll =
        map.value("poll").map { Poll.read($0, key: map.path("poll"), sink: sink, points: template?.points) } ?? Poll()
      let write = map.boolean("write")
      _ = config(map)
      connection(map)
      guard let adapter, link != nil || endpoint != nil else { continue }
      drafts.append(
        Draft(
          map: map, place: item.node.place, id: id, name: name, adapter: adapter, template: template,
          templateName: templateName, link: link, endpoint: endpoint, tls: tls, control: control(map), poll: poll, write: write))
    }
    return drafts
  }

  /// With what priority the adapter may ask for values of other devices; `safety` is the host's own.
  private func control(_ map: MapReader) -> Priority? {
    map.read("control", expected: Suggestion.list(Priority.allCases.filter { $0 != .safety }.map(\.rawValue))) { node in
      node.text.flatMap(Priority.init(rawValue:)).flatMap { $0 == .safety ? nil : $0 }
    }
  }

  private func required(_ map: MapReader, _ key: String, expected: String, where good: (String) -> Bool) -> String? {
    if map.value(key) == nil { map.missing(key, expected: expected) }
    return map.text(key, expected: expected, where: good)
  }

  private func template(_ map: MapReader) -> (Template?, String?) {
    guard let name = map.text("template", expected: "the name of a template"), let node = map.value("template") else {
      return (nil, nil)
    }
    if let template = templates[name] { return (template, name) }
    let broken = templates.diagnostics.contains { $0.severity == .error && $0.file.hasSuffix("/\(name).yaml") }
    let question = broken ? ", its file has errors" : Suggestion.question(name, in: templates.names)
    let expected =
      templates.names.isEmpty
      ? "a template; there is none in the directories of the section templates" : Suggestion.list(templates.names)
    sink.error(
      node.place, map.path("template"), "there is no template \"\(YAMLNode.short(name))\"\(question)",
      expected: expected)
    return (nil, name)
  }

  private func link(_ map: MapReader, links: [String: Link], known: Set<String>) -> String? {
    guard let id = map.text("link", expected: "the id of a link"), let node = map.value("link") else { return nil }
    guard links[id] == nil else { return id }
    // A link that is there and has mistakes of its own is not reported again.
    guard !known.contains(id) else { return nil }
    let expected = known.isEmpty ? "a link; the section links has none" : Suggestion.list(known.sorted())
    sink.error(
      node.place, map.path("link"), "there is no link \"\(YAMLNode.short(id))\"\(Suggestion.question(id, in: known))",
      expected: expected)
    return nil
  }

  /// The device's own, else its template's, else its link's; all that are given must be the same.
  private func adapter(_ map: MapReader, template: Template?, templateName: String?, link: Link?) -> String? {
    let own = map.text("adapter", expected: "the id of an adapter", where: Name.isSlug)
    if let own, let node = map.value("adapter") {
      let key = map.path("adapter")
      if let template, template.adapter != own {
        sink.error(
          node.place, key, "the template \(template.name) is for the adapter \(template.adapter)",
          expected: template.adapter)
      } else {
        known(adapter: own, at: node, key: key)
      }
    }
    let adapter = own ?? template?.adapter ?? link?.adapter
    if adapter == nil, map.value("adapter") == nil, templateName == nil, map.value("link") == nil {
      map.missing("adapter", expected: "the id of an adapter, or a template that names it")
    }
    if let link, let adapter, link.adapter != adapter, let node = map.value("link") {
      sink.error(
        node.place, map.path("link"),
        "the link \(link.id) is for the adapter \(link.adapter), the device for \(adapter)",
        expected: "a link of the adapter \(adapter)")
    }
    return adapter
  }

  /// Where the adapter makes nothing of an empty template.
  private func needsTemplate(_ map: MapReader, adapter: String?) {
    guard let adapter, map.value("template") == nil,
      let needed = manifests.first(where: { $0.id == adapter })?.templateSchema?["required"]?.array, !needed.isEmpty
    else { return }
    let fitting = templates.templates.values.filter { $0.adapter == adapter }.map(\.name).sorted()
    map.missing("template", expected: fitting.isEmpty ? "a template of the adapter \(adapter)" : Suggestion.list(fitting))
  }

  /// A plugin may be dropped in later, so an adapter that nobody knows is a warning.
  private func known(adapter: String, at node: YAMLNode, key: String) {
    let known = Set(manifests.map(\.id)).union(templates.templates.values.map(\.adapter))
    guard !known.isEmpty, !known.contains(adapter) else { return }
    sink.warning(
      node.place, key,
      "no plugin and no template knows the adapter \"\(adapter)\"\(Suggestion.question(adapter, in: known))",
      expected: Suggestion.list(known.sorted()))
  }

  private func endpoint(_ map: MapReader, adapter: String?) -> Endpoint? {
    guard let node = map.value("endpoint"),
      let endpoint = map.parse(
        "endpoint", expected: Endpoint.example, { text throws(ValueError) in try Endpoint(text) })
    else { return nil }
    let key = map.path("endpoint")
    if let offered = manifests.first(where: { $0.id == adapter })?.endpoints["device"], !offered.isEmpty,
      !offered.contains(endpoint.scheme.rawValue)
    {
      sink.error(
        node.place, key, "the adapter \(adapter ?? "") does not speak \(endpoint.scheme.rawValue)",
        expected: "an address with \(Suggestion.list(offered))")
    }
    if let broker = endpoint.broker, !brokers.contains(broker) {
      let question = Suggestion.question(broker, in: brokers)
      let expected = brokers.isEmpty ? "a broker; the section brokers has none" : Suggestion.list(brokers.sorted())
      sink.error(node.place, key, "there is no broker \"\(broker)\"\(question)", expected: expected)
    }
    if let visitor = endpoint.visitor, !listeners.contains(visitor.listener) {
      let question = Suggestion.question(visitor.listener, in: listeners)
      let expected = listeners.isEmpty ? "a listener; the section listeners has none" : Suggestion.list(listeners.sorted())
      sink.error(node.place, key, "there is no listener \"\(visitor.listener)\"\(question)", expected: expected)
    }
    return endpoint
  }

  /// The settings of TLS stand where the address stands, and the address has to be one with TLS.
  private func tls(_ map: MapReader, _ endpoint: Endpoint?) -> Configuration.DeviceTLS? {
    guard let node = map.part("tls") else { return nil }
    if map.value("endpoint") == nil, map.value("link") != nil {
      sink.error(node.place, map.path("tls"), "the device has a link, and TLS belongs to the link", expected: "tls at the link")
    } else if let endpoint, !endpoint.scheme.isEncrypted {
      sink.error(
        node.place, map.path("tls"), "the address begins with \(endpoint.scheme.rawValue):, which is without TLS",
        expected: "an address with tls:// or no tls")
    }
    return tls(map)
  }

  /// Exactly one of `endpoint` and `link`.
  private func connection(_ map: MapReader) {
    if map.value("endpoint") == nil, map.value("link") == nil {
      map.missing("endpoint", expected: "an endpoint or a link")
    } else if map.value("endpoint") != nil, let node = map.value("link") {
      sink.error(node.place, map.path("link"), "the device has an endpoint and a link", expected: "one of them")
    }
  }

  private func config(_ map: MapReader) -> YAMLNode? {
    guard let node = map.part("config") else { return nil }
    guard node.members == nil else { return node }
    sink.error(node.place, map.path("config"), "found \(node.found)", expected: "a map")
    return nil
  }
}
