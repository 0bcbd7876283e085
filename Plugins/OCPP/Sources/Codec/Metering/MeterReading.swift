// SPDX-License-Identifier: Apache-2.0

/// What a set of samples says about a connector.
package struct MeterReading: Equatable, Sendable {
  package struct Value: Equatable, Sendable {
    package var name: String
    package var unit: String
    package var value: Double
    /// Computed from others, good to show, not to bill.
    package var isEstimated = false
  }

  package private(set) var values: [Value] = []

  /// Where a measurand is there for several places, the one nearest to the EV's socket counts.
  private static let places = ["Outlet", "Cable", "EV", "Inlet", "Body"]
  private static let phases = ["_l1", "_l2", "_l3"]
  private static let nominalVoltage = 230.0

  package init(_ samples: [MeterSample]) {
    var chosen: [(quantity: Quantity, isExport: Bool, place: Int)] = []
    for sample in samples {
      guard let quantity = Quantity(sample) else { continue }
      let place = Self.places.firstIndex(of: sample.location) ?? Self.places.count
      let isExport = sample.measurand.hasSuffix("Export")
      if let index = chosen.firstIndex(where: { $0.quantity.name == quantity.name && $0.isExport == isExport }) {
        if place < chosen[index].place { chosen[index] = (quantity, isExport, place) }
      } else {
        chosen.append((quantity, isExport, place))
      }
    }
    for (quantity, _, _) in chosen {
      // What flows in and what flows out of one place are one power.
      if let index = values.firstIndex(where: { $0.name == quantity.name }) {
        values[index].value += quantity.value
      } else {
        values.append(Value(name: quantity.name, unit: quantity.unit, value: quantity.value))
      }
    }
    addSums()
  }

  package subscript(_ name: String) -> Double? { values.first { $0.name == name }?.value }

  /// The register of active energy, Wh.
  package var register: Double? { values.first { $0.name == "energy_total" && !$0.isEstimated }?.value }

  private mutating func addSums() {
    for (name, unit) in [("power", "W"), ("energy_total", "Wh"), ("energy_export", "Wh"), ("reactive_power", "var")]
    where self[name] == nil {
      let parts = Self.phases.compactMap { self[name + $0] }
      if !parts.isEmpty { values.append(Value(name: name, unit: unit, value: parts.reduce(0, +))) }
    }
    guard self["power"] == nil else { return }
    // A charger that only says currents: good enough for people and for load management.
    let parts = Self.phases.compactMap { phase in
      self["current\(phase)"].map { $0 * (self["voltage\(phase)"] ?? self["voltage"] ?? Self.nominalVoltage) }
    }
    if !parts.isEmpty {
      values.append(Value(name: "power", unit: "W", value: parts.reduce(0, +), isEstimated: true))
    } else if let current = self["current"], let voltage = self["voltage"] {
      values.append(Value(name: "power", unit: "W", value: current * voltage, isEstimated: true))
    }
  }
}

/// A reading with its place in a session and in time.
package struct TimedReading: Equatable, Sendable {
  package var reading: MeterReading
  /// ReadingContext of the samples.
  package var context: String
  /// Unix milliseconds by our clock.
  package var at: Int64

  package init(_ reading: MeterReading, context: String = "Sample.Periodic", at time: Int64) {
    self.reading = reading
    self.context = context
    at = time
  }
}
