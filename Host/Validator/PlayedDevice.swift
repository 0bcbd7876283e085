// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Foundation
internal import Logging

/// The adapter's own simulator on a port of 127.0.0.1, in a process of its own; for a trace that it does not play, a player of
/// bytes.
package enum PlayedDevice {
  /// Says the port, or “none” where nothing can be played, then answers until the process is ended. `input` is the
  /// JSON that `CaseProcess` hands over.
  package static func serve(input: [UInt8], say: (String) throws -> Void) throws {
    let document = try JSONValue(parsing: input, depth: 64)
    let (file, store) = (document["file"]?.string ?? "", document["store"]?.string ?? "")
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: Told(), pool: ThreadPool(name: "device", limit: 1), store: MemoryStore(), logger: quiet)
    let serve: @Sendable (Descriptor) -> Void
    let stop = CallSignal()
    do throws(PluginFile.Refusal) {
      let plugin = try LoadedPlugin(try PluginFile(path: file, store: store, services: HostABI.services), logger: quiet)
      let device = try SimulatedDevice(
        plugin, adapter: document["adapter"]?.string ?? "", documents: document["documents"]?.string ?? "[]", resources: resources)
      serve = { _ = device.serve($0, isSerial: false, resources: resources) }
    } catch {
      guard let player = TracePlayer(documents: document["documents"]?.string ?? "[]") else { return try say("none") }
      serve = { player.serve($0, stop: stop) }
    }
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    try say("\(listener.port)")
    while let connection = listener.accept(stop: stop) {
      WorkThread.start(name: "device-link") { serve(connection) }
    }
  }
}
