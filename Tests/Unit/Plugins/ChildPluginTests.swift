// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Foundation
import Synchronization
import Testing

/// Plugins that would take the host with them, in a child: the host goes on and knows why.
@Suite(.timeLimit(.minutes(2)))
struct ChildPluginTests {
  /// A child of its own with a link, and why it ended.
  final class Hostile: Sendable {
    let child: ChildPlugin
    let link: TestLink
    private let reasons: AsyncStream<String>

    init(
      open: String = "", store: any PluginStore = MemoryStore(), settings: ChildSettings = .test(), file: PluginFile? = nil
    ) async throws {
      let (reasons, ended) = AsyncStream.makeStream(of: String.self)
      self.reasons = reasons
      let found: PluginFile
      if let file { found = file } else { found = try await ChildPluginTests.file.value }
      child = try await ChildPlugin.start(found, settings: settings, logger: quiet) { ended.yield($0) }
      link = try TestLink(child, config: #"{"does": "\#(open)"}"#, store: store)
    }

    deinit { child.end("the test is over") }

    /// Opens the link with a device that does as told.
    func ready(_ does: String) async {
      #expect(await link.open() == .done)
      #expect(await link.add(#"{"does": "\#(does)"}"#) == .done)
    }

    /// Nil where it has not ended when the time is over that a person would wait.
    func reason() async -> String? {
      for await reason in reasons { return reason }
      return nil
    }
  }

  private static let store = Result { try TemporaryDirectory() }
  static let file = Task { try checked(await Built.shared.value.hostile) }

  private static func checked(_ path: String) throws -> PluginFile {
    try PluginFile(path: path, store: store.get().path, services: HostABI.services)
  }

  /// Built with macros, and checked.
  private static func made(_ macros: [String]) throws -> (PluginFile, TemporaryDirectory) {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/hostile.so"
    try Built.makeHostile(path, macros)
    return (try checked(path), directory)
  }

  // MARK: Crashes

  @Test(
    arguments: [
      ("segfault", "crashed (segmentation fault)"), ("abort", "crashed (abort)"), ("trap", "crashed (trap)"),
      ("overflow", "crashed (segmentation fault)"), ("double-free", "crashed (abort)"), ("exit", "ended its process with code 7"),
      ("says", "crashed (abort): the last words"), ("closes", "closed its connection to the host"),
      ("writes", "broke the rules of its messages"), ("long-packet", "broke the rules of its messages: a packet is too long"),
      ("answers-nothing", "broke the rules of its messages: an answer to no call"),
      ("flood-problems", "raises and clears problems without end"), ("flood-points", "points of a device that there is not"),
    ])
  func aDeathHasItsReason(does: String, why: String) async throws {
    let hostile = try await Hostile()
    await hostile.ready(does)
    let result = await hostile.link.poll()
    #expect(result.failure == .transient && result.reason == .closed)
    #expect(result.text.contains(why), "\(result.text)")
    #expect(await hostile.reason() == result.text)
    #expect(hostile.link.link.condition == .ended(result.text))
    // Whoever calls now is told the same.
    #expect(await hostile.link.poll() == result)
    #expect(await hostile.link.close() == .done)
  }

  /// This process has had so much memory, which the system counts as had by each child that it starts.
  private static func haveHad(_ count: Int) {
    let memory = [UInt8](repeating: 1, count: count)
    #expect(memory.last == 1)
  }

  @Test func memoryIsBounded() async throws {
    Self.haveHad(128 << 20)
    let hostile = try await Hostile(settings: .test(memory: 96 << 20))
    await hostile.ready("leak")
    let text = await hostile.link.poll().text
    #expect(text.hasPrefix("the plugin's process crashed"), "\(text)")
    let words = text.split(separator: " ")
    let peak = words.firstIndex(of: "used").flatMap { Int(words[$0 + 1]) }
    #expect(peak.map { (67...96).contains($0) } == true, "\(text)")
    #expect(text.contains("of the 96 MiB that it may (plugins.memory)"), "\(text)")
  }

