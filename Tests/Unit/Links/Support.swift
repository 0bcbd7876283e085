// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Logging
import Synchronization

/// What happened, in order, and a way to wait for what has not happened yet.
final class Journal<Event: Sendable>: Sendable {
  struct NeverCame: Error {
    var what: String
    var events: [Event]
  }

  private struct Waiter: Sendable {
    let id: Int
    let matches: @Sendable (Event) -> Bool
    let continuation: CheckedContinuation<Int?, Never>
  }

  private struct State: Sendable {
    var events: [Event] = []
    var waiters: [Waiter] = []
    var last = 0
  }

  private let state = Mutex(State())

  var all: [Event] { since(0) }
  var count: Int { state.withLock { $0.events.count } }

  /// Copied one by one: ThreadSanitizer does not see that whoever shared the storage has let go of it.
  func since(_ place: Int) -> [Event] { state.withLock { $0.events[place...].map(\.self) } }

  func add(_ event: Event) {
    let (place, ready) = state.withLock { state in
      state.events.append(event)
      let ready = state.waiters.filter { $0.matches(event) }
      state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
      return (state.events.count - 1, ready)
    }
    for waiter in ready { waiter.continuation.resume(returning: place) }
  }

  /// The first matching event from this place on, which may have happened already. Throws where none comes for long.
  @discardableResult
  func first(from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool) async throws -> Event
  {
    let found = try await self.place(from: place, what, matches)
    return state.withLock { $0.events[found] }
  }

  /// Waits until there are so many matching events.
  func reach(_ count: Int, from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool)
    async throws
  {
    var place = place
    for _ in 0..<count { place = try await self.place(from: place, what, matches) + 1 }
  }

  private func place(from place: Int, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool) async throws
    -> Int
  {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    let timer = Task {
      guard (try? await Task.sleep(for: .seconds(40))) != nil else { return }
      let late = state.withLock { state -> Waiter? in
        guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return state.waiters.remove(at: index)
      }
      late?.continuation.resume(returning: nil)
    }
    defer { timer.cancel() }
    let found = await withCheckedContinuation { continuation in
      let found = state.withLock { state -> Int? in
        if place < state.events.count, let found = state.events[place...].firstIndex(where: matches) { return found }
        state.waiters.append(Waiter(id: id, matches: matches, continuation: continuation))
        return nil
      }
      if let found { continuation.resume(returning: found) }
    }
    guard let found else { throw NeverCame(what: what, events: all) }
    return found
  }
}

/// A call of a link's guard.
enum Call: Sendable, Equatable {
  case open, close, cancel
  case add(DeviceSetup)
  case remove(UInt32)
  case poll(UInt32, [UInt32])
  case command(AdapterCommand)
  case scan(ScanRequest)
  case event(LinkEvent)

  var isPoll: Bool { if case .poll = self { true } else { false } }
  var isCommand: Bool { if case .command = self { true } else { false } }
  func isPoll(of device: UInt32) -> Bool { if case .poll(device, _) = self { true } else { false } }
}

/// How a scripted call ends.
enum Ending: Sendable {
  /// As a good adapter would.
  case well
  case badly(CallResult)
  case command(CommandResult)
  /// When the test says so.
  case held
  /// When the guard cancels it.
  case untilCancelled
}

/// An adapter that the test plays. Without a script every call ends well, and every poll brings values.
final class FakeAdapter: LinkConnecting {
  struct Entry: Sendable, Equatable {
    var link: String
    /// Which connection of the link, from 1.
    var connection: Int
    var call: Call
    /// Boot clock. That something came no earlier than it may can be told from it on any machine; that it came in time cannot.
    let time = Clock.boot()
  }

  struct Script: Sendable {
    var refusal: String?
    /// The counter counts the polls of a connection: those of a busy machine come close together, and a new connection starts over.
    var points = [
      PointDescriptor(name: "power", unit: "W"),
      PointDescriptor(name: "energy_total", unit: "Wh", kind: .counter, plausible: Plausible(jump: 1e6, falls: true)),
    ]
    /// Told with the first poll of a device.
    var identities: [UInt32: DeviceIdentity] = [:]
    /// What a poll delivers; the value is the count of polls.
    var deliver: @Sendable (PointDescriptor, Double) -> Reading.Item? = { Reading.Item($0, .number($1)) }
    var ending: @Sendable (Call) -> Ending = { _ in .well }
  }

