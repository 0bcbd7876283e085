// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CLinux
internal import Glibc
internal import Logging
internal import PluginAPI

/// What loading a plugin does to the process, and what its entry function answers. Loads it for good.
package struct EntryProbe: Sendable {
  package struct Failure: Error, Sendable {
    package var message: String
  }

  /// Of loading and of the first call of the entry, together, nanoseconds.
  package private(set) var duration: Int64 = 0
  package private(set) var threadsStarted = 0
  package private(set) var descriptorsOpened = 0
  /// What it changed of the process: signal handlers, locale, …
  package private(set) var changes: [String] = []
  package private(set) var sameTwice = true
  /// It handed tables to a host of another major version.
  package private(set) var takesWrongMajor = false
  package private(set) var id = ""
  package private(set) var version = ""
  package private(set) var major: Int64 = 0
  package private(set) var minor: Int64 = 0
  package private(set) var adapters: [String] = []
  /// Tables whose `size` is not that of 0.1, or whose reserved fields are not 0.
  package private(set) var wrongSizes: [String] = []
  /// Unknown interfaces that an adapter claims to have.
  package private(set) var claimed: [String] = []

  package init(_ file: PluginFile) throws(Failure) {
    let before = (Self.count("/proc/self/task"), Self.count("/proc/self/fd"), ProcessFacts())
    let start = Clock.boot()
    guard let library = unsafe dlopen(file.copy, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw Failure(message: unsafe dlerror().map { unsafe String(cString: $0) } ?? "the loader gives no reason")
    }
    guard let symbol = unsafe dlsym(library, BB_ENTRY_SYMBOL) else {
      throw Failure(message: "there is no function \(BB_ENTRY_SYMBOL)")
    }
    let entry = unsafe unsafeBitCast(symbol, to: bb_entry_t.self)
    let quiet = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
    let host = unsafe HostTable.make(plugin: file.manifest.id, logger: quiet)
    guard let table = unsafe entry(host) else { throw Failure(message: "the entry answers NULL to this host") }
    duration = Clock.boot() - start
    threadsStarted = Self.count("/proc/self/task") - before.0
    descriptorsOpened = Self.count("/proc/self/fd") - before.1
    changes = ProcessFacts().changes(since: before.2)
    sameTwice = unsafe entry(host) == table
    var stranger = unsafe host.pointee
    unsafe stranger.abi = UInt32(BB_ABI_MAJOR + 1) << 16
    let place = UnsafeMutablePointer<bb_host_t>.allocate(capacity: 1)
    unsafe place.initialize(to: stranger)
    takesWrongMajor = unsafe entry(place) != nil
    unsafe read(table)
  }

  private mutating func read(_ table: UnsafePointer<bb_plugin_t>) {
    if unsafe table.pointee.size != UInt32(MemoryLayout<bb_plugin_t>.size) { wrongSizes.append("the plugin's table") }
    if unsafe table.pointee.reserved != 0 { wrongSizes.append("the plugin's table (reserved is not 0)") }
    id = unsafe copied(table.pointee.id, limit: 128)
    version = unsafe copied(table.pointee.version, limit: 64)
    let abi = unsafe table.pointee.abi
    (major, minor) = (Int64(abi >> 16), Int64(abi & 0xFFFF))
    for index in unsafe 0..<min(64, Int(table.pointee.adapter_count)) {
      guard let adapter = unsafe table.pointee.adapters?[index] else {
        wrongSizes.append("adapter \(index + 1) (it is NULL)")
        continue
      }
      let name = unsafe copied(adapter.pointee.id, limit: 128)
      adapters.append(name)
      if unsafe adapter.pointee.size != UInt32(MemoryLayout<bb_adapter_t>.size) { wrongSizes.append("the table of \(name)") }
      if unsafe adapter.pointee.flags != 0 { wrongSizes.append("the table of \(name) (flags is not 0)") }
      for unknown in ["org.busbar.no-such-thing/1", "busbar.commands/999", "busbar.commands/", "busbar.commands", ""] {
        let found = unsafe withLentText(unknown) { unsafe adapter.pointee.get_interface?($0) }
        if unsafe found != nil { claimed.append("\(name): \"\(unknown)\"") }
      }
    }
  }

  /// Entries of a directory of /proc.
  static func count(_ directory: String) -> Int {
    guard let handle = unsafe opendir(directory) else { return 0 }
    defer { unsafe closedir(handle) }
    var count = 0
    while unsafe readdir(handle) != nil { count += 1 }
    return count
  }
}

/// What this process holds, for cases that look for growth.
package struct OwnHoldings: Sendable {
  /// Bytes that the C heap has handed out.
  package let heap: Int
  package let descriptors: Int
  package let threads: Int

  package init() {
    let info = mallinfo2()
    heap = Int(info.uordblks) + Int(info.hblkhd)
    descriptors = EntryProbe.count("/proc/self/fd")
    threads = EntryProbe.count("/proc/self/task")
  }
}
