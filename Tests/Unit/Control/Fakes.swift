// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarControl
import BusbarModel
import BusbarSystem
import Logging
import Synchronization

/// Swift Testing has tags too.
typealias Tag = BusbarControl.Tag

let second: Int64 = 1_000_000_000
let wallbox = DeviceID(rawValue: "evc_keba_1")!
let battery = DeviceID(rawValue: "bat_huawei_1")!

/// Clocks that move only when told to; whoever sleeps is not woken, so all that is due waits for `timePassed`.
final class TestTime: TimeSource {
  private let now = Mutex<(boot: Int64, unix: Int64)>((boot: 1000 * second, unix: 1_795_378_158_000))

  func boot() -> Int64 { now.withLock { $0.boot } }
  func unix() -> Int64 { now.withLock { $0.unix } }
  func sleep(until boot: Int64) async throws { try await Task.sleep(for: .seconds(3600)) }

  func advance(_ seconds: Double) {
    now.withLock {
      $0.boot += Int64(seconds * 1e9)
      $0.unix += Int64(seconds * 1e3)
    }
  }

  /// The wall clock alone jumps.
  func setUnix(_ unix: Int64) { now.withLock { $0.unix = unix } }
}

/// What happened in which order, across journal and device.
final class Events: Sendable {
  private let list = Mutex<[String]>([])
  var all: [String] { list.withLock { $0 } }
  func add(_ event: String) { list.withLock { $0.append(event) } }
}

/// Devices that hold what they are told, or behave as the script says.
final class FakeWriter: DeviceWriter {
  typealias Script = @Sendable (DeviceWrite) -> DeviceWriteResult

  private struct State {
    var devices: [DeviceID: ControlledDevice] = [:]
    var writes: [DeviceWrite] = []
    var values: [PointKey: Value] = [:]
    var script: Script?
    var held = false
    var gates: [CheckedContinuation<Void, Never>] = []
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())
  private let events: Events?

  init(_ devices: [ControlledDevice], events: Events? = nil) {
    self.events = events
    state.withLock { for device in devices { $0.devices[device.id] = device } }
  }

  /// All writes that arrived, oldest first.
  var writes: [DeviceWrite] { state.withLock { $0.writes } }
  func value(_ device: DeviceID, _ point: String) -> Value? {
    state.withLock { $0.values[PointKey(device: device, point: point)] }
  }
  func set(_ device: ControlledDevice) { state.withLock { $0.devices[device.id] = device } }
  func answer(_ script: Script?) { state.withLock { $0.script = script } }
  /// Writes arrive and stay unanswered until `resume`.
  func hold() { state.withLock { $0.held = true } }

  func resume() {
    let gates = state.withLock { state in
      state.held = false
      defer { state.gates = [] }
      return state.gates
    }
    for gate in gates { gate.resume() }
  }

  /// Returns when as many writes have arrived.
  func arrived(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let there = state.withLock { state in
        if state.writes.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if there { continuation.resume() }
    }
  }

  func describe(_ device: DeviceID) async -> ControlledDevice? { state.withLock { $0.devices[device] } }

  func write(_ write: DeviceWrite) async -> DeviceWriteResult {
    events?.add("write \(write.purpose) \(Self.text(write.verb))")
    let ready = state.withLock { state in
      state.writes.append(write)
      let count = state.writes.count
      defer { state.watchers.removeAll { $0.count <= count } }
      return state.watchers.filter { $0.count <= count }
    }
    for watcher in ready { watcher.continuation.resume() }
    await withCheckedContinuation { continuation in
      let passes = state.withLock { state in
        if state.held { state.gates.append(continuation) }
        return !state.held
      }
      if passes { continuation.resume() }
    }
    let script = state.withLock { $0.script }
    let result = script?(write) ?? .done(nil)
    if case .set(let point, let value) = write.verb, !write.dryRun, [.done(nil), .accepted].contains(result) {
      state.withLock { $0.values[PointKey(device: write.device, point: point)] = value }
    }
    return result
  }

  private static func text(_ verb: DeviceWrite.Verb) -> String {
    switch verb {
    case .set(let point, let value): "\(point)=\(value)"
    case .action(let name, _): name
    }
  }
}

struct DiskFull: Error, CustomStringConvertible {
  var description: String { "database or disk is full" }
}

/// A journal that survives its arbiter; nothing is written to a disk.
final class FakeJournal: CommandJournaling {
  private struct Entry {
    var device: DeviceID
    var digest: String
    var sent = false
    var response: CommandResponse?
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var debts: [SafeValueDebt] = []
    var full = false
  }

  private let state = Mutex(State())
  private let events: Events?

  init(events: Events? = nil) { self.events = events }

  func setFull(_ full: Bool) { state.withLock { $0.full = full } }
  var ids: Set<String> { state.withLock { Set($0.entries.keys) } }
  var open: [SafeValueDebt] { state.withLock { $0.debts } }
  func response(_ id: String) -> CommandResponse? { state.withLock { $0.entries[id]?.response } }

  private func change<T: Sendable>(_ event: String, _ body: (inout State) -> sending T) throws -> T {
    let result: T = try state.withLock { state in
      guard !state.full else { throw DiskFull() }
      return body(&state)
    }
    events?.add(event)
    return result
  }

  func enter(id: String, device: DeviceID, digest: String, time: Int64) throws -> JournalEntry {
    try change("enter \(id)") { state in
      guard let entry = state.entries[id] else {
        state.entries[id] = Entry(device: device, digest: digest)
        return .new
      }
      guard entry.digest == digest else { return .different }
      return entry.response.map { .finished($0) } ?? .running
    }
  }

  func sent(id: String) throws { try change("sent \(id)") { $0.entries[id]?.sent = true } }
  func finish(id: String, response: CommandResponse) throws {
    try change("finish \(id) \(response.status)") { $0.entries[id]?.response = response }
  }

  func unfinished() throws -> [UnfinishedCommand] {
    state.withLock { state in
      state.entries.filter { $0.value.sent && $0.value.response == nil }
        .map { UnfinishedCommand(id: $0.key, device: $0.value.device) }
    }
  }

  func owe(_ debt: SafeValueDebt) throws {
    try change("owe \(debt.point)=\(debt.safe)") { state in
      state.debts.removeAll { $0.device == debt.device && $0.point == debt.point }
      state.debts.append(debt)
    }
  }

  func settled(device: DeviceID, point: String) throws {
    try change("settled \(point)") { $0.debts.removeAll { $0.device == device && $0.point == point } }
  }

  func debts() throws -> [SafeValueDebt] { state.withLock { $0.debts } }
}

/// Keeps the messages.
struct ListLog: LogHandler {
  let lines: Events
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.add("\(event.level): \(event.message)") }
}
