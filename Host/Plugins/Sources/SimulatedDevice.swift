// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
internal import BusbarTransports
internal import PluginAPI
internal import Synchronization

/// A device that a plugin plays (simulate.h). The host listens and hands each connection over.
@safe package final class SimulatedDevice: @unchecked Sendable {
  private let plugin: LoadedPlugin
  private let table: UnsafePointer<bb_simulate_interface_t>
  private let runner: DirectLink
  private var state: UnsafeMutableRawPointer?
  private let connections = Mutex(Connections())
  /// Woken when a connection ends.
  private let ended = Wakeup()

  private struct Connections {
    var open: [UInt32: DirectLink] = [:]
    var finished = false
  }

  /// Whether the adapter simulates devices at all.
  package static func isOffered(by plugin: LoadedPlugin, adapter: String) -> Bool {
    guard let table = unsafe plugin.adapter(adapter) else { return false }
    return unsafe plugin.interface(BB_INTERFACE_SIMULATE, of: table) != nil
  }

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

  /// Answers on one connection until it closes. Blocks. A sentence where the plugin would not serve it.
  package func serve(_ descriptor: Descriptor, isSerial: Bool, resources: LinkResources) -> String? {
    let connection = DirectLink(plugin: plugin, adapterOf: runner, resources: resources)
    let kind = UInt32(isSerial ? BB_STREAM_SERIAL : BB_STREAM_TCP)
    defer {
      connection.retire()
      connections.withLock { $0.open[connection.number] = nil }
      ended.wake()
    }
    let admitted = connections.withLock { connections in
      guard !connections.finished else { return false }
      connections.open[connection.number] = connection
      return true
    }
    guard admitted else { return nil }
    let status = unsafe withCall(connection) { call in
      unsafe table.pointee.serve?(plugin.host, call, state, descriptor.number, kind) ?? failed(BB_CLASS_UNSUPPORTED)
    }
    guard status < 0, !connection.signal.isSet else { return nil }
    return connection.explanation.isEmpty ? "the plugin would not serve the connection" : connection.explanation
  }

  /// Ends all connections and then the device, once. Where a connection does not end within the time, in nanoseconds, the
  /// device is left as it is.
  package func finish(within limit: Int64) {
    let deadline = Clock.boot() + limit
    let isFirst = connections.withLock { connections in
      defer { connections.finished = true }
      for link in connections.open.values { link.cancel() }
      return !connections.finished
    }
    guard isFirst else { return }
    while connections.withLock({ !$0.open.isEmpty }) {
      guard Clock.boot() < deadline else { return }
      _ = Poll.wait([(ended.descriptor.number, .read)], until: deadline)
      ended.drain()
    }
    if let state = unsafe state {
      _ = unsafe withCall(runner) { call in
        unsafe table.pointee.finish?(plugin.host, call, state)
        return bb_status_t(BB_OK)
      }
      unsafe self.state = nil
    }
    runner.retire()
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
