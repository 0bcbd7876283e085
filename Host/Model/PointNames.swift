// SPDX-License-Identifier: Apache-2.0

/// The names of points and what they stand for (interfaces 5). Names that are not listed are allowed, with a unit of `units`.
package enum PointNames {
  /// Every unit there is; a quantity has one.
  package static let units = ["W", "Wh", "VA", "var", "varh", "V", "A", "Hz", "°C", "%", "s", "1", "m³", "m³/h", "bar"]

  /// The unit of a name; empty for texts, flags and codes. Nil where the name is not listed.
  package static func unit(of name: String, kind: DeviceKind) -> String? {
    let base = base(of: name)
    return ofKind(kind)[base] ?? common[base]
  }

  /// Points that a device of this kind must have; one of each group.
  package static func required(_ kind: DeviceKind) -> [[String]] {
    switch kind {
    case .solar: [["power"], ["energy_total"]]
    case .battery: [["power"], ["soc"]]
    case .evcharger: [["power"], ["status"]]
    case .heatpump: [["power", "state"]]
    case .meter: [["power"], ["energy_import"], ["energy_export"]]
    case .load: [["state"]]
    }
  }

  /// Points that may be writable, as far as they are listed.
  package static func writable(_ kind: DeviceKind) -> [String] {
    switch kind {
    case .solar: ["power_limit", "power_limit_percent", "enabled"]
    case .battery: ["power_setpoint", "mode", "soc_min"]
    case .evcharger: ["current_limit", "power_limit", "enabled"]
    case .heatpump: ["sg_ready", "power_limit", "dhw_setpoint", "room_setpoint"]
    case .meter: []
    case .load: ["on", "level"]
    }
  }

  /// Labels of an enumeration. Nil where any label is good.
  package static func labels(of name: String, kind: DeviceKind) -> [String]? {
    switch (kind, name) {
    case (.solar, "state"), (.heatpump, "state"):
      ["off", "standby", "starting", "running", "throttled", "stopping", "fault"]
    case (.battery, "state"): ["off", "idle", "charging", "discharging", "full", "empty", "holding", "fault"]
    case (.battery, "mode"): ["auto", "hold", "charge", "discharge", "off"]
    case (.evcharger, "status"):
      [
        "available", "preparing", "charging", "suspended-ev", "suspended-evse", "finishing", "reserved", "unavailable",
        "faulted",
      ]
    case (.load, "state"): ["on", "off", "fault"]
    default: nil
    }
  }

  /// The name without `_l1`…`_l3` (phase), `_s1`… (string), `_c1`… (connector), also where it has several: `current_l1_c2`.
  package static func base(of name: String) -> String {
    var base = name[...]
    while let last = base.lastIndex(of: "_") {
      let part = base[base.index(after: last)...]
      let digits = part.dropFirst().utf8
      guard let letter = part.first, !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { break }
      switch letter {
      case "l" where ["1", "2", "3"].contains(part.dropFirst()), "s", "c": base = base[..<last]
      default: return String(base)
      }
    }
    return String(base)
  }

  private static let common: [String: String] = [
    "power": "W", "apparent_power": "VA", "reactive_power": "var", "power_factor": "1", "voltage": "V", "current": "A",
    "frequency": "Hz", "temperature": "°C", "state": "", "state_code": "", "fault_code": "",
  ]

  private static func ofKind(_ kind: DeviceKind) -> [String: String] {
    switch kind {
    case .solar: solar
    case .battery: battery
    case .evcharger: evcharger
    case .heatpump: heatpump
    case .meter: meter
    case .load: load
    }
  }

  private static let solar: [String: String] = [
    "energy_total": "Wh", "energy_today": "Wh", "ac_power": "W", "dc_power": "W", "dc_voltage": "V", "dc_current": "A",
    "power_limit": "W", "power_limit_percent": "%", "enabled": "",
  ]
  private static let battery: [String: String] = [
    "soc": "%", "soh": "%", "energy_charged": "Wh", "energy_discharged": "Wh", "capacity": "Wh", "cycles": "1",
    "max_charge_power": "W", "max_discharge_power": "W", "power_setpoint": "W", "mode": "", "soc_min": "%",
  ]
  private static let evcharger: [String: String] = [
    "status": "", "energy_total": "Wh", "energy_session": "Wh", "connected": "", "soc": "%", "current_limit": "A",
    "power_limit": "W", "enabled": "",
  ]
  private static let heatpump: [String: String] = [
    "flow_temperature": "°C", "return_temperature": "°C", "outdoor_temperature": "°C", "dhw_temperature": "°C",
    "energy_total": "Wh", "heat_energy_total": "Wh", "cop": "1", "sg_ready": "", "power_limit": "W",
    "dhw_setpoint": "°C",
    "room_setpoint": "°C",
  ]
  private static let meter: [String: String] = [
    "energy_import": "Wh", "energy_export": "Wh", "gas_total": "m³", "tariff": "",
  ]
  private static let load: [String: String] = ["energy_total": "Wh", "on": "", "level": "%"]
}
