// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Reads `busbar.yaml` and the templates it names.
package enum ConfigurationLoader {
  /// Where the plugins are whose schemas check the file, also where it has mistakes.
  package static func pluginDirectories(file: String, sources: SourceFiles) -> [String] {
    let sink = DiagnosticSink()
    let root = YAMLReader.read(file: file, help: "", sources: sources, sink: sink)
    let found = root.flatMap { ConfigurationReader(file: file, environment: .current, sink: sink).read($0) }
    return (found?.plugins ?? Configuration.Plugins()).directories
  }

  /// The configuration and everything that is wrong: first in the file, then in templates. The configuration is nil exactly
  /// where the file itself has errors; a broken template only matters to the devices that name it. Relative paths in
  /// the file are below the file's folder. What needs an adapter's manifest is not checked for adapters that are not known.
  /// With `sources` that were used before, the configuration and its templates are as they were then.
  ///
  /// `registry`: entries like those of `devices`, from the state database, each with an id. One that cannot be used is left
  /// out, with warnings whose place is `registry(of:)`; an id that the file has too is an error of the file.
  package static func load(
    file: String, manifests: [AdapterManifest] = [], environment: HostEnvironment = .current,
    sources: SourceFiles = SourceFiles(), registry: [JSONValue] = []
  ) -> (Configuration?, [Diagnostic]) {
    let sink = DiagnosticSink()
    let help = "make one, such as \"devices: []\", or name another with --config FILE"
    guard let root = YAMLReader.read(file: file, help: help, sources: sources, sink: sink) else { return (nil, sink.sorted) }
    let reader = ConfigurationReader(file: file, environment: environment, sink: sink)
    guard var configuration = reader.read(root),
      let map = MapReader(root, key: "", known: nil, sink: sink)
    else { return (nil, sink.sorted) }
    configuration.templates = TemplateLibrary(
      directories: configuration.templateDirectories, manifests: manifests, sources: sources)
    // A broker with mistakes of its own is still the one that is meant.
    let brokers = map.part("brokers")?.members?.map(\.key) ?? []
    let listeners = map.part("listeners")?.members?.map(\.key) ?? []
    let devices = DeviceReader(
      templates: configuration.templates, manifests: manifests, brokers: brokers, listeners: listeners, tls: reader.deviceTLS,
      sink: sink)
    let links = devices.links(map)
    let named = Set(map.part("links")?.items?.compactMap { $0["id"]?.text } ?? [])
    let byID = Dictionary(links.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let drafts = devices.devices(map, links: byID, linkIDs: named)
    var resolver = LinkResolver(manifests: manifests, sink: sink)
    resolver.add(links, drafts)
    var left: [Diagnostic] = []
    for entry in registry {
      let id = entry["id"]?.string.flatMap(DeviceID.init(rawValue:))
      if let id, let own = drafts.first(where: { $0.id == id }) {
        sink.error(
          own.map.value("id")?.place ?? own.place, own.map.path("id"), "the device \"\(id)\" is in the registry as well",
          expected: "it in one of them: take it out of the file, or out of the registry with `busbar forget \(id)`")
        continue
      }
      left += resolver.add(entry, place: Self.registry(of: id?.rawValue ?? ""), devices)
    }
    configuration.links = resolver.resolved
    configuration.templates.forgetPlaces()
    return (sink.hasErrors ? nil : configuration, sink.sorted + left + configuration.templates.diagnostics)
  }

  /// The place of what is said about an entry of the registry.
  package static func registry(of id: String) -> Place { Place(file: "registry entry \(id)") }
}
