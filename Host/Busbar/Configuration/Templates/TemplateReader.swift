// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// From a file's tree to a template: the head here, points in `TemplatePoints`, the rest of the body by the adapter's schema.
struct TemplateReader {
  static let head = [
    "template", "title", "adapter", "kind", "vendor", "models", "source", "confidence", "write", "defaults", "probe",
  ]

  let manifests: [AdapterManifest]
  let sink: DiagnosticSink

  /// Nil where anything is wrong; then the sink has errors.
  func read(_ root: YAMLNode, file: String) -> Template? {
    let adapter = root["adapter"]?.text
    guard let map = MapReader(root, key: "", known: Self.head + [adapter].compactMap { $0 }, sink: sink) else {
      return nil
    }
    let name = name(map, file: file)
    let title = required(map, "title", expected: "a text of at most 120 bytes") { $0.utf8.count <= 120 }
    let known = required(map, "adapter", expected: "the id of an adapter, [a-z0-9-]{1,64}") {
      Name.isSlug($0) && !Self.head.contains($0)
    }
    let kind: DeviceKind? = map.choice("kind")
    if map.value("kind") == nil { map.missing("kind", expected: Suggestion.list(DeviceKind.allCases.map(\.rawValue))) }
    let node = body(map, adapter: known)
    // Before the adapter's schema, which knows less about points and says it less well.
    let points = node.flatMap { TemplatePoints(kind: kind, sink: sink).check($0, key: known ?? "") }
    let body = node.flatMap { checked($0, adapter: known ?? "") }
    let (defaults, config) = defaults(map, points: points)
    let vendor = map.text("vendor", expected: "a text of at most 64 bytes", limit: 64)
    let models = map.texts("models", expected: "names of models") ?? []
    let source = map.text("source", expected: "a text: where the facts come from", limit: 4096)
    let confidence: Template.Confidence = map.choice("confidence") ?? .community
    let write = map.boolean("write")
    let probe = probe(map, adapter: known)
    guard !sink.hasErrors, let name, let title, let known, let kind, let body else { return nil }
    return Template(
      name: name, title: title, adapter: known, kind: kind, vendor: vendor, models: models, source: source,
      confidence: confidence, write: write, defaults: defaults, probe: probe, bodyText: body.text,
      points: points,
      file: file, configNode: config, bodyNode: node, probeNode: map.part("probe"))
  }

  private func name(_ map: MapReader, file: String) -> String? {
    let base = file.split(separator: "/").last.map { $0.hasSuffix(".yaml") ? $0.dropLast(5) : $0 } ?? ""
    let name = required(map, "template", expected: "the file's name, [a-z0-9-]{1,64}", where: Name.isSlug)
    if let name, name != base, let node = map.value("template") {
      sink.error(
        node.place, "template", "the name \"\(name)\" is not that of the file",
        expected: "\"\(YAMLNode.short(String(base)))\", or the file \(name).yaml")
    }
    return name
  }

  private func required(_ map: MapReader, _ key: String, expected: String, where good: (String) -> Bool) -> String? {
    if map.value(key) == nil { map.missing(key, expected: expected) }
    return map.text(key, expected: expected, where: good)
  }

  private func body(_ map: MapReader, adapter: String?) -> YAMLNode? {
    guard let adapter else { return nil }
    guard let node = map.value(adapter) else {
      map.missing(adapter, expected: "a map with what the adapter \(adapter) has to know")
      return nil
    }
    guard node.members != nil else {
      sink.error(node.place, adapter, "found \(node.found)", expected: "a map with what the adapter has to know")
      return nil
    }
    return node
  }

  private func checked(_ body: YAMLNode, adapter: String) -> JSONValue? {
    guard let schema = manifests.first(where: { $0.id == adapter })?.templateSchema else { return body.json }
    return SchemaChecker(sink: sink).check(body, schema: schema, key: adapter)
  }

  private func probe(_ map: MapReader, adapter: String?) -> JSONValue? {
    guard let node = map.part("probe") else { return nil }
    guard let schema = manifests.first(where: { $0.id == adapter })?.probeSchema else { return node.json }
    return SchemaChecker(sink: sink).check(node, schema: schema, key: "probe")
  }

  private func defaults(_ map: MapReader, points: [String]?) -> (Template.Defaults, YAMLNode?) {
    var defaults = Template.Defaults()
    guard let node = map.part("defaults"),
      let inner = MapReader(node, key: "defaults", known: ["poll", "port", "config"], sink: sink)
    else { return (defaults, nil) }
    if let poll = inner.value("poll") {
      defaults.poll = Poll.read(poll, key: inner.path("poll"), sink: sink, points: points)
    }
    defaults.port = inner.integer("port", in: 1...65535, expected: "a port from 1 to 65535").map { Int($0) }
    guard let config = inner.part("config") else { return (defaults, nil) }
    guard config.members != nil else {
      sink.error(config.place, inner.path("config"), "found \(config.found)", expected: "a map")
      return (defaults, nil)
    }
    defaults.config = config.json
    checkDefaults(config, key: inner.path("config"), adapter: map.part("adapter")?.text)
    return (defaults, config)
  }

  /// Defaults have to be settings of the adapter; which ones a device still has to give is the device's business.
  private func checkDefaults(_ config: YAMLNode, key: String, adapter: String?) {
    guard var schema = manifests.first(where: { $0.id == adapter })?.deviceSchema?.object else { return }
    schema["required"] = nil
    _ = SchemaChecker(sink: sink).check(config, schema: .object(schema), key: key)
  }
}
