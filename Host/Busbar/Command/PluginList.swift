// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarLinks
import BusbarManagement
import BusbarModel
import BusbarPlugins
import BusbarSystem

/// Every plugin with what has become of it, in the host or in its child.
struct PluginList: Sendable {
  let catalog: PluginCatalog
  let runners: PluginRunners
  let isolation: Isolation

  /// `[{"id", "version", "file", "state", "reason", "isolation", "adapters", "hash", "signature", "process", "deaths"}]`
  func whole() async -> JSONValue {
    var list: [JSONValue] = []
    for entry in await catalog.entries() {
      let status = await status(of: entry)
      let (state, reason) = Self.state(entry, status)
      list.append([
        "id": entry.id.map { .string($0) } ?? .null, "version": entry.version.map { .string($0) } ?? .null,
        "file": .string(entry.path), "state": .string(state), "reason": reason.map { .string($0) } ?? .null,
        "isolation": entry.id.map { .string(runsInHost($0, entry) ? "host" : "child") } ?? .null,
        "adapters": .array(entry.adapters.map { .string($0) }), "hash": entry.hash.map { .string($0) } ?? .null,
        "signature": entry.signature.map { .string(InspectionView.text($0)) } ?? .null,
        "process": status?.process.map { .integer(Int64($0)) } ?? .null, "deaths": .integer(Int64(status?.deaths ?? 0)),
      ])
    }
    return .array(list)
  }

  /// As in the gateway's status (interfaces 3.5).
  func brief() async -> [JSONValue] {
    var list: [JSONValue] = []
    for entry in await catalog.entries() {
      let (state, reason) = Self.state(entry, await status(of: entry))
      var fields: [String: JSONValue] = [
        "id": entry.id.map { .string($0) } ?? .null, "version": entry.version.map { .string($0) } ?? .null, "state": .string(state),
      ]
      if let reason, state == "quarantined" || state == "restarting" { fields["reason"] = .string(reason) }
      list.append(.object(fields))
    }
    return list
  }

  /// Ends the plugin's child in order and starts another one; lifts a quarantine.
  func restart(_ id: String, _ links: LinkManager) async throws(OperationError) -> JSONValue {
    guard let entry = await catalog.entries().first(where: { $0.id == id }) else {
      throw OperationError(status: 404, detail: "there is no plugin \(id); `busbar plugins` lists them")
    }
    guard !runsInHost(id, entry) else {
      throw OperationError(status: 409, detail: "\(id) runs in the host: restart the host")
    }
    let found = await runners.restart(id)
    await links.pluginsChanged()
    return ["id": .string(id), "restarted": .boolean(found)]
  }

  private func runsInHost(_ id: String, _ entry: PluginEntry) -> Bool {
    isolation.inHost(id) || entry.state == .loaded || entry.state == .retired
  }

  private func status(of entry: PluginEntry) async -> PluginRunners.Status? {
    guard let id = entry.id, entry.state == .offered else { return nil }
    return await runners.status(id)
  }

  private static func state(_ entry: PluginEntry, _ status: PluginRunners.Status?) -> (String, String?) {
    guard let status else { return (entry.state.rawValue, entry.reason) }
    switch status.state {
    case .idle, .draining: return (entry.state.rawValue, entry.reason)
    case .starting: return ("starting", nil)
    case .running: return (PluginEntry.State.loaded.rawValue, nil)
    case .backingOff: return ("restarting", status.reason)
    case .quarantined: return ("quarantined", status.reason)
    case .refused: return (PluginEntry.State.refused.rawValue, status.reason)
    }
  }
}

extension ChildSettings {
  init(_ plugins: Configuration.Plugins) {
    self.init(memory: plugins.memory, allowWeak: plugins.allowWeakSandbox, caller: LinkGuard.executor)
  }
}