  let journal = Journal<Entry>()
  private let scripts = Mutex<[String: Script]>([:])
  private let connections = Mutex<[String: [FakeConnection]]>([:])

  func script(_ link: String = "bus1", _ change: @Sendable (inout Script) -> Void) {
    scripts.withLock { change(&$0[link, default: Script()]) }
  }

  func script(of link: String) -> Script { scripts.withLock { $0[link, default: Script()] } }

  func connect(_ plan: LinkPlan, events: any AdapterEvents) async throws(PluginFile.Refusal) -> any AdapterConnection {
    if let refusal = script(of: plan.id).refusal { throw PluginFile.Refusal(message: refusal) }
    return connections.withLock { connections in
      let number = connections[plan.id, default: []].count + 1
      let connection = FakeConnection(plan.id, number, self, events)
      connections[plan.id, default: []].append(connection)
      return connection
    }
  }

  /// The newest connection of a link.
  func connection(_ link: String = "bus1") -> FakeConnection? { connections.withLock { $0[link]?.last } }

  /// Waits for a call.
  @discardableResult
  func call(
    on link: String = "bus1", from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (Call) -> Bool
  ) async throws -> Entry {
    try await journal.first(from: place, what) { $0.link == link && matches($0.call) }
  }

  /// Waits until there were so many calls of a kind.
  func reach(
    _ count: Int, on link: String = "bus1", _ what: String, _ matches: @escaping @Sendable (Call) -> Bool
  ) async throws {
    try await journal.reach(count, what) { $0.link == link && matches($0.call) }
  }

  func calls(_ link: String = "bus1", since place: Int = 0) -> [Call] {
    journal.since(place).filter { $0.link == link }.map(\.call)
  }
}

final class FakeConnection: AdapterConnection {
  private let link: String
  private let number: Int
  private let adapter: FakeAdapter
  let events: any AdapterEvents

  private struct State {
    /// Calls that have not ended; there is never more than one.
    var held: (@Sendable (Ending) -> Void)?
    var cancellable = false
    var polls = 0.0
    var points: [UInt32: [(id: UInt32, point: PointDescriptor)]] = [:]
    var identified: Set<UInt32> = []
    var next: UInt32 = 1
    var condition = ConnectionCondition.usable
    var inChild = false
  }

  private let state = Mutex(State())

  init(_ link: String, _ number: Int, _ adapter: FakeAdapter, _ events: any AdapterEvents) {
    self.link = link
    self.number = number
    self.adapter = adapter
    self.events = events
  }

  var condition: ConnectionCondition { state.withLock { $0.condition } }

  /// As of a plugin in a child; `told` = outside of a call.
  func become(_ condition: ConnectionCondition, told: Bool = true) {
    state.withLock { $0.condition = condition }
    if told { events.conditionChanged() }
  }

  func moveToChild() { state.withLock { $0.inChild = true } }
  func giveUp() -> Bool { state.withLock { !$0.inChild } }

  var isHeld: Bool { state.withLock { $0.held != nil } }

  /// Ends the call that is held.
  func end(_ ending: Ending = .well) {
    let held = state.withLock { state in
      defer { state.held = nil }
      return state.held
    }
    held?(ending)
  }

  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { run(.open, completion) {} }
  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { run(.close, completion) {} }

  func add(_ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    run(.add(device), completion) { [self] in
      let script = adapter.script(of: link)
      let points = state.withLock { state in
        let points = script.points.map { point in
          defer { state.next += 1 }
          return (id: state.next, point: point)
        }
        state.points[device.number] = points
        return points
      }
      events.declared(device.number, points: points)
    }
  }

  func remove(_ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    run(.remove(device), completion) {}
  }

  func poll(_ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    run(.poll(device, due), completion) { [self] in deliver(device, due) }
  }

