// SPDX-License-Identifier: Apache-2.0

public import PluginAPI
import Synchronization

/// Makes the plugin's tables, once. To be returned from the entry function:
///
///     @c(busbar_plugin_v0)
///     public func entry(_ host: UnsafePointer<bb_host_t>) -> UnsafePointer<bb_plugin_t>? {
///       unsafe exportPlugin(host, id: "org.example.line", version: "1.0.0", adapter: LineMeter.self)
///     }
///
/// A Swift plugin holds one adapter: the C tables carry no context by which a second one could be told apart. NULL
/// where the host speaks another version of the contract.
@unsafe public func exportPlugin<A: Adapter>(
  _ host: UnsafePointer<bb_host_t>, id: StaticString, version: StaticString, adapter: A.Type
) -> UnsafePointer<bb_plugin_t>? {
  unsafe export(host, id: id, version: version, adapterID: A.id) { FactoryOf<A>() }
}

/// The same for an adapter whose devices speak first.
@unsafe public func exportPlugin<A: EventAdapter>(
  _ host: UnsafePointer<bb_host_t>, id: StaticString, version: StaticString, adapter: A.Type
) -> UnsafePointer<bb_plugin_t>? {
  unsafe export(host, id: id, version: version, adapterID: A.id) { EventFactoryOf<A>() }
}

private func export(
  _ host: UnsafePointer<bb_host_t>, id: StaticString, version: StaticString, adapterID: StaticString, _ factory: () -> Factory
) -> UnsafePointer<bb_plugin_t>? {
  // While the major is 0 the minor has to match (abi.h).
  guard unsafe host.pointee.abi == UInt32(BB_ABI_MAJOR) << 16 | UInt32(BB_ABI_MINOR) else { return nil }
  return unsafe exported.withLock { made in
    if let made { return unsafe made.table }
    let plugin = unsafe ExportedPlugin(Host(host), id: id, version: version, adapterID: adapterID, factory: factory())
    made = plugin
    return unsafe plugin.table
  }
}

private let exported = Mutex<ExportedPlugin?>(nil)

/// The plugin's tables and what the C functions of `Slots` need to find the adapter. Made once, never freed.
@safe final class ExportedPlugin: @unchecked Sendable {
  let table: UnsafePointer<bb_plugin_t>
  let host: Host
  let factory: Factory

  init(_ host: Host, id: StaticString, version: StaticString, adapterID: StaticString, factory: Factory) {
    self.host = host
    self.factory = factory

    let adapter = UnsafeMutablePointer<bb_adapter_t>.allocate(capacity: 1)
    unsafe adapter.initialize(to: Slots.adapter(id: staticText(adapterID)))
    let list = UnsafeMutablePointer<UnsafePointer<bb_adapter_t>?>.allocate(capacity: 1)
    unsafe list.initialize(to: UnsafePointer(adapter))

    var plugin = unsafe bb_plugin_t()
    unsafe plugin.size = UInt32(MemoryLayout<bb_plugin_t>.size)
    unsafe plugin.abi = UInt32(BB_ABI_MAJOR) << 16 | UInt32(BB_ABI_MINOR)
    unsafe plugin.id = staticText(id)
    unsafe plugin.version = staticText(version)
    unsafe plugin.adapters = UnsafePointer(list)
    unsafe plugin.adapter_count = 1
    let table = UnsafeMutablePointer<bb_plugin_t>.allocate(capacity: 1)
    unsafe table.initialize(to: plugin)
    unsafe self.table = UnsafePointer(table)
  }

  static var current: ExportedPlugin? { exported.withLock { $0 } }
}

/// A text that lives until the process ends.
private func staticText(_ text: StaticString) -> bb_str_t {
  var lent = unsafe bb_str_t()
  unsafe lent.data = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  unsafe lent.length = UInt32(text.utf8CodeUnitCount)
  return unsafe lent
}
