// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import BusbarSystem
import Logging

let currentLimit = PointDescriptor(
  name: "current_limit", unit: "A", writable: true, minimum: 6, maximum: 32, allowed: [0], safe: .number(6),
  lease: .seconds(120))
let setpoint = PointDescriptor(
  name: "power_setpoint", unit: "W", writable: true, minimum: -5000, maximum: 5000, safe: .number(0))
let mode = PointDescriptor(
  name: "mode", type: .enumeration, kind: .state, writable: true, labels: ["auto", "hold", "off"], safe: .text("auto"))
let watched = PointDescriptor(
  name: "max_charge_power", unit: "W", type: .integer, writable: true, minimum: 0, maximum: 5000, safe: .integer(5000),
  refresh: .seconds(30))

/// A wallbox, a battery, and an arbiter in front of them.
struct Site {
  let time = TestTime()
  let events = Events()
  let log = Events()
  let writer: FakeWriter
  let journal: FakeJournal
  let arbiter: Arbiter

  static let executor = ThreadExecutor(name: "control-test")
  static let devices = [
    ControlledDevice(
      id: wallbox, writable: true,
      points: [
        PointDescriptor(name: "power", unit: "W"), currentLimit,
        PointDescriptor(name: "enabled", type: .boolean, writable: true),
        PointDescriptor(name: "phases", type: .integer, writable: true, setting: true, minimum: 1, maximum: 3),
      ],
      actions: ["charge.start", "unlock"], known: true),
    ControlledDevice(id: battery, writable: true, points: [setpoint, mode, watched], known: true),
  ]

  init(recovered: Bool = true) async {
    writer = FakeWriter(Self.devices, events: events)
    journal = FakeJournal(events: events)
    arbiter = Self.arbiter(writer, journal, time, log)
    if recovered { await arbiter.recover() }
  }

  private static func arbiter(
    _ writer: FakeWriter, _ journal: FakeJournal, _ time: any TimeSource, _ log: Events
  ) -> Arbiter {
    Arbiter(
      writer: writer, journal: journal, logger: Logger(label: "control") { _ in ListLog(lines: log) }, clock: time,
      executor: executor)
  }

  /// The host died and comes again: the same devices and the same journal.
  func restarted() -> Arbiter { Self.arbiter(writer, journal, time, log) }

  /// The same site by the clocks of the machine.
  func onSystemTime() async -> Arbiter {
    let arbiter = Self.arbiter(writer, journal, SystemTime(), log)
    await arbiter.recover()
    return arbiter
  }

  func advance(_ seconds: Double) async {
    time.advance(seconds)
    await arbiter.timePassed()
  }

  func set(
    _ id: String, _ device: DeviceID, _ point: String, _ value: Value?, owner: String = "ems", for seconds: Int = 60,
    _ priority: Priority = .schedule, dryRun: Bool = false
  ) -> CommandRequest {
    CommandRequest(
      id: id, device: device, verb: .set(point: point, value: value), time: time.unix(), validFor: .seconds(seconds),
      priority: priority, owner: owner, role: .operator_, dryRun: dryRun)
  }

  /// A limit for the wallbox.
  func set(
    _ id: String, _ value: Value?, owner: String = "ems", for seconds: Int = 60, _ priority: Priority = .schedule,
    dryRun: Bool = false
  ) -> CommandRequest {
    set(id, wallbox, "current_limit", value, owner: owner, for: seconds, priority, dryRun: dryRun)
  }

  func act(_ id: String, _ name: String) -> CommandRequest {
    CommandRequest(
      id: id, device: wallbox, verb: .action(name: name, arguments: ["connector": 1]), time: time.unix(), owner: "ems",
      role: .operator_)
  }

  /// Values as they were written to a point, oldest first.
  func written(_ point: String = "current_limit") -> [Value] {
    writer.writes.compactMap { if case .set(point, let value) = $0.verb { value } else { nil } }
  }
}
