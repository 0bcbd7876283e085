// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Logging
internal import PluginAPI

/// A plugin whose code is in this process. It stays until the process ends: dlclose is unsound for Swift, Rust and C++
/// (contract, section 5).
@safe package final class LoadedPlugin: @unchecked Sendable {
  package let file: PluginFile
  let host: UnsafePointer<bb_host_t>
  private let table: UnsafePointer<bb_plugin_t>

  /// Loads the private copy and compares what it says of itself with its manifest.
  package init(_ file: PluginFile, logger: Logger) throws(PluginFile.Refusal) {
    self.file = file
    unsafe host = ValidationLayer.wrap(HostTable.make(plugin: file.manifest.id, logger: logger))
    guard let library = unsafe dlopen(file.copy, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw PluginFile.Refusal(message: "it cannot be loaded: \(Self.loaderError(file))")
    }
    guard let symbol = unsafe dlsym(library, BB_ENTRY_SYMBOL) else {
      throw PluginFile.Refusal(message: "it does not export the function \(BB_ENTRY_SYMBOL)")
    }
    let entry = unsafe unsafeBitCast(symbol, to: bb_entry_t.self)
    guard let table = unsafe entry(host) else {
      throw PluginFile.Refusal(message: "it refuses this host (contract \(HostABI.text))")
    }
    unsafe self.table = unsafe table
    try check()
  }

  /// A link of one of its adapters; nil where it has none with this id.
  package func link(adapter id: String, resources: LinkResources) -> DirectLink? {
    guard let adapter = unsafe adapter(id) else { return nil }
    return unsafe DirectLink(plugin: self, table: adapter, resources: resources)
  }

  func adapter(_ id: String) -> UnsafePointer<bb_adapter_t>? {
    for index in unsafe 0..<min(64, Int(table.pointee.adapter_count)) {
      guard let adapter = unsafe table.pointee.adapters?[index] else { continue }
      if unsafe copied(adapter.pointee.id, limit: 128) == id { return unsafe ValidationLayer.wrap(adapter) }
    }
    return nil
  }

  func interface(_ id: String, of adapter: UnsafePointer<bb_adapter_t>) -> UnsafeRawPointer? {
    // A table may end before the slot (contract, section 6).
    guard let slot = unsafe MemoryLayout<bb_adapter_t>.offset(of: \.get_interface),
      unsafe Int(adapter.pointee.size) >= slot + MemoryLayout<UnsafeRawPointer>.size
    else { return nil }
    return unsafe withLentText(id) { unsafe adapter.pointee.get_interface?($0) }
  }

  private func check() throws(PluginFile.Refusal) {
    guard unsafe table.pointee.size >= UInt32(MemoryLayout<bb_plugin_t>.size), unsafe table.pointee.abi == HostABI.version
    else { throw PluginFile.Refusal(message: "its code was built for another version of the plugin contract") }
    let id = unsafe copied(table.pointee.id, limit: 128)
    let version = unsafe copied(table.pointee.version, limit: 64)
    guard id == file.manifest.id, version == file.manifest.version else {
      throw PluginFile.Refusal(
        message: "its manifest says \(file.manifest.id) \(file.manifest.version), its code says \(id) \(version)")
    }
    for adapter in file.manifest.adapters {
      guard let table = unsafe self.adapter(adapter.id) else {
        throw PluginFile.Refusal(message: "its manifest names the adapter \(adapter.id), its code has none")
      }
      guard unsafe table.pointee.size >= UInt32(MemoryLayout<bb_adapter_t>.size) else {
        throw PluginFile.Refusal(message: "the table of its adapter \(adapter.id) is too short")
      }
    }
  }

  private static func loaderError(_ file: PluginFile) -> String {
    guard let text = unsafe dlerror() else { return "the loader gives no reason" }
    // The loader names the private copy, which says nothing to a person.
    return unsafe String(cString: text).split(separator: file.copy, omittingEmptySubsequences: false)
      .joined(separator: file.path)
  }
}
