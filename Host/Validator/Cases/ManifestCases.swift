// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarModel
internal import BusbarPlugins

/// What the manifest says, and whether the code says the same.
let manifestCases: [CheckCase] = [
  CheckCase("manifest-valid", .manifest, "There is a manifest, and every key of it is as SPEC.md 2 has it.", need: .file) { bench in
    guard let document = bench.inspection.document else {
      throw Finding.failed("the section .busbar.manifest is missing or holds no JSON object")
    }
    if bench.inspection.manifest == nil { throw Finding.failed(bench.inspection.objection ?? "it cannot be used") }
    let problems = ManifestRules.problems(document)
    if let first = problems.first { throw Finding.failed(first) }
    let unknown = ManifestRules.unknownKeys(document)
    if !unknown.isEmpty { throw Finding.warning("keys that no host reads: \(unknown.joined(separator: ", "))") }
  },
  CheckCase("schemas-understood", .manifest, "The schemas of settings use only the words of SPEC.md 2.3.", need: .file) { bench in
    for adapter in try bench.manifest().adapters {
      for (name, schema) in adapter.schemas {
        if let word = SchemaRules.unknownWord(schema, "\(adapter.id).\(name)") { throw Finding.failed(word) }
      }
    }
  },
  CheckCase("config-defaults", .manifest, "Every default obeys its own schema, and a device works with defaults alone.", need: .file) { bench in
    for adapter in try bench.manifest().adapters {
      for (name, schema) in adapter.schemas {
        if let problem = SchemaRules.badDefault(schema, "\(adapter.id).\(name)") { throw Finding.failed(problem) }
      }
      if let schema = adapter.deviceSchema {
        let (_, found) = SchemaRules.filled([:], schema)
        if let first = found.first { throw Finding.warning("\(adapter.id): with defaults alone: \(first)") }
      }
    }
  },
  CheckCase("permissions-minimal", .manifest, "The permissions are those of the endpoints, no more and no less.", need: .file) { bench in
    let manifest = try bench.manifest()
    let needed = Set(manifest.adapters.flatMap { $0.endpoints.values.flatMap { $0 } }.map { "endpoint:\($0)" })
    let asked = Set(manifest.permissions)
    let missing = needed.subtracting(asked).sorted()
    if !missing.isEmpty { throw Finding.failed("endpoints are declared without the permission \(missing.joined(separator: ", "))") }
    let surplus = asked.subtracting(needed).sorted()
    if !surplus.isEmpty { throw Finding.warning("nothing uses the permission \(surplus.joined(separator: ", "))") }
  },
  CheckCase("ids-match-binary", .manifest, "Id, version and adapters are the same in manifest and code.", need: .library) { bench in
    let manifest = try bench.manifest()
    let probe = try bench.probe()
    guard probe.id == manifest.id, probe.version == manifest.version else {
      throw Finding.failed("the manifest says \(manifest.id) \(manifest.version), the code \(probe.id) \(probe.version)")
    }
    let listed = Set(manifest.adapters.map(\.id))
    guard listed == Set(probe.adapters) else {
      throw Finding.failed("the manifest has the adapters \(listed.sorted()), the code \(probe.adapters.sorted())")
    }
  },
  CheckCase("abi-matches-binary", .manifest, "The code was built for the contract that the manifest names.", need: .library) { bench in
    let manifest = try bench.manifest()
    let probe = try bench.probe()
    guard probe.major == manifest.major, probe.minor == manifest.minor else {
      throw Finding.failed("the manifest says \(manifest.major).\(manifest.minor), the code \(probe.major).\(probe.minor)")
    }
  },
]

extension PluginManifest.Adapter {
  /// Of device, link and template, those that are there.
  var schemas: [(String, JSONValue)] {
    [("config", deviceSchema), ("link", linkSchema), ("template", templateSchema)].compactMap { name, schema in
      schema.map { (name, $0) }
    }
  }
}

/// SPEC.md 2, the table of keys.
enum ManifestRules {
  private static let known: Set = ["id", "version", "abi", "title", "requires", "permissions", "concurrency", "adapters", "$schema"]
  private static let knownOfAdapter: Set = [
    "id", "title", "endpoints", "ports", "config", "link", "template", "kinds", "points", "discovery", "probe", "subprotocols",
  ]

  static func problems(_ document: JSONValue) -> [String] {
    var problems: [String] = []
    func texts(_ value: JSONValue?, _ key: String) {
      guard let value else { return }
      if value.array?.allSatisfy({ $0.string?.isEmpty == false }) != true { problems.append("\(key) is no list of texts") }
    }
    if let title = document["title"], title.string == nil { problems.append("title is no text") }
    texts(document["requires"], "requires")
    texts(document["permissions"], "permissions")
    for id in document["requires"]?.array?.compactMap(\.string) ?? [] where !isServiceID(id) {
      problems.append("requires: \(id) is no id of a service, such as busbar.stream/1")
    }
    if let links = document["concurrency"], (links.integer ?? 0) < 1 { problems.append("concurrency is no number of links") }
    for adapter in document["adapters"]?.array ?? [] {
      let id = adapter["id"]?.string ?? "?"
      if let title = adapter["title"], title.string == nil { problems.append("\(id).title is no text") }
      if let endpoints = adapter["endpoints"] {
        if endpoints.object == nil { problems.append("\(id).endpoints is no object") }
        for (name, schemes) in endpoints.object ?? [:] { texts(schemes, "\(id).endpoints.\(name)") }
      }
      for schema in ["config", "link", "template"] where adapter[schema] != nil && adapter[schema]?.object == nil {
        problems.append("\(id).\(schema) is no schema")
      }
      texts(adapter["kinds"], "\(id).kinds")
      texts(adapter["points"], "\(id).points")
      texts(adapter["subprotocols"], "\(id).subprotocols")
      for kind in adapter["kinds"]?.array?.compactMap(\.string) ?? [] where DeviceKind(rawValue: kind) == nil {
        problems.append("\(id).kinds: there is no kind \(kind), but \(DeviceKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      for (way, matches) in adapter["discovery"]?.object ?? [:] { texts(matches, "\(id).discovery.\(way)") }
    }
    return problems
  }

  static func unknownKeys(_ document: JSONValue) -> [String] {
    let top = (document.object ?? [:]).keys.filter { !known.contains($0) }
    let inner = (document["adapters"]?.array ?? []).flatMap { adapter in
      (adapter.object ?? [:]).keys.filter { !knownOfAdapter.contains($0) }.map { "\(adapter["id"]?.string ?? "?").\($0)" }
    }
    return (top + inner).sorted()
  }

  private static func isServiceID(_ id: String) -> Bool {
    let parts = id.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0].contains(".") && Int(parts[1]).map { $0 > 0 } == true
  }
}