  /// What a good poll brings.
  func deliver(_ device: UInt32, _ due: [UInt32]) {
    let script = adapter.script(of: link)
    let (count, points, first) = state.withLock { state in
      state.polls += 1
      let points = state.points[device, default: []].filter { due.contains($0.id) }.map(\.point)
      return (state.polls, points, state.identified.insert(device).inserted)
    }
    if first, let identity = script.identities[device] { events.identified(device, identity) }
    let items = points.compactMap { script.deliver($0, count) }
    if !items.isEmpty { events.samples(device, items, time: Clock.unix(), deviceTime: nil, durable: false) }
  }

  func command(_ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void) {
    begin(.command(command)) { ending in
      switch ending {
      case .command(let result): completion(result)
      case .badly(let result): completion(.failed(result))
      case .well, .held, .untilCancelled: completion(.done(nil))
      }
    }
  }

  func event(_ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    run(.event(event), completion) {}
  }

  /// Three steps, something found in the second.
  func scan(_ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void) {
    begin(.scan(step)) { ending in
      switch ending {
      case .badly(let result): completion(ScanResult(result))
      case .well, .held, .untilCancelled, .command:
        let found = AdapterCandidate(template: "t", config: [:], identity: DeviceIdentity(), confidence: 0.5)
        completion(ScanResult(.done, steps: 3, candidates: step.step == 1 ? [found] : []))
      }
    }
  }

  func cancel() {
    adapter.journal.add(FakeAdapter.Entry(link: link, connection: number, call: .cancel))
    if state.withLock({ $0.cancellable }) {
      end(.badly(CallResult(failure: .cancelled, reason: .unspecified, text: "cancelled")))
    }
  }

  private func run(
    _ call: Call, _ completion: @escaping @Sendable (CallResult) -> Void, well: @escaping @Sendable () -> Void
  ) {
    begin(call) { ending in
      if case .badly(let result) = ending { return completion(result) }
      well()
      completion(.done)
    }
  }

  private func begin(_ call: Call, _ end: @escaping @Sendable (Ending) -> Void) {
    let ending = adapter.script(of: link).ending(call)
    let isFirst = state.withLock { state in
      guard state.held == nil else { return false }
      state.cancellable = false
      switch ending {
      case .held: state.held = end
      case .untilCancelled:
        state.held = end
        state.cancellable = true
      default: break
      }
      return true
    }
    precondition(isFirst, "two calls of a link at the same time: \(call)")
    adapter.journal.add(FakeAdapter.Entry(link: link, connection: number, call: call))
    switch ending {
    case .held, .untilCancelled: break
    default: end(ending)
    }
  }
}

/// What the links told.
final class Observed: LinkObserver {
  enum Event: Sendable, Equatable {
    case reading(Reading)
    case status(DeviceStatus)
    case info(DeviceInfo)
    case alarm(Alarm)
    case lost(Int)
  }

  let journal = Journal<Event>()

  func reading(_ reading: Reading) { journal.add(.reading(reading)) }
  func status(_ status: DeviceStatus) { journal.add(.status(status)) }
  func info(_ info: DeviceInfo) { journal.add(.info(info)) }
  func alarm(_ alarm: Alarm) { journal.add(.alarm(alarm)) }
  func threadLost(_ lost: Int) { journal.add(.lost(lost)) }

  var alarms: [Alarm] { journal.all.compactMap { if case .alarm(let alarm) = $0 { alarm } else { nil } } }
  func readings(_ device: DeviceID, since place: Int = 0) -> [Reading] {
    journal.since(place).compactMap { event in
      if case .reading(let reading) = event, reading.device == device { reading } else { nil }
    }
  }
  func statuses(_ device: DeviceID) -> [DeviceStatus] {
    journal.all.compactMap { if case .status(let status) = $0, status.device == device { status } else { nil } }
  }

  @discardableResult
  func status(_ device: DeviceID, _ state: DeviceState, from place: Int = 0) async throws -> DeviceStatus {
    let event = try await journal.first(from: place, "\(device) \(state)") { event in
      if case .status(let status) = event { status.device == device && status.state == state } else { false }
    }
    guard case .status(let status) = event else { preconditionFailure() }
    return status
  }

