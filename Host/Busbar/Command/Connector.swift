// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarConfiguration
internal import BusbarLinks
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Logging
internal import Synchronization

/// Gives each link its plugin, threads and store.
struct Connector: LinkConnecting {
  /// Threads for plugin calls, at most (contract, section 8).
  static let threads = 64

  let catalog: PluginCatalog
  let runners: PluginRunners
  let isolation: Isolation
  let pool = ThreadPool(name: "lane", limit: Connector.threads)
  let store: KeyValueStore
  let logger: Logger

  func connect(_ plan: LinkPlan, events: any AdapterEvents) async throws(PluginFile.Refusal) -> any AdapterConnection {
    let file = try await catalog.file(adapter: plan.adapter)
    var logger = logger
    logger[metadataKey: "link"] = "\(plan.id)"
    var resources = LinkResources(
      endpoints: ["device": plan.endpoint], config: plan.config, events: events, pool: pool,
      store: LinkStore(store: store, link: plan.id), logger: logger)
    resources.services = events.services
    guard isolation.inHost(file.manifest.id) else {
      return try await runners.link(file, adapter: plan.adapter, resources: resources)
    }
    let plugin = try await catalog.plugin(adapter: plan.adapter)
    guard let link = plugin.link(adapter: plan.adapter, resources: resources) else {
      throw PluginFile.Refusal(message: "\(plugin.file.manifest.id) has no adapter \(plan.adapter)")
    }
    return link
  }
}

/// Where plugins run: in a child each, unless the operator says otherwise.
struct Isolation: Sendable {
  var settings: Configuration.Plugins

  func inHost(_ plugin: String) -> Bool { (settings.overrides[plugin] ?? settings.isolation) == .host }
}

/// The part of the store that belongs to a link.
struct LinkStore: PluginStore {
  let store: KeyValueStore
  let link: String

  func get(_ key: String) -> [UInt8]? { try? store.get("link/\(link)", key) }

  func set(_ key: String, to value: [UInt8]) throws {
    if value.isEmpty {
      try store.remove("link/\(link)", key)
    } else {
      try store.set("link/\(link)", key, value)
    }
  }
}

/// Ids bound at first contact, in the state database.
final class StoredIdentities: IdentityBinding {
  private let store: KeyValueStore
  private let logger: Logger
  /// A device that tells another serial number at each poll must not fill the log.
  private let budget = Mutex(LogBudget())

  init(store: KeyValueStore, logger: Logger) {
    self.store = store
    self.logger = logger
  }

  func id(forKey key: String) -> DeviceID? {
    (try? store.get("identity/\(key)", "id")).flatMap { $0 }.flatMap { DeviceID(rawValue: String(decoding: $0, as: UTF8.self)) }
  }

  func bind(_ id: DeviceID, toKey key: String) -> DeviceID {
    let former = self.id(forKey: key)
    guard former != id else { return id }
    if let former, let dropped = budget.withLock({ $0.admit(now: Clock.boot()) }) {
      logger.warning("another device answers at this address", metadata: ["device": "\(id)", "before": "\(former)", "left_out": "\(dropped)"])
    }
    do {
      try store.set("identity/\(key)", "id", Array(id.rawValue.utf8))
    } catch {
      // The id is made of the serial number, so that the next start finds the same one.
      logger.error("a device id could not be stored", metadata: ["device": "\(id)", "reason": "\(error)"])
    }
    return id
  }
}
