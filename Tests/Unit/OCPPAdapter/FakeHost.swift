// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import Foundation
import Logging
import PluginJSON
import Synchronization
import Testing

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func later() -> Int64 { Clock.boot() + 30_000_000_000 }

struct Missing: Error, CustomStringConvertible {
  var description: String
}

/// The plugin as it is installed, loaded once.
enum Plugin {
  static let loaded = Result { () throws -> LoadedPlugin in
    let own = OwnProcess.executable ?? ""
    let folder = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
    let store = FileManager.default.temporaryDirectory.path + "/busbar-ocpp-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: store, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    // What is loaded stays mapped without its file.
    defer { try? FileManager.default.removeItem(atPath: store) }
    return try LoadedPlugin(
      PluginFile(path: "\(folder)/libBusbarOCPP.so", store: store, services: HostABI.services), logger: quiet)
  }
}

/// What the adapter did, in its order.
enum Deed: Equatable {
  case sent(String)
  case stored(String)
  case recorded(String, String)
  case asked(UInt64, String)
  case closed(UInt16)
  case timer(Int64)
  case completed(UInt64, CommandResult)
}

final class Diary: Sendable {
  private let deeds = Mutex<[Deed]>([])
  private let disk = Mutex((values: [String: [UInt8]](), refuses: false))
  let tags = Mutex(Array(#"{"version":0,"tags":[]}"#.utf8))

  var all: [Deed] { deeds.withLock { $0 } }
  func add(_ deed: Deed) { deeds.withLock { $0.append(deed) } }
  func clear() { deeds.withLock { $0 = [] } }

  var refuses: Bool {
    get { disk.withLock { $0.refuses } }
    set { disk.withLock { $0.refuses = newValue } }
  }
  var values: [String: [UInt8]] { disk.withLock { $0.values } }

  func write(_ key: String, _ value: [UInt8]) -> Bool {
    disk.withLock { disk in
      if !disk.refuses { disk.values[key] = value.isEmpty ? nil : value }
      return !disk.refuses
    }
  }

  /// Frames to the charger.
  var frames: [JSON] {
    all.compactMap { deed in if case .sent(let text) = deed { try? JSON(parsing: Array(text.utf8)) } else { nil } }
  }
}

struct DiaryStore: PluginStore {
  let diary: Diary

  func get(_ key: String) -> [UInt8]? { diary.values[key] }
  func set(_ key: String, to value: [UInt8]) throws {
    guard diary.write(key, value) else { throw Missing(description: "the disk is full") }
    diary.add(.stored(key))
  }
}

struct FakeServices: LinkServices {
  let diary: Diary

  func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    diary.add(.sent(String(decoding: bytes, as: UTF8.self)))
    return .taken
  }
  func close(code: UInt16, reason: String) { diary.add(.closed(code)) }
  func timer(tag: UInt64, delay: Int64, period: Int64) { diary.add(.timer(delay)) }
  func wake(tag: UInt64) {}
  func completed(token: UInt64, _ result: CommandResult) -> Bool {
    diary.add(.completed(token, result))
    return true
  }
  func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) { diary.add(.asked(ticket, tag)) }
  func tags() -> [UInt8] { diary.tags.withLock { $0 } }
  func record(device: UInt32, kind: String, document: [UInt8]) -> String? {
    guard !diary.refuses else { return "the disk is full" }
    diary.add(.recorded(kind, String(decoding: document, as: UTF8.self)))
    return nil
  }
  func request(device: String, point: String, value: Double?, valid: Int64) -> String? { "nobody granted this link anything" }
}

final class Told: AdapterEvents {
  struct State {
    var points: [(id: UInt32, point: PointDescriptor)] = []
    var identities: [DeviceIdentity] = []
    var values: [String: Value] = [:]
    var problems: [String: Bool] = [:]
  }

  private let state = Mutex(State())

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {
    state.withLock { $0.points += points }
  }
  func identified(_ device: UInt32, _ identity: DeviceIdentity) { state.withLock { $0.identities.append(identity) } }
  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {
    state.withLock { state in
      for item in items { state.values[item.point.name] = item.value }
    }
  }
  func problem(_ device: UInt32, name: String, active: Bool, text: String) { state.withLock { $0.problems[name] = active } }