  /// A crash that memory has nothing to do with does not speak of it, however much this process has had.
  @Test func aCrashWithLittleMemoryDoesNotBlameIt() async throws {
    Self.haveHad(128 << 20)
    let hostile = try await Hostile(settings: .test(memory: 96 << 20))
    await hostile.ready("segfault")
    let text = await hostile.link.poll().text
    #expect(text.contains("segmentation fault") && !text.contains("MiB"), "\(text)")
  }

  /// A thread too many is the plugin's own trouble.
  @Test func threadsAreBounded() async throws {
    // The system counts threads by user, and a user belongs to an id: the other children here shall have theirs.
    let (file, _) = try Self.made(["-DID=\"org.example.threads\""])
    let hostile = try await Hostile(file: file)
    await hostile.ready("threads")
    let result = await hostile.link.poll()
    #expect(result == .done || result.reason == .closed, "\(result)")
  }

  @Test func aThreadThatSpinsBehindQuickPolls() async throws {
    // A small share, since the tests beside it take the processor too.
    let hostile = try await Hostile(settings: .test(processor: .init(share: 0.05, window: 1_000_000_000)))
    await hostile.ready("spins-behind")
    #expect(await hostile.link.poll() == .done)
    #expect(await hostile.reason()?.contains("% of a processor core") == true)
  }

  @Test func aCommandThatKillsIsUnknown() async throws {
    let hostile = try await Hostile()
    await hostile.ready("command-dies")
    guard case .unknown(let text) = await hostile.link.command(.set(point: 1, value: .number(1))) else {
      Issue.record("nobody knows what it did")
      return
    }
    #expect(text.contains("crashed (abort)"))
  }

