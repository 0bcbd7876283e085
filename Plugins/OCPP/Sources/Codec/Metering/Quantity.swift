// SPDX-License-Identifier: Apache-2.0

/// A sample in the names and units of points (interfaces 5).
package struct Quantity: Equatable, Sendable {
  package var name: String
  package var unit: String
  package var value: Double

  /// Nil for measurands that have no point: intervals of apparent energy, vendors' own.
  package init?(_ sample: MeterSample) {
    guard let (base, family, sign) = Self.table[sample.measurand] else { return nil }
    guard let converted = family.convert(sample.value, sample.unit) else { return nil }
    name = base
    unit = family.unit
    value = sign * converted
    if base == "temperature", sample.location != "Body", sample.location != "Outlet" {
      name += "_\(sample.location.lowercased())"
    }
    if let phase = sample.phase {
      guard let suffix = Self.phases[phase] else { return nil }
      name += suffix
    }
  }

  /// `N` is the neutral conductor; between phases, the two are named.
  private static let phases: [String: String] = [
    "L1": "_l1", "L2": "_l2", "L3": "_l3", "L1-N": "_l1", "L2-N": "_l2", "L3-N": "_l3", "N": "_n", "L1-L2": "_l1_l2",
    "L2-L3": "_l2_l3", "L3-L1": "_l3_l1",
  ]

  /// Import is positive for a charger (interfaces 5); what an EV gives back is negative in powers and currents, and has counters
  /// of its own.
  private static let table: [String: (String, UnitFamily, Double)] = [
    "Current.Import": ("current", .current, 1), "Current.Export": ("current", .current, -1),
    "Current.Offered": ("current_offered", .current, 1),
    "Energy.Active.Import.Register": ("energy_total", .energy, 1),
    "Energy.Active.Export.Register": ("energy_export", .energy, 1),
    "Energy.Active.Net": ("energy_net", .energy, 1),
    "Energy.Active.Import.Interval": ("energy_interval", .energy, 1),
    "Energy.Active.Export.Interval": ("energy_export_interval", .energy, 1),
    "Energy.Reactive.Import.Register": ("reactive_energy_import", .reactiveEnergy, 1),
    "Energy.Reactive.Export.Register": ("reactive_energy_export", .reactiveEnergy, 1),
    "Energy.Reactive.Net": ("reactive_energy_net", .reactiveEnergy, 1),
    "Energy.Reactive.Import.Interval": ("reactive_energy_interval", .reactiveEnergy, 1),
    "Energy.Reactive.Export.Interval": ("reactive_energy_export_interval", .reactiveEnergy, 1),
    "Frequency": ("frequency", .frequency, 1),
    "Power.Active.Import": ("power", .power, 1), "Power.Active.Export": ("power", .power, -1),
    "Power.Offered": ("power_offered", .power, 1), "Power.Factor": ("power_factor", .ratio, 1),
    "Power.Reactive.Import": ("reactive_power", .reactivePower, 1),
    "Power.Reactive.Export": ("reactive_power", .reactivePower, -1),
    "RPM": ("fan_speed", .ratio, 1), "SoC": ("soc", .percent, 1), "Temperature": ("temperature", .temperature, 1),
    "Voltage": ("voltage", .voltage, 1),
  ]
}

/// Units that mean the same quantity.
enum UnitFamily: Sendable {
  case power, energy, reactivePower, reactiveEnergy, current, voltage, frequency, temperature, percent, ratio

  var unit: String {
    switch self {
    case .power: "W"
    case .energy: "Wh"
    case .reactivePower: "var"
    case .reactiveEnergy: "varh"
    case .current: "A"
    case .voltage: "V"
    case .frequency: "Hz"
    case .temperature: "°C"
    case .percent: "%"
    case .ratio: "1"
    }
  }

  /// In our unit; nil for a unit of something else. Without a unit it is ours, which is the default of 1.6 too (section 7.45).
  func convert(_ value: Double, _ unit: String?) -> Double? {
    guard let unit = unit?.lowercased(), !unit.isEmpty else { return value }
    if self == .temperature {
      switch unit {
      case "celcius", "celsius", "c", "°c", "degc": return value
      case "fahrenheit", "f", "°f", "degf": return (value - 32) / 1.8
      case "k", "kelvin": return value - 273.15
      default: return nil
      }
    }
    // Wh is what the standard's default says where a charger names a unit for everything.
    if self == .ratio || self == .percent || self == .frequency { return value }
    let base = self.unit.lowercased()
    if unit == base || Self.also[base] == unit { return value }
    if unit == "k" + base { return value * 1000 }
    if unit == "m" + base, self == .power || self == .energy { return value * 1_000_000 }
    if unit == "m" + base { return value / 1000 }
    // Apparent power where active power is meant happens with chargers that have no power factor.
    if self == .power, unit == "va" { return value }
    if self == .power, unit == "kva" { return value * 1000 }
    return nil
  }

  private static let also = ["a": "ampere", "v": "volt", "w": "watt"]
}
