// SPDX-License-Identifier: Apache-2.0

package import BusbarAudit
internal import BusbarSystem
internal import CLinux
internal import Glibc
package import Logging

/// One file of the plugin directories and what became of it.
package struct PluginEntry: Sendable, Equatable {
  package enum State: String, Sendable {
    /// Checked; loaded when a link needs one of its adapters.
    case offered
    case loaded
    case refused
    /// Loaded, and its file was replaced or removed: the code in memory stays until the host restarts.
    case retired
  }

  package var path: String
  package var state: State
  package var reason: String?
  package var id: String?
  package var version: String?
  package var adapters: [String]
  package var hash: String?
  package var signature: PluginSignature.State?
}

/// The plugin directories: what is in them, which of it may be used, and what of it is loaded. A file that appears or
/// changes is checked at once, without a restart.
package actor PluginCatalog {
  private let directories: [String]
  private let store: String
  private let trust: PluginTrust
  private var known: KnownPlugins
  private let audit: AuditLog?
  private let logger: Logger
  private var files: [String: Known] = [:]
  private var loaded: [String: LoadedPlugin] = [:]
  /// Plugins whose code refused to start: not tried again until the file changes.
  private var failed: [String: String] = [:]

  private struct Known {
    var stamps: Stamps
    var result: Result<PluginFile, PluginFile.Refusal>
    var isRefused: Bool { if case .failure = result { true } else { false } }
  }

  /// `store` is a directory of the host's own; it is made where it is missing. `audit` is told what was found, replaced
  /// and refused.
  package init(
    directories: [String], store: String, trust: PluginTrust = PluginTrust(), known: KnownPlugins = KnownPlugins(),
    audit: AuditLog? = nil, logger: Logger
  ) {
    var unique: Set<String> = []
    self.directories = directories.map(Self.trimmed).filter { unique.insert($0).inserted }
    self.store = store
    self.trust = trust
    self.known = known
    self.audit = audit
    self.logger = logger
  }

  /// Looks at every file again that is new or changed. True where something changed.
  @discardableResult
  package func scan() -> Bool {
    unsafe mkdir(store, 0o700)
    var seen: Set<String> = []
    var changed = false
    for directory in directories {
      for path in Self.libraries(in: directory) {
        seen.insert(path)
        let previous = files[path]
        // What was refused may be mended by what no stamp shows: the directory's mode, a full disk.
        guard let stamps = Stamps(path), previous?.stamps != stamps || previous?.isRefused == true else { continue }
        let result: Result<PluginFile, PluginFile.Refusal>
        do throws(PluginFile.Refusal) {
          result = .success(
            try PluginFile(path: path, store: store, services: HostABI.services, trust: trust, known: { known[$0] }))
        } catch {
          result = .failure(error)
        }
        files[path] = Known(stamps: stamps, result: result)
        if case .failure(let now) = result, case .failure(let before)? = previous?.result, now == before { continue }
        report(path, result, previous: previous?.result)
        changed = true
      }
    }
    for path in files.keys where !seen.contains(path) {
      logger.notice("plugin file removed", metadata: ["file": "\(path)"])
      files[path] = nil
      changed = true
    }
    return changed
  }

  /// Every file, in the order of the directories.
  package func entries() -> [PluginEntry] {
    var owners: [String: String] = [:]
    var entries = ordered().map { path, known in entry(path, known, &owners) }
    for (id, plugin) in loaded where !entries.contains(where: { $0.id == id && $0.state == .loaded }) {
      entries.append(
        PluginEntry(
          path: plugin.file.path, state: .retired, reason: "its file is gone or was replaced; restart the host to unload it",
          id: id, version: plugin.file.manifest.version, adapters: plugin.file.manifest.adapters.map(\.id),
          hash: plugin.file.hash))
    }
    return entries
  }

  /// Manifests of what can be used, loaded ones as they were loaded.
  package func manifests() -> [PluginManifest] {
    var known = loaded.mapValues(\.file.manifest)
    for (_, entry) in ordered() {
      if case .success(let file) = entry.result, known[file.manifest.id] == nil { known[file.manifest.id] = file.manifest }
    }
    return known.values.sorted { $0.id < $1.id }
  }

  /// Files that can be used, the first of each id.
  package func usable() -> [PluginFile] {
    var ids: Set<String> = []
    return ordered().compactMap { _, known in
      guard case .success(let file) = known.result, ids.insert(file.manifest.id).inserted else { return nil }
      return file
    }
  }

  /// The file that offers an adapter: the loaded one where it is in this process.
  package func file(adapter: String) throws(PluginFile.Refusal) -> PluginFile {
    func offers(_ file: PluginFile) -> Bool { file.manifest.adapters.contains { $0.id == adapter } }
    if let plugin = loaded.values.first(where: { offers($0.file) }) { return plugin.file }
    guard let file = usable().first(where: offers) else { throw missing(adapter) }
    return file
  }

  private func missing(_ adapter: String) -> PluginFile.Refusal {
    PluginFile.Refusal(
      message: "no plugin offers the adapter \(adapter); put its .so into \(directories.joined(separator: " or "))")
  }

  /// The plugin that offers an adapter, loaded now if it is not yet.
  package func plugin(adapter: String) throws(PluginFile.Refusal) -> LoadedPlugin {
    if let plugin = loaded.values.first(where: { $0.file.manifest.adapters.contains { $0.id == adapter } }) { return plugin }
    for (_, known) in ordered() {
      guard case .success(let file) = known.result, loaded[file.manifest.id] == nil,
        file.manifest.adapters.contains(where: { $0.id == adapter })
      else { continue }
      if let reason = failed[file.hash] { throw PluginFile.Refusal(message: "\(file.path): \(reason)") }
      do throws(PluginFile.Refusal) {
        let plugin = try LoadedPlugin(file, logger: logger)
        loaded[file.manifest.id] = plugin
        logger.notice(
          "plugin loaded", metadata: ["plugin": "\(file.manifest.id)", "version": "\(file.manifest.version)", "hash": "\(file.hash)"])
        return plugin
      } catch {
        failed[file.hash] = error.message
        logger.error("plugin refused", metadata: ["file": "\(file.path)", "reason": "\(error.message)"])
        throw PluginFile.Refusal(message: "\(file.path): \(error.message)")
      }
    }
    throw missing(adapter)
  }

  /// Calls `changed` once the directories are watched and after each change in them, from a thread of its own, until the
  /// process ends.
  package nonisolated func watch(_ changed: @escaping @Sendable () -> Void) {
    let directories = directories
    let number = busbar_inotify()
    guard number >= 0 else {
      logger.error("plugin directories cannot be watched", metadata: ["reason": "\(systemError(errno))"])
      return
    }
    let descriptor = Descriptor(owning: number)
    WorkThread.start(name: "plugin-watch", stack: 256 << 10) {
      while true {
        // First watched, then looked at: nothing can come in between.
        for directory in directories { Self.arm(descriptor.number, directory) }
        changed()
        _ = Poll.wait([(descriptor.number, .read)], until: nil)
        var events: [UInt8] = []
        while case .bytes = descriptor.read(into: &events, upTo: 4096) { events.removeAll(keepingCapacity: true) }
      }
    }
  }

  /// Watches a directory, or the nearest one above it that exists, so that its making is noticed.
  private static func arm(_ descriptor: Int32, _ directory: String) {
    // Added to what is watched there for another one of the directories.
    let finished = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_MASK_ADD)
    if unsafe inotify_add_watch(descriptor, directory, finished) >= 0 { return }
    var above = directory
    while let slash = above.lastIndex(of: "/"), above != "/" {
      above = slash == above.startIndex ? "/" : String(above[..<slash])
      guard unsafe inotify_add_watch(descriptor, above, UInt32(IN_CREATE | IN_MOVED_TO | IN_MASK_ADD)) >= 0 else { continue }
      // It may have been made meanwhile.
      if unsafe access(directory, F_OK) == 0 { _ = unsafe inotify_add_watch(descriptor, directory, finished) }
      return
    }
  }

  private func ordered() -> [(String, Known)] {
    directories.flatMap { directory in
      files.filter { Self.parent($0.key) == Self.trimmed(directory) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }

  private func entry(_ path: String, _ known: Known, _ owners: inout [String: String]) -> PluginEntry {
    switch known.result {
    case .failure(let refusal):
      return PluginEntry(path: path, state: .refused, reason: refusal.message, adapters: [])
    case .success(let file):
      var entry = PluginEntry(
        path: path, state: .offered, reason: nil, id: file.manifest.id, version: file.manifest.version,
        adapters: file.manifest.adapters.map(\.id), hash: file.hash, signature: file.signature)
      if let owner = owners[file.manifest.id] {
        entry.state = .refused
        entry.reason = "\(owner) already provides \(file.manifest.id)"
        return entry
      }
      owners[file.manifest.id] = path
      if let plugin = loaded[file.manifest.id] {
        entry.state = plugin.file.hash == file.hash ? .loaded : .offered
        if entry.state == .offered { entry.reason = "version \(plugin.file.manifest.version) is loaded; restart the host to use this one" }
      } else if let reason = failed[file.hash] {
        entry.state = .refused
        entry.reason = reason
      }
      return entry
    }
  }

  private func report(
    _ path: String, _ result: Result<PluginFile, PluginFile.Refusal>, previous: Result<PluginFile, PluginFile.Refusal>?
  ) {
    switch result {
    case .success(let file):
      remember(file)
      logger.notice(
        previous == nil ? "plugin found" : "plugin file replaced",
        metadata: ["file": "\(path)", "plugin": "\(file.manifest.id)", "version": "\(file.manifest.version)", "hash": "\(file.hash)"])
    case .failure(let refusal):
      logger.error("plugin refused", metadata: ["file": "\(path)", "reason": "\(refusal.message)"])
      audit?.record("plugin.refused", ["file": path, "reason": refusal.message])
    }
  }

  /// The first file of an id is the one that counts; a second one elsewhere replaces nothing.
  private func remember(_ file: PluginFile) {
    let id = file.manifest.id
    let isFirst = ordered().first { _, known in
      if case .success(let other) = known.result { other.manifest.id == id } else { false }
    }?.0 == file.path
    guard isFirst, known[id] != file.hash else { return }
    var details = ["file": file.path, "plugin": id, "version": file.manifest.version, "hash": file.hash]
    if case .good(let key) = file.signature { details["key"] = key }
    details["before"] = known[id]
    audit?.record(known[id] == nil ? "plugin.found" : "plugin.replaced", details)
    do throws(KnownPlugins.Failure) { try known.remember(id, file.hash) } catch {
      logger.error("the plugins that are known could not be written", metadata: ["reason": "\(error)"])
    }
  }

  private static func libraries(in directory: String) -> [String] {
    guard let handle = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(handle) }
    var paths: [String] = []
    while let entry = unsafe readdir(handle), paths.count < 1000 {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".so"), !name.hasPrefix(".") { paths.append("\(trimmed(directory))/\(name)") }
    }
    return paths.sorted()
  }

  private static func trimmed(_ directory: String) -> String {
    directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
  }

  private static func parent(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

  /// Of a plugin's file and of its signature.
  private struct Stamps: Equatable {
    let file: Stamp
    let signature: Stamp?

    init?(_ path: String) {
      guard let file = Stamp(path) else { return nil }
      self.file = file
      signature = Stamp(path + PluginSignature.suffix)
    }
  }

  /// Tells whether a file is the one that was looked at. Its mode and owner count: a chmod mends a refusal.
  private struct Stamp: Equatable {
    let device: UInt64, inode: UInt64, size: Int64, mode: UInt32, owner: UInt32
    let modified: [Int]

    init?(_ path: String) {
      var facts = stat()
      guard unsafe lstat(path, &facts) == 0 else { return nil }
      device = UInt64(facts.st_dev)
      inode = UInt64(facts.st_ino)
      size = Int64(facts.st_size)
      mode = facts.st_mode
      owner = facts.st_uid
      modified = [facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec]
    }
  }
}
