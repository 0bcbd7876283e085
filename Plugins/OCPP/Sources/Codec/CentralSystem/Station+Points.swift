// SPDX-License-Identifier: Apache-2.0

/// Readings and states in the names of interfaces 5.
extension Station {
  /// Points that are summed over connectors for the charger.
  private static let summed: Set<String> = ["power", "energy_total"]

  private func suffix(_ connector: Int) -> String { connectors.count > 1 && connector > 0 ? "_c\(connector)" : "" }

  mutating func tell(_ reading: MeterReading, connector: Int, at time: Int64) {
    guard !reading.values.isEmpty else { return }
    connectors.change(connector) { connector in
      if let power = reading["power"] { connector.power = power }
      if let energy = reading["energy_total"] { connector.energy = energy }
    }
    let suffix = suffix(connector)
    var points = reading.values.map { value in
      PointValue(value.name + suffix, .number(value.value), unit: value.unit, isEstimated: value.isEstimated)
    }
    if !suffix.isEmpty {
      if reading["power"] != nil, let power = connectors.power { points.append(PointValue("power", .number(power), unit: "W")) }
      if reading["energy_total"] != nil, let energy = connectors.energy {
        points.append(PointValue("energy_total", .number(energy), unit: "Wh"))
      }
    }
    if let energy = sessions.session(on: connector)?.energy.wattHours {
      points.append(PointValue("energy_session" + suffix, .number(energy), unit: "Wh"))
    }
    effects.append(.points(points, at: time))
  }

  /// A connector's status has changed, or came again.
  mutating func tell(_ status: Status, fault: String, connector: Int, at time: Int64) {
    let known = connectors.count
    connectors.change(connector) { connector in
      connector.status = status
      connector.fault = fault
      // Nobody measures an idle connector, and the last reading of a session would stand for ever.
      if !status.isCharging { connector.power = 0 }
    }
    if connectors.count != known { storeCharger() }
    var points: [PointValue] = []
    let suffix = suffix(connector)
    if !suffix.isEmpty {
      points.append(PointValue("status" + suffix, .text(status.rawValue)))
      points.append(PointValue("connected" + suffix, .flag(status.isConnected)))
      points.append(PointValue("fault_code" + suffix, .text(fault)))
    }
    if let whole = connectors.status {
      points.append(PointValue("status", .text(whole.rawValue)))
      points.append(PointValue("connected", .flag(connectors.byNumber.values.contains { $0.status?.isConnected ?? false })))
      points.append(PointValue("fault_code", .text(connectors.fault)))
    }
    if let power = connectors[connector].power, connector > 0 {
      if !suffix.isEmpty { points.append(PointValue("power" + suffix, .number(power), unit: "W")) }
      if let sum = connectors.power { points.append(PointValue("power", .number(sum), unit: "W")) }
    }
    effects.append(.points(points, at: time))
  }
}
