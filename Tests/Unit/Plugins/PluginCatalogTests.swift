// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Foundation
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PluginCatalogTests {
  private let home: TemporaryDirectory
  private let plugins: String
  private let catalog: PluginCatalog
  private let log = LogLines()

  init() throws {
    home = try TemporaryDirectory()
    plugins = try home.make("plugins")
    catalog = PluginCatalog(directories: [plugins], store: home.path + "/store", logger: log.logger)
  }

  private func good() async throws -> String {
    try #require(await Built.shared.value.broken.first { $0.stage == "good" }).path
  }

  private func broken(_ name: String) async throws -> String {
    try #require(await Built.shared.value.broken.first { $0.path.hasSuffix("/\(name)") }).path
  }

  /// As an installer does it: complete under another name first, then renamed.
  private func drop(_ source: String, _ name: String = "good.so", into directory: String? = nil) throws {
    let target = "\(directory ?? plugins)/\(name)"
    let partial = "\(directory ?? plugins)/.\(name).partial"
    try? FileManager.default.removeItem(atPath: partial)
    try FileManager.default.copyItem(atPath: source, toPath: partial)
    unsafe chmod(partial, 0o644)
    #expect(unsafe rename(partial, target) == 0)
  }

  @Test func aDroppedFileIsOffered() async throws {
    #expect(await !catalog.scan())
    #expect(await catalog.entries().isEmpty)
    try await drop(good())
    #expect(await catalog.scan())
    #expect(await !catalog.scan())
    let entry = try #require(await catalog.entries().first)
    #expect(entry.path == plugins + "/good.so")
    #expect(entry.state == .offered)
    #expect(entry.id == "org.example.sample")
    #expect(entry.version == "1.0.0")
    #expect(entry.adapters == ["sample"])
    #expect(entry.hash?.count == 64)
    #expect(await catalog.manifests().map(\.id) == ["org.example.sample"])
  }

  @Test func itIsLoadedOnceWhenALinkNeedsIt() async throws {
    try await drop(good())
    await catalog.scan()
    let plugin = try await catalog.plugin(adapter: "sample")
    #expect(try await catalog.plugin(adapter: "sample") === plugin)
    #expect(await catalog.entries().map(\.state) == [.loaded])
  }

  @Test func anUnknownAdapterSaysWhereToPutThePlugin() async throws {
    await #expect {
      try await catalog.plugin(adapter: "modbus")
    } throws: { error in
      let message = (error as? PluginFile.Refusal)?.message ?? ""
      return message.contains("modbus") && message.contains(plugins)
    }
  }

  @Test func aRemovedFileIsGone() async throws {
    try await drop(good())
    await catalog.scan()
    try FileManager.default.removeItem(atPath: plugins + "/good.so")
    #expect(await catalog.scan())
    #expect(await catalog.entries().isEmpty)
    #expect(await catalog.manifests().isEmpty)
    await #expect(throws: PluginFile.Refusal.self) { try await catalog.plugin(adapter: "sample") }
  }

  /// neuron #305, #311, #320: a plugin deleted while it runs ends nothing.
  @Test func aLoadedPluginOutlivesItsFile() async throws {
    try await drop(good())
    await catalog.scan()
    let plugin = try await catalog.plugin(adapter: "sample")
    try FileManager.default.removeItem(atPath: plugins + "/good.so")
    await catalog.scan()
    let entry = try #require(await catalog.entries().first)
    #expect(entry.state == .retired)
    #expect(entry.reason?.contains("restart") == true)
    #expect(try await catalog.plugin(adapter: "sample") === plugin)
    let link = try TestLink(plugin, adapter: "sample")
    #expect(await link.open() == .done)
    #expect(await link.add() == .done)
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "42"])
  }

  @Test func aReplacedFileWaitsForARestart() async throws {
    try await drop(good())
    await catalog.scan()
    _ = try await catalog.plugin(adapter: "sample")
    // Another file with the same id.
    try await drop(broken("adapter-differs.so"))
    #expect(await catalog.scan())
    let entries = await catalog.entries()
    #expect(entries.map(\.state) == [.offered, .retired])
    #expect(entries[0].reason?.contains("restart") == true)
    #expect(entries[0].hash != entries[1].hash)
    // And back again.
    try await drop(good())
    await catalog.scan()
    #expect(await catalog.entries().map(\.state) == [.loaded])
  }

  @Test func overwritingALoadedFileInPlaceDoesNoHarm() async throws {
    try await drop(good())
    await catalog.scan()
    let plugin = try await catalog.plugin(adapter: "sample")
    let handle = try #require(FileHandle(forWritingAtPath: plugins + "/good.so"))
    try handle.truncate(atOffset: 0)
    try handle.close()
    await catalog.scan()
    #expect(await catalog.entries().map(\.state) == [.refused, .retired])
    #expect(await TestLinkRun.power(try TestLink(plugin, adapter: "sample")) == "42")
  }

  @Test func theFirstFileOfAnIdWins() async throws {
    let second = try home.make("second")
    let catalog = PluginCatalog(
      directories: [second, plugins + "/", plugins], store: home.path + "/store", logger: quiet)
    try await drop(good(), "a.so")
    try await drop(good(), "b.so")
    await catalog.scan()
    var entries = await catalog.entries()
    #expect(entries.map(\.path) == [plugins + "/a.so", plugins + "/b.so"])
    #expect(entries.map(\.state) == [.offered, .refused])
    #expect(entries[1].reason?.contains(plugins + "/a.so") == true)
    // The directories count in their order, not by the names in them.
    try await drop(good(), "z.so", into: second)
    await catalog.scan()
    entries = await catalog.entries()
    #expect(entries.map(\.path) == [second + "/z.so", plugins + "/a.so", plugins + "/b.so"])
    #expect(entries.map(\.state) == [.offered, .refused, .refused])
    #expect(await catalog.manifests().count == 1)
  }

  @Test func whatOthersMayWriteIsRefusedUntilItIsMended() async throws {
    try await drop(good())
    unsafe chmod(plugins + "/good.so", 0o666)
    await catalog.scan()
    var entry = try #require(await catalog.entries().first)
    #expect(entry.state == .refused)
    #expect(entry.reason?.contains("chmod go-w") == true)
    unsafe chmod(plugins + "/good.so", 0o644)
    #expect(await catalog.scan())
    #expect(await catalog.entries().map(\.state) == [.offered])

    // The same with the directory: the file does not change when it is mended.
    unsafe chmod(plugins, 0o777)
    try await drop(good())
    await catalog.scan()
    entry = try #require(await catalog.entries().first)
    #expect(entry.reason?.contains("its directory") == true)
    unsafe chmod(plugins, 0o755)
    #expect(await catalog.scan())
    #expect(await catalog.entries().map(\.state) == [.offered])
  }

  @Test func aRefusalIsLoggedOnce() async throws {
    try await drop(broken("no-manifest.so"), "x.so")
    for _ in 0..<3 { await catalog.scan() }
    #expect(log.all.count { $0.hasPrefix("error") } == 1)
    #expect(await !catalog.scan())
  }

  /// A file in quarantine for one reason does not keep the host from the others; a pipe does not make it wait.
  @Test func oddEntriesAreRefusedAndTheRestIsOffered() async throws {
    try await drop(good())
    #expect(unsafe mkfifo(plugins + "/fifo.so", 0o644) == 0)
    #expect(unsafe symlink(plugins + "/good.so", plugins + "/link.so") == 0)
    #expect(unsafe symlink("nowhere", plugins + "/dangling.so") == 0)
    #expect(unsafe mkdir(plugins + "/directory.so", 0o755) == 0)
    try Data("text".utf8).write(to: URL(fileURLWithPath: plugins + "/text.so"))
    try Data("text".utf8).write(to: URL(fileURLWithPath: plugins + "/README"))
    try Data("text".utf8).write(to: URL(fileURLWithPath: plugins + "/.hidden.so"))
    await catalog.scan()
    let entries = await catalog.entries()
    let states = Dictionary(
      uniqueKeysWithValues: entries.map { ($0.path.split(separator: "/").last.map(String.init) ?? "", $0) })
    #expect(Set(states.keys) == ["good.so", "fifo.so", "link.so", "dangling.so", "directory.so", "text.so"])
    #expect(states["good.so"]?.state == .offered)
    for name in ["fifo.so", "link.so", "dangling.so", "directory.so", "text.so"] {
      #expect(states[name]?.state == .refused, "\(name)")
      #expect(states[name]?.reason?.isEmpty == false, "\(name)")
    }
    #expect(states["link.so"]?.reason?.contains("symbolic link") == true)
    #expect(states["fifo.so"]?.reason?.contains("regular file") == true)
  }

  @Test func aPluginThatDoesNotStartIsNotTriedAgain() async throws {
    try await drop(broken("refuses-host.so"), "x.so")
    await catalog.scan()
    #expect(await catalog.entries().map(\.state) == [.offered])
    for _ in 0..<2 {
      await #expect(throws: PluginFile.Refusal.self) { try await catalog.plugin(adapter: "sample") }
    }
    let entry = try #require(await catalog.entries().first)
    #expect(entry.state == .refused)
    #expect(entry.reason?.contains("refuses this host") == true)
    #expect(log.all.count { $0.hasPrefix("error") } == 1)
    // A better file under the same name is tried.
    try await drop(good(), "x.so")
    await catalog.scan()
    _ = try await catalog.plugin(adapter: "sample")
  }

  @Test func directoriesThatAreMissingAreEmpty() async {
    let catalog = PluginCatalog(directories: ["/nowhere/plugins", ""], store: home.path + "/store", logger: quiet)
    #expect(await !catalog.scan())
    #expect(await catalog.entries().isEmpty)
  }

  /// Waits for a call of `watch` after which the condition holds.
  private func wait(_ changes: AsyncStream<Void>, until condition: ([PluginEntry]) -> Bool, on catalog: PluginCatalog)
    async
  {
    for await _ in changes {
      await catalog.scan()
      if await condition(catalog.entries()) { return }
    }
  }

  private func watched(_ catalog: PluginCatalog) -> AsyncStream<Void> {
    let (changes, changed) = AsyncStream.makeStream(of: Void.self)
    catalog.watch { changed.yield() }
    return changes
  }

  @Test func watchNoticesFilesMovedInChangedAndRemoved() async throws {
    let changes = watched(catalog)
    try await drop(good())
    await wait(changes, until: { $0.map(\.state) == [.offered] }, on: catalog)
    unsafe chmod(plugins + "/good.so", 0o666)
    await wait(changes, until: { $0.map(\.state) == [.refused] }, on: catalog)
    unsafe chmod(plugins + "/good.so", 0o644)
    await wait(changes, until: { $0.map(\.state) == [.offered] }, on: catalog)
    unsafe chmod(plugins, 0o775)
    try await drop(good())
    await wait(changes, until: { $0.map(\.state) == [.refused] }, on: catalog)
    unsafe chmod(plugins, 0o755)
    await wait(changes, until: { $0.map(\.state) == [.offered] }, on: catalog)
    try FileManager.default.removeItem(atPath: plugins + "/good.so")
    await wait(changes, until: \.isEmpty, on: catalog)
  }

  @Test func watchNoticesADirectoryThatComesLater() async throws {
    let later = home.path + "/local/lib/plugins"
    let catalog = PluginCatalog(directories: [later], store: home.path + "/store", logger: quiet)
    let changes = watched(catalog)
    for round in 0..<10 {
      // All at once: the file is there before anybody could have begun to watch for it.
      try FileManager.default.createDirectory(
        atPath: later, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
      for place in ["local", "local/lib", "local/lib/plugins"] { unsafe chmod("\(home.path)/\(place)", 0o755) }
      try await drop(good(), "\(round).so", into: later)
      await wait(changes, until: { $0.map(\.state) == [.offered] }, on: catalog)
      try FileManager.default.removeItem(atPath: home.path + "/local")
      await wait(changes, until: \.isEmpty, on: catalog)
    }
  }
}

enum TestLinkRun {
  /// What a fresh link reads as power.
  static func power(_ link: TestLink) async -> String? {
    guard await link.open() == .done, await link.add() == .done, await link.poll() == .done else { return nil }
    return link.told.last["power"]
  }
}
