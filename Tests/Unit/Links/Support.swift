// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Logging
import Synchronization

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
