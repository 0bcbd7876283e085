// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarControl
import BusbarLinks
import BusbarManagement
import BusbarModel
import BusbarPlugins
import Logging

/// Applies a changed file to the running host: links and devices at once, what did not change keeps running; the rest
/// counts from the next start and is named.
actor Reloader {
  private let file: String
  private var configuration: Configuration
  private let catalog: PluginCatalog
  private let links: LinkManager
  private let arbiter: Arbiter
  private let picture: LivePicture
  private let logger: Logger

  init(
    file: String, configuration: Configuration, catalog: PluginCatalog, links: LinkManager, arbiter: Arbiter,
    picture: LivePicture, logger: Logger
  ) {
    self.file = file
    self.configuration = configuration
    self.catalog = catalog
    self.links = links
    self.arbiter = arbiter
    self.picture = picture
    self.logger = logger
  }

  /// A plugin came, went or was replaced: its schemas fill in the settings of devices that waited for it, and links
  /// without a plugin try again. The file is read for that; where it has mistakes meanwhile, nothing of it counts.
  func pluginsChanged() async {
    do throws(OperationError) { _ = try await take() } catch {
      logger.warning("the configuration cannot be read again for a plugin that changed", metadata: ["reason": "\(error.detail)"])
    }
    await links.pluginsChanged()
  }

  /// Throws with every mistake where the file cannot be used; the host goes on as it was.
  func reload() async throws(OperationError) -> JSONValue {
    await catalog.scan()
    let diff = try await take()
    logger.notice(
      "configuration reloaded",
      metadata: [
        "added": "\(diff.devices.added.count)", "removed": "\(diff.devices.removed.count)",
        "changed": "\(diff.devices.changed.count)", "unchanged": "\(diff.devices.unchanged.count)",
      ])
    for key in diff.restart { logger.warning("\(key) changed; it counts from the next start of the host") }
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return [
      "added": list(diff.devices.added), "removed": list(diff.devices.removed), "changed": list(diff.devices.changed),
      "unchanged": .integer(Int64(diff.devices.unchanged.count)), "restart": list(diff.restart),
    ]
  }

  /// Makes the links be as the file says. Devices that leave get their safe values while they can be reached.
  private func take() async throws(OperationError) -> ConfigurationDiff {
    let manifests = PlanMaker.adapters(await catalog.manifests())
    let (new, diagnostics) = ConfigurationLoader.load(file: file, manifests: manifests)
    guard let new else {
      throw OperationError(status: 422, detail: diagnostics.map(\.description).joined(separator: "\n"))
    }
    let (plans, problems) = PlanMaker.links(new)
    guard problems.isEmpty else { throw OperationError(status: 422, detail: problems.joined(separator: "\n")) }
    for diagnostic in diagnostics { logger.warning("\(diagnostic)") }
    let diff = ConfigurationDiff(from: configuration, to: new)
    let leaving = Set(configuration.devices.compactMap(\.id)).subtracting(new.devices.compactMap(\.id))
    configuration = new
    await arbiter.retire(leaving)
    await links.apply(plans)
    for device in leaving { picture.forget(device) }
    return diff
  }
}
