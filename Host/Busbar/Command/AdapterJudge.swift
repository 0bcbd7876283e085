// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Logging

/// Has an adapter look at a template: it knows what its schema cannot say, such as a case for a label that does not exist.
/// An adapter that simulates devices reads a template for that; it is asked to begin, and then to end.
struct AdapterJudge {
  let catalog: PluginCatalog

  /// What the adapter finds wrong; nothing where it cannot be asked.
  func mistakes(in template: Template) async -> [Diagnostic] {
    guard let plugin = try? await catalog.plugin(adapter: template.adapter),
      SimulatedDevice.isOffered(by: plugin, adapter: template.adapter)
    else { return [] }
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: NoEvents(), pool: ThreadPool(name: "judge", limit: 1), store: NoStore(),
      logger: Logger(label: "template"))
    var document: [String: JSONValue] = [
      "template": template.body, "config": template.defaults.config, "title": .string(template.title),
    ]
    document["probe"] = template.probe
    do throws(PluginFile.Refusal) {
      let device = try SimulatedDevice(
        plugin, adapter: template.adapter, documents: JSONValue.array([.object(document)]).text, resources: resources)
      device.finish(within: 1_000_000_000)
      return []
    } catch {
      return error.message.split(separator: "\n").map { line in
        // `template: PATH PROBLEM`, as the adapter's own errors have it; anything else is about the template as a whole.
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, parts[0] == "template:" else { return template.diagnostic(String(line), at: "") }
        return template.diagnostic(String(parts[2]), at: String(parts[1]))
      }
    }
  }
}

/// A simulated device has no link above it.
struct NoEvents: AdapterEvents {
  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {}
  func identified(_ device: UInt32, _ identity: DeviceIdentity) {}
  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {}
  func problem(_ device: UInt32, name: String, active: Bool, text: String) {}
}

struct NoStore: PluginStore {
  func get(_ key: String) -> [UInt8]? { nil }
  func set(_ key: String, to value: [UInt8]) throws {}
}
