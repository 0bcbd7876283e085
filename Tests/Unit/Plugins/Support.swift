// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Foundation
import Logging
import Synchronization
import Testing

/// The repository, from this file's place in it.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func later() -> Int64 { Clock.boot() + 30_000_000_000 }

/// A directory that goes with its owner; only its owner may write it.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/busbar-plugins-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func make(_ name: String) throws -> String {
    let place = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    return place
  }
}

struct ProgramFailed: Error, CustomStringConvertible {
  var description: String
}

/// Runs a program to its end; what it printed.
@discardableResult
func run(_ program: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw ProgramFailed(description: "\(program) \(arguments): \(text)") }
  return text
}

/// What is built once for all tests, by the system's C compiler and the template's own Makefile.
struct Built: Sendable {
  /// Made on a thread of its own: compilers keep nobody waiting who does not need them.
  static let shared = Task {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Built, any Error>) in
      WorkThread.start(name: "compilers") { done.resume(with: Result { try Built() }) }
    }
  }
  private static let home = Result { try TemporaryDirectory() }

  struct Broken: Sendable {
    var path: String
    var stage: String
    var fault: String
  }

  let fixture: String
  let hostile: String
  let lineMeter: String
  let broken: [Broken]
  /// Appears where a plugin was executed that must not be.
  let executed: String

  private init() throws {
    let directory = try Self.home.get()
    // What is static is never released.
    atexit { if let home = try? Self.home.get() { try? FileManager.default.removeItem(atPath: home.path) } }
    fixture = try directory.make("fixture") + "/misbehaving.so"
    try run(
      "cc",
      [
        "-std=c11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-I", "\(root)/PluginAPI/C/include", "-o",
        fixture,
        "\(root)/Tests/Unit/Plugins/Fixtures/misbehaving.c",
      ])
    hostile = try directory.make("hostile") + "/hostile.so"
    try Self.makeHostile(hostile)
    let meter = try directory.make("line-meter")
    try run("make", ["-C", "\(root)/PluginAPI/Templates/c", "OUT=\(meter)"])
    lineMeter = meter + "/line_meter.so"
    let place = try directory.make("broken")
    try run("bash", ["\(root)/Tests/ABI/broken/make.sh", place])
    broken = try String(contentsOfFile: place + "/index.tsv", encoding: .utf8).split(separator: "\n").map { line in
      let fields = line.split(separator: "\t").map(String.init)
      return Broken(path: "\(place)/\(fields[0])", stage: fields[1], fault: fields[2])
    }
    executed = place + "/EXECUTED"
    for path in [fixture, hostile, lineMeter] {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
  }

  /// Fixtures/hostile.c, with macros.
  static func makeHostile(_ path: String, _ macros: [String] = []) throws {
    try run(
      "cc",
      ["-std=gnu11", "-O1", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", "-I", "\(root)/PluginAPI/C/include"] + macros
        + ["-o", path, "\(root)/Tests/Unit/Plugins/Fixtures/hostile.c"])
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  static func loaded(_ path: String, caller: TimedExecutor? = nil) async throws -> TestPlugin {
    // Kept by nobody: what is loaded stays mapped without its file.
    let store = try TemporaryDirectory()
    return try await TestPlugin(PluginFile(path: path, store: store.path, services: HostABI.services), caller: caller)
  }
}

/// Where a plugin of a test runs.
enum Mode: String, Sendable {
  case host, child

  @TaskLocal static var current = Mode.host
}

/// Runs each test of a suite twice: the plugin cannot tell, and no more can the test.
struct BothModes: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
    try await Mode.$current.withValue(.host) { try await function() }
    try await Mode.$current.withValue(.child) { try await function() }
  }
}

extension Trait where Self == BothModes {
  static var bothModes: Self { BothModes() }
}

/// A plugin in this process and in a child.
struct TestPlugin: Sendable {
  let host: LoadedPlugin
  let child: ChildPlugin

  init(_ file: PluginFile, caller: TimedExecutor? = nil) async throws {
    host = try LoadedPlugin(file, logger: quiet)
    child = try await ChildPlugin.start(file, settings: .test(caller: caller), logger: quiet) { Issue.record("a child ended: \($0)") }
  }

  func link(adapter: String, resources: LinkResources) -> (any AdapterConnection)? {
    switch Mode.current {
    case .host: host.link(adapter: adapter, resources: resources)
    case .child: child.link(adapter: adapter, resources: resources)
    }
  }
}

extension ChildSettings {
  /// The host's program lies beside the one that runs the tests, unless that one has a sanitizer in it (Tests/Sanitize/run).
  /// Landlock as Debian 12 has it.
  static func test(
    memory: Int64 = 192 << 20, patience: Int64 = 30_000_000_000, mercy: Int64 = 50_000_000,
    processor: ProcessorWatch.Limit = .init(), caller: TimedExecutor? = nil
  ) -> ChildSettings {
    let own = OwnProcess.executable ?? ""
    let program =
      ProcessInfo.processInfo.environment["BUSBAR_TEST_PROGRAM"] ?? "\(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])/busbar"
    return ChildSettings(
      program: program, memory: memory, landlock: 2, patience: patience, mercy: mercy, processor: processor,
      caller: caller)
  }
}