  @discardableResult
  func reading(
    _ device: DeviceID, from place: Int = 0, _ matches: @escaping @Sendable (Reading) -> Bool = { _ in true }
  ) async throws -> Reading {
    let event = try await journal.first(from: place, "a reading of \(device)") { event in
      if case .reading(let reading) = event { reading.device == device && matches(reading) } else { false }
    }
    guard case .reading(let reading) = event else { preconditionFailure() }
    return reading
  }

  @discardableResult
  func alarm(_ device: DeviceID, active: Bool, from place: Int = 0) async throws -> Alarm {
    let event = try await journal.first(from: place, "an alarm of \(device), \(active)") { event in
      if case .alarm(let alarm) = event { alarm.device == device && alarm.active == active } else { false }
    }
    guard case .alarm(let alarm) = event else { preconditionFailure() }
    return alarm
  }
}

final class Bindings: IdentityBinding {
  private let bound: Mutex<[String: DeviceID]>
  init(_ bound: [String: DeviceID] = [:]) { self.bound = Mutex(bound) }
  func id(forKey key: String) -> DeviceID? { bound.withLock { $0[key] } }
  func bind(_ id: DeviceID, toKey key: String) -> DeviceID {
    bound.withLock { bound in
      bound[key] = id
      return id
    }
  }
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Links on adapters that the test plays.
struct Site: Sendable {
  let adapter = FakeAdapter()
  let observed = Observed()
  let bindings: Bindings
  let manager: LinkManager

  init(_ bindings: Bindings = Bindings(), patience: Duration = .seconds(15)) {
    self.bindings = bindings
    manager = LinkManager(
      connecting: adapter, observer: observed, binding: bindings, logger: silent, patience: patience)
  }

  func write(_ device: DeviceID, _ value: Double, id: String = "c1", validFor: Duration = .seconds(30)) async
    -> DeviceWriteResult
  {
    await manager.write(
      DeviceWrite(
        device: device, verb: .set(point: "power", value: .number(value)), purpose: .command, id: id,
        validUntil: Clock.boot() + validFor.nanoseconds))
  }

  func link(_ id: String = "bus1") async -> LinkSnapshot? { await manager.links().first { $0.id == id } }
}

func id(_ text: String) -> DeviceID { DeviceID(rawValue: text)! }

let a = id("met_a")
let b = id("met_b")

func device(
  _ id: DeviceID?, key: String? = nil, period: Duration = .milliseconds(100), config: String = "{}",
  points: [String: Duration] = [:]
) -> DevicePlan {
  DevicePlan(
    id: id, key: key ?? id?.rawValue ?? "", name: "Device", kind: .meter, template: nil, vendor: nil, model: nil,
    config: config,
    templateBody: "", poll: PollPlan(period: period, points: points), writable: true)
}

func plan(_ id: String, endpoint: UInt16 = 502, _ devices: DevicePlan...) -> LinkPlan {
  LinkPlan(
    id: id, adapter: "fake", endpoint: .tcp(host: "127.0.0.1", port: endpoint),
    endpointText: "tcp://127.0.0.1:\(endpoint)",
    config: "{}", devices: devices)
}

func plan(_ devices: DevicePlan...) -> LinkPlan {
  var bus = plan("bus1")
  bus.devices = devices
  return bus
}

func failure(_ failure: CallResult.Class, _ reason: CallResult.Reason = .unspecified, _ text: String = "") -> Ending {
  .badly(CallResult(failure: failure, reason: reason, text: text))
}

extension Reading {
  /// `power=3`, `power:timeout`.
  var text: [String] {
    items.map { item in
      switch item.quality {
      case .bad(let reason): item.value == nil ? "\(item.point.name):\(reason.rawValue)" : "bad with a value"
      case .good, .uncertain: "\(item.point.name)=\(item.value.map(\.description) ?? "nil")"
      }
    }
  }
  var isGood: Bool { items.allSatisfy { $0.value != nil } }
}
