// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
internal import BusbarTransports
internal import PluginAPI

/// A device that a plugin plays (simulate.h). The host listens and hands each connection over.
@safe package final class SimulatedDevice: @unchecked Sendable {
  private let plugin: LoadedPlugin
  private let table: UnsafePointer<bb_simulate_interface_t>
  private let runner: DirectLink
  private var state: UnsafeMutableRawPointer?

  /// `documents` is the JSON array of simulate.h. Throws a sentence where the adapter
  /// simulates nothing or the plugin refuses the documents.
  package init(_ plugin: LoadedPlugin, adapter: String, documents: String, resources: LinkResources) throws(PluginFile.Refusal) {
    guard let adapterTable = unsafe plugin.adapter(adapter),
      let interface = unsafe plugin.interface(BB_INTERFACE_SIMULATE, of: adapterTable)
    else { throw PluginFile.Refusal(message: "the adapter \(adapter) simulates no devices") }
    self.plugin = plugin
    unsafe table = interface.assumingMemoryBound(to: bb_simulate_interface_t.self)
    unsafe runner = DirectLink(plugin: plugin, table: adapterTable, resources: resources)
    let status = unsafe withCall(runner) { call in
      unsafe withLentText(documents) { unsafe table.pointee.start?(plugin.host, call, $0, &state) ?? failed(BB_CLASS_UNSUPPORTED) }
    }
    if status < 0 { throw PluginFile.Refusal(message: runner.explanation.isEmpty ? "the plugin refuses it" : runner.explanation) }
  }

  /// Answers on one connection until it closes. Blocks.
  package func serve(_ descriptor: Descriptor, isSerial: Bool, resources: LinkResources) {
    let connection = DirectLink(plugin: plugin, adapterOf: runner, resources: resources)
    let kind = UInt32(isSerial ? BB_STREAM_SERIAL : BB_STREAM_TCP)
    _ = unsafe withCall(connection) { call in
      unsafe table.pointee.serve?(plugin.host, call, state, descriptor.number, kind) ?? failed(BB_CLASS_UNSUPPORTED)
    }
    connection.retire()
  }
}

/// A call without a deadline on the calling thread.
private func withCall(_ link: DirectLink, _ body: (UnsafePointer<bb_call_t>) -> bb_status_t) -> bb_status_t {
  link.explanation = ""
  var call = bb_call_t()
  call.size = UInt32(MemoryLayout<bb_call_t>.size)
  call.token = UInt64(link.number) << 32 | 1
  call.deadline_ns = Int64.max
  return unsafe withUnsafePointer(to: call) { unsafe body($0) }
}
