// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import Foundation
import Synchronization
import Testing

/// Children that die, are replaced and released, with real processes.
@Suite(.timeLimit(.minutes(1)))
struct PluginRunnersTests {
  private let directory: TemporaryDirectory
  private let store: TemporaryDirectory
  private let told = Told()
  private let changes: AsyncStream<Void>
  private let runners: PluginRunners

  init() throws {
    directory = try TemporaryDirectory()
    store = try TemporaryDirectory()
    let (changes, changed) = AsyncStream.makeStream(of: Void.self)
    self.changes = changes
    runners = PluginRunners(settings: .test(), logger: quiet) { changed.yield() }
  }

  private func file(_ macros: [String] = []) throws -> PluginFile {
    let path = directory.path + "/hostile.so"
    try Built.makeHostile(path, macros)
    return try PluginFile(path: path, store: store.path, services: HostABI.services)
  }

  private func link(_ file: PluginFile) async throws -> any AdapterConnection {
    try await runners.link(
      file, adapter: "hostile",
      resources: LinkResources(
        endpoints: [:], config: "{}", events: told, pool: TestLink.pool, store: MemoryStore(), logger: quiet))
  }

  private func open(_ link: any AdapterConnection) async -> CallResult {
    await withCheckedContinuation { done in link.open(deadline: later()) { done.resume(returning: $0) } }
  }

  private func poll(_ link: any AdapterConnection, _ does: String) async -> CallResult {
    let setup = DeviceSetup(number: 1, name: "", config: #"{"does": "\#(does)"}"#, templateBody: "")
    _ = await withCheckedContinuation { done in link.add(setup, deadline: later()) { done.resume(returning: $0) } }
    return await withCheckedContinuation { done in link.poll(1, due: [1], deadline: later()) { done.resume(returning: $0) } }
  }

  private func waitFor(_ wanted: (PluginRunners.Status) -> Bool) async {
    if let status = await runners.status("org.example.hostile"), wanted(status) { return }
    for await _ in changes {
      if let status = await runners.status("org.example.hostile"), wanted(status) { return }
    }
  }

  @Test func linksShareOneChild() async throws {
    let file = try file()
    let first = try await link(file)
    let second = try await link(file)
    #expect(await open(first) == .done)
    #expect(await open(second) == .done)
    let status = try #require(await runners.status("org.example.hostile"))
    #expect(status.state == .running && status.version == "1.0.0" && status.deaths == 0)
    await runners.stop()
  }

  @Test func aDeathIsToldToAllItsLinksAndANewOneComes() async throws {
    let file = try file()
    let guilty = try await link(file)
    let other = try await link(file)
    #expect(await open(guilty) == .done)
    #expect(await open(other) == .done)
    let former = await runners.status("org.example.hostile")?.process
    #expect(await poll(guilty, "abort").reason == .closed)
    #expect(other.condition == .ended("the plugin's process crashed (abort)"))
    await waitFor { $0.deaths == 1 }
    // After its pause.
    #expect(await open(try await link(file)) == .done)
    let now = await runners.status("org.example.hostile")?.process
    #expect(now != nil && now != former)
    await runners.stop()
  }

  @Test func aNewFileTakesOverInOrder() async throws {
    let old = try file()
    let link = try await link(old)
    #expect(await open(link) == .done)
    let new = try file(["-DVERSION=\"2.0.0\""])
    await runners.filesChanged([new])
    #expect(link.condition == .replaced)
    // What runs ends in order.
    #expect(await poll(link, "") == .done)
    let fresh = try await self.link(new)
    #expect(await open(fresh) == .done)
    #expect(await runners.status("org.example.hostile")?.version == "2.0.0")
    #expect(await withCheckedContinuation { done in link.close(deadline: later()) { done.resume(returning: $0) } } == .done)
    link.retire()
    #expect(await poll(fresh, "") == .done)
    #expect(await runners.status("org.example.hostile")?.deaths == 0)
    await runners.stop()
  }

  @Test func whatRefusesWaitsForAPersonOrANewFile() async throws {
    let refusing = try file(["-DIN_ENTRY=return 0"])
    for _ in 0..<2 {
      await #expect(throws: PluginFile.Refusal.self) { _ = try await link(refusing) }
    }
    #expect(await runners.status("org.example.hostile")?.state == .refused)
    #expect(await open(try await link(try file())) == .done)
    await runners.stop()
  }

  @Test func fiveDeathsAndAPerson() async throws {
    let dying = try file(["-DIN_CONSTRUCTOR=abort()"])
    do {
      _ = try await link(dying)
      Issue.record("it was loaded")
    } catch {
      let text = (error as? PluginFile.Refusal)?.message ?? ""
      #expect(text.contains("is in quarantine after 5 deaths within ten minutes: the plugin's process crashed (abort)"), "\(text)")
    }
    #expect(await runners.status("org.example.hostile")?.deaths == 5)
    #expect(await runners.restart("org.example.hostile"))
    #expect(await runners.status("org.example.hostile")?.state == .idle)
    #expect(await runners.restart("org.example.other") == false)
    await runners.stop()
  }
}