  var values: [String: Value] { state.withLock { $0.values } }
  var points: [PointDescriptor] { state.withLock { $0.points.map(\.point) } }
  var ids: [UInt32] { state.withLock { $0.points.map(\.id) } }
  var identities: [DeviceIdentity] { state.withLock { $0.identities } }
  var problems: [String: Bool] { state.withLock { $0.problems } }
  func id(_ name: String) -> UInt32 { state.withLock { $0.points.first { $0.point.name == name }?.id ?? 0 } }
}

/// A link of the adapter with one charger, its calls as functions that wait.
struct ChargerLink: Sendable {
  let link: any AdapterConnection
  let told = Told()
  let diary: Diary
  private static let pool = ThreadPool(name: "test", limit: 8)

  init(_ diary: Diary = Diary(), config: String = #"{"introduction":"0s"}"#, add: Bool = true) async throws {
    self.diary = diary
    var resources = LinkResources(
      endpoints: [:], config: "{}", events: told, pool: Self.pool, store: DiaryStore(diary: diary), logger: quiet)
    resources.services = FakeServices(diary: diary)
    link = try #require(try Plugin.loaded.get().link(adapter: "ocpp", resources: resources))
    let opened: CallResult = await withCheckedContinuation { done in link.open(deadline: later()) { done.resume(returning: $0) } }
    #expect(opened.failure == nil, "\(opened)")
    if add { #expect(await self.add(config).failure == nil) }
  }

  func add(_ config: String, number: UInt32 = 1) async -> CallResult {
    let setup = DeviceSetup(number: number, name: "evc_x", config: config, templateBody: "")
    return await withCheckedContinuation { done in link.add(setup, deadline: later()) { done.resume(returning: $0) } }
  }

  @discardableResult
  func event(_ event: LinkEvent) async -> CallResult {
    await withCheckedContinuation { done in link.event(event, deadline: later()) { done.resume(returning: $0) } }
  }

  func connect(_ subprotocol: String = "ocpp1.6") async {
    let result = await event(.opened(SocketPeer(identity: "CP1", subprotocol: subprotocol, address: "127.0.0.1:1")))
    #expect(result.failure == nil)
  }

  /// A request of the charger; our answer to it, `[3, id, payload]`.
  @discardableResult
  func call(_ action: String, _ payload: String, id: String) async -> JSON? {
    await event(.message(text: true, Array("[2,\"\(id)\",\"\(action)\",\(payload)]".utf8)))
    return answer(id)
  }

  func answer(_ id: String) -> JSON? {
    diary.frames.last { $0.array?.first?.integer != 2 && $0.array?[1].string == id }
  }

  /// The payload of our last request.
  var asked: JSON? { diary.frames.last { $0.array?.first?.integer == 2 }?.array?.last }

  /// Answers our last request.
  func reply(_ payload: String, to action: String) async {
    guard let call = diary.frames.last(where: { $0.array?[0].integer == 2 }), call.array?[2].string == action else {
      Issue.record("no \(action) is asked, but \(diary.frames)")
      return
    }
    await event(.message(text: true, Array("[3,\"\(call.array?[1].string ?? "")\",\(payload)]".utf8)))
  }

  /// Boots, and answers what is asked then; `list` answers about the local list, where the host has one.
  func boot(list: () async -> Void = {}) async {
    await connect()
    await reply(#"{"status":"Accepted"}"#, to: "TriggerMessage")
    await call(
      "BootNotification", #"{"chargePointVendor":"Acme","chargePointModel":"M1","chargePointSerialNumber":"S-7"}"#, id: "boot")
    await reply(#"{"configurationKey":[{"key":"NumberOfConnectors","readonly":true,"value":"1"}]}"#, to: "GetConfiguration")
    await list()
    await call("StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"Available"}"#, id: "status")
  }

  func poll() async -> CallResult {
    await withCheckedContinuation { done in
      link.poll(1, due: told.ids, deadline: later()) { done.resume(returning: $0) }
    }
  }

  func command(_ verb: AdapterCommand.Verb, id: String = UUID().uuidString, dryRun: Bool = false, safe: Bool = false) async
    -> CommandResult
  {
    let command = AdapterCommand(
      device: 1, verb: verb, id: id, dryRun: dryRun, refresh: false, safe: safe, validUntil: later())
    return await withCheckedContinuation { done in
      link.command(command, deadline: later()) { done.resume(returning: $0) }
    }
  }

  /// How a command ended that was pending.
  var completed: CommandResult? {
    diary.all.lazy.compactMap { deed in if case .completed(_, let result) = deed { result } else { nil } }.last
  }
}