func bytes(ofFile path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// What a link told.
final class Told: AdapterEvents {
  struct Reading: Sendable, Equatable {
    var device: UInt32
    var items: [BusbarModel.Reading.Item]
    var time: Int64
    var deviceTime: Int64?
    var durable: Bool
  }

  struct Fault: Sendable, Equatable {
    var device: UInt32
    var name: String
    var active: Bool
    var text: String
  }

  struct State {
    var points: [UInt32: [(id: UInt32, point: PointDescriptor)]] = [:]
    var identities: [DeviceIdentity] = []
    var readings: [Reading] = []
    var problems: [Fault] = []
  }

  private let state = Mutex(State())

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {
    state.withLock { $0.points[device] = points }
  }

  func identified(_ device: UInt32, _ identity: DeviceIdentity) { state.withLock { $0.identities.append(identity) } }

  func samples(_ device: UInt32, _ items: [BusbarModel.Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {
    let reading = Reading(device: device, items: items, time: time, deviceTime: deviceTime, durable: durable)
    state.withLock { $0.readings.append(reading) }
  }

  func problem(_ device: UInt32, name: String, active: Bool, text: String) {
    state.withLock { $0.problems.append(Fault(device: device, name: name, active: active, text: text)) }
  }

  func points(_ device: UInt32 = 1) -> [PointDescriptor] {
    state.withLock { $0.points[device, default: []].map(\.point) }
  }
  func ids(_ device: UInt32 = 1) -> [UInt32] { state.withLock { $0.points[device, default: []].map(\.id) } }
  func id(_ name: String) -> UInt32 { state.withLock { $0.points[1]?.first { $0.point.name == name }?.id ?? 0 } }
  var identities: [DeviceIdentity] { state.withLock { $0.identities } }
  var readings: [Reading] { state.withLock { $0.readings } }
  var problems: [Fault] { state.withLock { $0.problems } }

  /// The values of the last reading, `bad:REASON` where there is none.
  var last: [String: String] {
    let items = readings.last?.items ?? []
    return Dictionary(items.map { ($0.point.name, Self.text($0)) }) { $0 + "," + $1 }
  }

  static func text(_ item: BusbarModel.Reading.Item) -> String {
    switch item.quality {
    case .good: "\(item.value.map(\.description) ?? "nil")"
    case .uncertain: "~\(item.value.map(\.description) ?? "nil")"
    case .bad(let reason): item.value == nil ? "bad:\(reason.rawValue)" : "bad with a value"
    }
  }
}

final class MemoryStore: PluginStore {
  private let values = Mutex<[String: [UInt8]]>([:])
  func get(_ key: String) -> [UInt8]? { values.withLock { $0[key] } }
  func set(_ key: String, to value: [UInt8]) throws { values.withLock { $0[key] = value } }
}

/// Log lines, for what a plugin says there.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      lines.lines.withLock { $0.append("\(event.level): \(event.message)") }
    }
  }
}

/// A link with one device, its calls as functions that wait.
struct TestLink: Sendable {
  let link: any AdapterConnection
  let told = Told()
  let log = LogLines()
  static let pool = ThreadPool(name: "test", limit: 16)

  init(
    _ plugin: TestPlugin, adapter: String = "fixture", config: String = "{}",
    endpoint: StreamEndpoint = .tcp(host: "127.0.0.1", port: 1)
  ) throws {
    let resources = LinkResources(
      endpoints: ["device": endpoint], config: config, events: told, pool: Self.pool, store: MemoryStore(),
      logger: log.logger)
    guard let link = plugin.link(adapter: adapter, resources: resources) else {
      throw ProgramFailed(description: "there is no adapter \(adapter)")
    }
    self.link = link
  }

  /// In this process, whatever the mode.
  init(_ plugin: LoadedPlugin, adapter: String) throws {
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: told, pool: Self.pool, store: MemoryStore(), logger: log.logger)
    link = try #require(plugin.link(adapter: adapter, resources: resources))
  }

  /// In a child of the test's own.
  init(_ child: ChildPlugin, adapter: String = "hostile", config: String = "{}", store: any PluginStore = MemoryStore()) throws {
    let resources = LinkResources(
      endpoints: [:], config: config, events: told, pool: Self.pool, store: store, logger: log.logger)
    link = try #require(child.link(adapter: adapter, resources: resources))
  }

  func open(deadline: Int64 = later()) async -> CallResult {
    await withCheckedContinuation { done in link.open(deadline: deadline) { done.resume(returning: $0) } }
  }

  func add(_ config: String = "{}", number: UInt32 = 1, deadline: Int64 = later()) async -> CallResult {
    let setup = DeviceSetup(number: number, name: "lod_x", config: config, templateBody: "")
    return await withCheckedContinuation { done in link.add(setup, deadline: deadline) { done.resume(returning: $0) } }
  }

  func remove(_ number: UInt32 = 1) async -> CallResult {
    await withCheckedContinuation { done in link.remove(number, deadline: later()) { done.resume(returning: $0) } }
  }

  func poll(_ due: [UInt32]? = nil, deadline: Int64 = later()) async -> CallResult {
    let due = due ?? told.ids()
    return await withCheckedContinuation { done in
      link.poll(1, due: due, deadline: deadline) { done.resume(returning: $0) }
    }
  }

  func command(_ verb: AdapterCommand.Verb, id: String = "c1", dryRun: Bool = false, validUntil: Int64 = later()) async
    -> CommandResult
  {
    let command = AdapterCommand(
      device: 1, verb: verb, id: id, dryRun: dryRun, refresh: false, safe: false, validUntil: validUntil)
    return await withCheckedContinuation { done in
      link.command(command, deadline: later()) { done.resume(returning: $0) }
    }
  }

  func close() async -> CallResult {
    let result = await withCheckedContinuation { done in link.close(deadline: later()) { done.resume(returning: $0) } }
    link.retire()
    return result
  }
}