  /// What the plugin had open ends for the far end too.
  @Test func connectionsEndWithTheirChild() async throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    let file = try Self.checked(await Built.shared.value.fixture)
    let child = try await ChildPlugin.start(file, settings: .test(), logger: quiet) { _ in }
    let link = try #require(
      child.link(
        adapter: "fixture",
        resources: LinkResources(
          endpoints: ["device": .tcp(host: "127.0.0.1", port: listener.port)], config: #"{"does": "open-connects"}"#, events: Told(),
          pool: TestLink.pool, store: MemoryStore(), logger: quiet)))
    #expect(await withCheckedContinuation { done in link.open(deadline: later()) { done.resume(returning: $0) } } == .done)
    let far = try #require(listener.accept(stop: CallSignal()))
    child.end("enough")
    _ = Poll.wait([(far.number, .read)], until: later())
    var rest: [UInt8] = []
    #expect(far.read(into: &rest, upTo: 1) == .closed)
  }

  // MARK: Hangs

  @Test(arguments: ["hang", "spin"]) func aPollThatHangs(does: String) async throws {
    let hostile = try await Hostile()
    await hostile.ready(does)
    let result = await withCheckedContinuation { done in
      hostile.link.link.poll(1, due: [1], deadline: later()) { done.resume(returning: $0) }
      // The guard's grace is over. No thread of the host hangs.
      #expect(hostile.link.link.giveUp() == false)
    }
    #expect(result.text == "the plugin did not return from poll in time")
    #expect(await hostile.reason() == result.text)
  }

  @Test func anOpenThatHangs() async throws {
    let hostile = try await Hostile(open: "open-hangs")
    let result = await withCheckedContinuation { done in
      hostile.link.link.open(deadline: later()) { done.resume(returning: $0) }
      _ = hostile.link.link.giveUp()
    }
    #expect(result.text == "the plugin did not return from open in time")
  }

  @Test func aCommandThatHangs() async throws {
    let hostile = try await Hostile()
    await hostile.ready("command-hangs")
    let command = AdapterCommand(
      device: 1, verb: .set(point: 1, value: .number(1)), id: "c", dryRun: false, refresh: false, safe: false, validUntil: later())
    let result = await withCheckedContinuation { done in
      hostile.link.link.command(command, deadline: later()) { done.resume(returning: $0) }
      _ = hostile.link.link.giveUp()
    }
    #expect(result == .unknown("the plugin did not return from command in time"))
  }

  @Test func aCloseThatHangs() async throws {
    let hostile = try await Hostile(open: "close-hangs")
    await hostile.ready("")
    let result = await withCheckedContinuation { done in
      hostile.link.link.close(deadline: later()) { done.resume(returning: $0) }
      _ = hostile.link.link.giveUp()
    }
    #expect(result.text == "the plugin did not return from close in time")
  }

  /// A call that returns after all within the mercy leaves its child alone.
  @Test func aCallThatReturnsLateIsForgiven() async throws {
    let hostile = try await Hostile(settings: .test(mercy: 20_000_000_000))
    await hostile.ready("")
    #expect(await hostile.link.poll() == .done)
    #expect(hostile.link.link.giveUp() == false)
    #expect(await hostile.link.poll() == .done)
  }

  @Test(arguments: [
    ("-DIN_CONSTRUCTOR=for(;;)pause()", "did not load within"), ("-DIN_ENTRY=for(;;)pause()", "did not load within"),
    ("-DIN_CONSTRUCTOR=abort()", "crashed (abort)"), ("-DIN_ENTRY=__builtin_trap()", "crashed (trap)"),
    ("-DIN_CONSTRUCTOR=_exit(3)", "ended its process with code 3"),
  ])
  func whatHappensWhileItIsLoaded(macro: String, why: String) async throws {
    let (file, _) = try Self.made([macro])
    let patience: Int64 = why.contains("within") ? 200_000_000 : 30_000_000_000
    do throws(ChildFailure) {
      _ = try await ChildPlugin.start(file, settings: .test(patience: patience), logger: quiet) { _ in Issue.record("it never lived") }
      Issue.record("it was loaded")
    } catch {
      guard case .died(let text) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(text.contains(why), "\(text)")
    }
  }

  @Test func aPluginThatRefusesIsNoDeath() async throws {
    let (file, _) = try Self.made(["-DIN_ENTRY=return 0"])
    await #expect(throws: ChildFailure.refused("it refuses this host (contract \(HostABI.text))")) {
      _ = try await ChildPlugin.start(file, settings: .test(), logger: quiet) { _ in }
    }
  }

  // MARK: Floods

  @Test func samplesWithoutEnd() async throws {
    let hostile = try await Hostile()
    await hostile.ready("flood-samples")
    #expect(await hostile.link.poll() == .done)
    // Two seconds' worth at once, then as fast as a flood may be; the rest found the host busy.
    let taken = hostile.link.told.readings.map(\.items.count).reduce(0, +)
    #expect(taken >= 4000 && taken < 20_000, "\(taken)")
    #expect(await hostile.link.poll([]) == .done)
  }

  @Test func aMillionBadSamples() async throws {
    let hostile = try await Hostile()
    await hostile.ready("bad-samples")
    #expect(await hostile.link.poll(deadline: .max) == .done)
    #expect(hostile.link.told.readings.map(\.items.count).reduce(0, +) == 1)
    let lines = hostile.link.log.all
    #expect(lines.contains { $0.contains("samples were dropped") })
    #expect(lines.count <= 120, "\(lines.count)")
  }

  @Test(arguments: ["flood-log", "flood-output", "flood-identity"]) func linesWithoutEnd(does: String) async throws {
    let hostile = try await Hostile()
    await hostile.ready(does)
    #expect(await hostile.link.poll(deadline: .max) == .done)
    #expect(hostile.link.log.all.count <= 120)
    #expect(hostile.link.told.identities.count <= 121)
    #expect(hostile.link.told.last == ["power": "42"])
  }

  // MARK: The sandbox

  /// What was tried, without a success.
  private static func outcomes(_ text: String) -> [String: Int32] {
    Dictionary(
      text.split(separator: " ").compactMap { pair in
        let parts = pair.split(separator: "=")
        return parts.count == 2 ? (String(parts[0]), Int32(parts[1]) ?? 0) : nil
      }) { $1 }
  }

  private static func attempts(_ does: String, macros: [String], settings: ChildSettings = .test()) async throws -> [String: Int32] {
    let directory = try TemporaryDirectory()
    // Stands for the state database: a file of the host's that only the host's user may read.
    let secret = directory.path + "/state.db"
    try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
    let (file, _) = try made(macros + ["-DSECRET=\"\(secret)\""])
    let hostile = try await Hostile(open: does, settings: settings, file: file)
    return outcomes(await hostile.link.open().text)
  }

  private static let all = [
    "passwd", "secret", "root", "tmp", "mem", "environ", "openat2", "vm", "ptrace", "kill", "term", "tgkill", "queue", "pidfd", "owner",
    "socket", "unix", "netlink", "connect", "sendto", "exec", "execat", "fork", "clone3", "uring", "memfd", "shared", "tiocsti", "unshare",
    "prctl", "setuid", "setrlimit", "bpf", "keyctl",
  ]

  @Test func constructorsCannotReachTheHost() async throws {
    let found = try await Self.attempts("attempted", macros: ["-DIN_CONSTRUCTOR=attempt()"])
    #expect(Set(found.keys) == Set(Self.all))
    #expect(found.filter { $0.value == 0 }.isEmpty, "\(found)")
    #expect(found["passwd"] == EACCES && found["secret"] == EACCES)
  }

  @Test func callsCannotReachTheHost() async throws {
    let found = try await Self.attempts("attempts", macros: [])
    #expect(Set(found.keys) == Set(Self.all))
    #expect(found.filter { $0.value == 0 }.isEmpty, "\(found)")
  }

  /// The proof that it is Landlock that keeps the files: without it a constructor can read what its user can.
  @Test func withoutLandlockConstructorsRead() async throws {
    var settings = ChildSettings.test()
    settings.landlock = 0
    settings.allowWeak = true
    let found = try await Self.attempts("attempted", macros: ["-DIN_CONSTRUCTOR=attempt()"], settings: settings)
    #expect(found.filter { $0.value == 0 }.keys.contains("passwd"))
    #expect(found["socket"] == EPERM && found["exec"] == EPERM)
  }

  @Test func withoutLandlockNothingIsLoaded() async throws {
    var settings = ChildSettings.test()
    settings.landlock = 0
    let file = try await Self.file.value
    do throws(ChildFailure) {
      _ = try await ChildPlugin.start(file, settings: settings, logger: quiet) { _ in }
      Issue.record("it was loaded")
    } catch .refused(let text) {
      #expect(text.contains("plugins.allow_weak_sandbox"))
    } catch {
      Issue.record("\(error)")
    }
  }

  // MARK: Files

  /// What is loaded is a copy: whatever happens to the file harms nobody.
  @Test func theFileMayChangeUnderIt() async throws {
    let (file, directory) = try Self.made([])
    let path = directory.path + "/hostile.so"
    let hostile = try await Hostile(file: file)
    await hostile.ready("")
    let size = try bytes(ofFile: path).count
    let place = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try place.write(contentsOf: Data(repeating: 0xCC, count: size))
    #expect(await hostile.link.poll() == .done)
    try place.truncate(atOffset: 0)
    #expect(await hostile.link.poll() == .done)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.linkItem(atPath: try await Built.shared.value.fixture, toPath: path)
    #expect(await hostile.link.poll() == .done)
    #expect(await hostile.link.command(.set(point: 1, value: .number(1))) == .done(nil))
  }

  // MARK: Large things

  /// A template body beyond a packet travels in a sealed file, points and texts beyond one in several packets.
  @Test func largeMessages() async throws {
    let child = try await ChildPlugin.start(
      try Self.checked(await Built.shared.value.fixture), settings: .test(), logger: quiet
    ) { Issue.record("\($0)") }
    let link = try TestLink(child, adapter: "fixture")
    #expect(await link.open() == .done)
    let text = String(repeating: "x", count: 300_000)
    #expect(await link.add(#"{"does": "good", "note": "\#(text)"}"#) == .done)
    #expect(await link.poll() == .done)
    #expect(link.told.last["note"] == "grün")
  }
}
