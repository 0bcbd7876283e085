// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Synchronization

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
