// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// One unit behind a link, and what was learnt about it.
public final class ModbusDevice {
  let number: DeviceNumber
  let unit: UInt8
  let template: Template
  /// Kept for the next device of the kind.
  private let shared: SharedTemplate
  /// Places in the template.
  private let indices: [PointID: Int]
  var memory = ReadRun.Memory()
  /// Two, the last used first: points with two periods come in two sets.
  private var readings: [RegularReading] = []
  var isIdentified = false
  /// The last reading was answered as it should be: a silence now is a lost answer, not a dead device.
  var isWell = false
  /// Budgets of writes by key, as they are stored.
  var wear: [String: WearAccount] = [:]
  /// Points whose watchdog could not be programmed.
  var faultyWatchdogs: Set<String> = []
  /// Ends of the last request and the last write; the device wants pauses between them.
  var lastRequest: Int64 = 0
  var lastWrite: Int64 = 0

  init(_ number: DeviceNumber, unit: UInt8, template: Template, of shared: SharedTemplate, ids: [PointID]) {
    self.number = number
    self.unit = unit
    self.template = template
    self.shared = shared
    indices = Dictionary(zip(ids, ids.indices), uniquingKeysWith: { first, _ in first })
  }

  var map: DeviceMap { template.map }

  func index(of id: PointID) -> Int? { indices[id] }

  /// A reading that the host asks for again and again.
  struct RegularReading {
    let due: [PointID]
    /// Those of them that can be read, in the order of the plan's points.
    let ids: [PointID]
    let plan: ReadPlan
  }

  /// nil where nothing of it can be read.
  func reading(of due: [PointID], now: Int64) -> RegularReading? {
    if let place = readings.firstIndex(where: { $0.due == due }), readings[place].plan.holds(memory, now: now) {
      if place > 0 { readings.swapAt(0, place) }
      return readings[0]
    }
    let known = due.compactMap { id in index(of: id).map { (id, map.points[$0]) } }.filter { $0.1.reading != nil }
    guard !known.isEmpty else { return nil }
    let plan = ReadPlan(map, known.map(\.1), memory: &memory, now: now)
    let reading = RegularReading(due: due, ids: known.map(\.0), plan: plan)
    readings = [reading] + readings.filter { $0.due != due }.prefix(1)
    return reading
  }
}
