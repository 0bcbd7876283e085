// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Foundation
internal import Logging

/// The adapter's own simulator on a port of 127.0.0.1, in a process of its own.
package enum PlayedDevice {
  /// Says the port, or “none” where the adapter simulates nothing, then answers until the process is ended. `input` is the
  /// JSON that `CaseProcess` hands over.
  package static func serve(input: [UInt8], say: (String) throws -> Void) throws {
    let document = try JSONValue(parsing: input, depth: 64)
    let (file, store) = (document["file"]?.string ?? "", document["store"]?.string ?? "")
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: Told(), pool: ThreadPool(name: "device", limit: 1), store: MemoryStore(), logger: quiet)
    let device: SimulatedDevice
    do throws(PluginFile.Refusal) {
      let plugin = try LoadedPlugin(try PluginFile(path: file, store: store, services: HostABI.services), logger: quiet)
      device = try SimulatedDevice(
        plugin, adapter: document["adapter"]?.string ?? "", documents: document["documents"]?.string ?? "[]", resources: resources)
    } catch {
      try say("none")
      return
    }
    let stop = CallSignal()
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    try say("\(listener.port)")
    while let connection = listener.accept(stop: stop) {
      WorkThread.start(name: "device-link") { _ = device.serve(connection, isSerial: false, resources: resources) }
    }
  }
}
