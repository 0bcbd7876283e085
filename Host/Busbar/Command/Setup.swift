// SPDX-License-Identifier: Apache-2.0

import BusbarAudit
import BusbarConfiguration
import BusbarConsole
import BusbarDiscovery
import BusbarPlugins
import BusbarSQLite
import Logging

/// Plugins and configuration belong together: the file names the plugin directories, and the plugins' manifests check
/// the file. So it is read twice.
struct Setup {
  static let defaultFile = "/etc/busbar/busbar.yaml"

  let configuration: Configuration
  let diagnostics: [Diagnostic]
  let catalog: PluginCatalog
  /// What the configuration was made of.
  let sources: SourceFiles
  /// Devices beside those of the file.
  let registry: [RegisteredDevice]

  /// Throws `CommandFailure` with every mistake and exit code 2 where the file cannot be used.
  /// `store` is where private copies of plugins go; nil = below the state directory, which is made.
  static func load(file: String, store: String? = nil, logger: Logger) async throws -> Setup {
    // Mistakes show again, with others, in the second reading.
    let sources = SourceFiles()
    let (first, _) = ConfigurationLoader.load(file: file, sources: sources)
    let place: String
    if let store {
      place = store
    } else if let first {
      try StateFiles.makeDirectory(first.host.state)
      place = "\(first.host.state)/plugins"
    } else {
      // The host will not run; the schemas are lent all the same, so that every mistake shows.
      place = try TemporaryStore.make()
    }
    let state = first?.host.state ?? "/var/lib/busbar"
    // Who only checks sees what the host knows, and writes nothing there.
    let isHost = store == nil && first != nil
    let catalog = PluginCatalog(
      directories: ConfigurationLoader.pluginDirectories(file: file, sources: sources), store: place,
      trust: PluginTrust(first?.plugins ?? Configuration.Plugins()),
      known: KnownPlugins(directory: "\(state)/plugins", writes: isHost),
      audit: isHost ? AuditLog(directory: state, logger: logger) : nil, logger: logger)
    await catalog.scan()
    let adapters = PlanMaker.adapters(await catalog.manifests())
    let (registry, unreadable) = Self.registry(state)
    var (configuration, diagnostics) = ConfigurationLoader.load(
      file: file, manifests: adapters, sources: sources, registry: registry.map(\.entry))
    diagnostics += unreadable
    guard let configuration else {
      throw CommandFailure(diagnostics: diagnostics.map(\.description))
    }
    return Setup(
      configuration: configuration, diagnostics: diagnostics, catalog: catalog, sources: sources, registry: registry)
  }

  /// A person who checks a configuration may not be allowed to read the state.
  private static func registry(_ state: String) -> ([RegisteredDevice], [Diagnostic]) {
    do {
      return (try DeviceRegistry.peek(directory: state), [])
    } catch {
      let place = Place(file: "\(state)/busbar.db")
      return ([], [Diagnostic(.warning, place: place, message: "the registry of devices cannot be read (\(error))")])
    }
  }

  /// Templates and plugins for commands that need no configuration file.
  static func tools(config: String?, plugins: [String], templates: [String]) async throws -> (TemplateLibrary, PluginCatalog, [AdapterManifest]) {
    var plugins = plugins
    var templates = templates
    if let config {
      let (configuration, diagnostics) = ConfigurationLoader.load(file: config)
      guard let configuration else {
        throw CommandFailure(diagnostics: diagnostics.map(\.description))
      }
      if plugins.isEmpty { plugins = configuration.plugins.directories }
      if templates.isEmpty { templates = configuration.templateDirectories }
    }
    LoggingSystem.bootstrap { LogLines(label: $0, level: .warning, journal: false) }
    if plugins.isEmpty { plugins = Configuration.Plugins().directories }
    if templates.isEmpty { templates = Configuration.defaultTemplateDirectories }
    let catalog = PluginCatalog(directories: plugins, store: try TemporaryStore.make(), logger: Logger(label: "busbar"))
    await catalog.scan()
    let adapters = PlanMaker.adapters(await catalog.manifests())
    return (TemplateLibrary(directories: templates, manifests: adapters), catalog, adapters)
  }
}

extension PluginTrust {
  init(_ plugins: Configuration.Plugins) {
    self.init(
      requiresSignature: plugins.requireSignature, keys: plugins.trustedKeys,
      pins: plugins.pins.mapValues { pin in
        switch pin {
        case .known: .known
        case .hash(let hash): .hash(hash)
        }
      })
  }
}
