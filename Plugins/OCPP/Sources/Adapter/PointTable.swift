// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginAPI
internal import PluginKit

/// The points of a charger: those that every charger has from the beginning, the others with their first value.
struct PointTable {
  struct Entry {
    let id: PointID
    let carrier: Carrier
    /// The last value of what is a state and stands until another one comes; measurements are told when they are taken.
    var state: PointValue.Value?
    /// Something was said of it in this connection: a value, or that there is none yet.
    var isTold = false
  }

  enum Carrier {
    case number, text, flag, label

    /// BB_TYPE_…
    var type: Int {
      switch self {
      case .number: BB_TYPE_F64
      case .text: BB_TYPE_TEXT
      case .flag: BB_TYPE_BOOL
      case .label: BB_TYPE_ENUM
      }
    }
  }

  private(set) var entries: [String: Entry] = [:]

  /// Points that are no measurement, by base name.
  private static let states: Set<String> = [
    "status", "connected", "fault_code", "enabled", "current_limit", "power_limit",
  ]

  /// More are no charger: 32 connectors with the points that a charger measures.
  private static let most = 1_000

  subscript(_ name: String) -> Entry? { entries[name] }

  func name(of id: PointID) -> String? { entries.first { $0.value.id == id }?.key }

  /// Those that there are not yet; more than a charger can have are left out.
  mutating func declare(_ points: [PointDeclaration], of device: DeviceNumber, _ link: Link) throws(AdapterError) {
    let new = points.filter { entries[$0.name] == nil }
    guard !new.isEmpty, entries.count + new.count <= Self.most else { return }
    let ids = try link.declare(new, of: device)
    for (point, id) in zip(new, ids) {
      let carrier: Carrier =
        switch Int(point.type) {
        case BB_TYPE_TEXT: .text
        case BB_TYPE_BOOL: .flag
        case BB_TYPE_ENUM: .label
        default: .number
        }
      entries[point.name] = Entry(id: id, carrier: carrier)
    }
  }

  /// Of a connection that has ended nothing stands, but what was asked of the charger.
  mutating func forget() {
    for (name, _) in entries {
      entries[name]?.isTold = false
      if !Self.asked.contains(PointCatalogue.base(name)) { entries[name]?.state = nil }
    }
  }

  private static let asked: Set<String> = ["current_limit", "power_limit"]

  /// The points of these that nothing was said of; from now on it was.
  mutating func takeUntold(_ ids: Set<PointID>) -> [Entry] {
    entries.values.filter { !$0.isTold && $0.state == nil && ids.contains($0.id) }.map { entry in
      for (name, known) in entries where known.id == entry.id { entries[name]?.isTold = true }
      return entry
    }
  }

  /// Keeps what stands until another value comes.
  mutating func keep(_ value: PointValue.Value?, of name: String) {
    guard let entry = entries[name] else { return }
    entries[name]?.isTold = true
    if entry.carrier != .number || Self.states.contains(PointCatalogue.base(name)) { entries[name]?.state = value }
  }
}

/// What points are, by their names (interfaces 5).
enum PointCatalogue {
  static let labels = Status.allCases.map(\.rawValue)

  private static let units: [String: Int] = [
    "W": BB_UNIT_W, "Wh": BB_UNIT_WH, "VA": BB_UNIT_VA, "var": BB_UNIT_VAR, "varh": BB_UNIT_VARH, "V": BB_UNIT_V, "A": BB_UNIT_A,
    "Hz": BB_UNIT_HZ, "°C": BB_UNIT_CELSIUS, "%": BB_UNIT_PERCENT, "1": BB_UNIT_ONE,
  ]
  private static let resolutions: [String: Double] = ["W": 1, "A": 0.01, "V": 0.1, "Hz": 0.01, "°C": 0.1, "%": 0.1, "1": 0.01]
  private static let counters: Set<String> = [
    "energy_total", "energy_export", "energy_session", "reactive_energy_import", "reactive_energy_export",
  ]
  /// States are told when they change, and looked at now and then.
  private static let period: UInt32 = 60_000

  /// The name without its connector.
  static func base(_ name: String) -> String { String(split(name).base) }

  /// The connector that a name ends in; 0 is the charger.
  static func split(_ name: String) -> (base: Substring, connector: Int) {
    guard let place = name.lastIndex(of: "_"), name[place...].hasPrefix("_c"), let number = Int(name[place...].dropFirst(2)), number > 0
    else { return (name[...], 0) }
    return (name[..<place], number)
  }

  /// What a value with this name, unit and type needs.
  static func declaration(of point: PointValue) -> PointDeclaration {
    let base = base(point.name)
    switch point.value {
    case .flag: return state(point.name, BB_TYPE_BOOL)
    case .text where base == "status": return status(point.name)
    case .text: return state(point.name, BB_TYPE_TEXT)
    case .number:
      let kind = counters.contains(measurand(base)) ? BB_KIND_COUNTER : BB_KIND_GAUGE
      var declaration = PointDeclaration(point.name, kind: UInt16(kind), unit: UInt16(units[point.unit] ?? BB_UNIT_NONE))
      declaration.resolution = resolutions[point.unit] ?? 0
      declaration.periodMilliseconds = period
      if base == "energy_session" { declaration.flags = UInt32(BB_POINT_RESTARTS) }
      return declaration
    }
  }

  /// A counter of a phase counts too.
  private static func measurand(_ base: String) -> String {
    for phase in ["_l1", "_l2", "_l3"] where base.hasSuffix(phase) { return String(base.dropLast(phase.count)) }
    return base
  }

  private static func state(_ name: String, _ type: Int) -> PointDeclaration {
    var declaration = PointDeclaration(name, type: UInt16(type), kind: UInt16(BB_KIND_STATE), unit: UInt16(BB_UNIT_NONE))
    declaration.periodMilliseconds = period
    return declaration
  }

  private static func status(_ name: String) -> PointDeclaration {
    var declaration = state(name, BB_TYPE_ENUM)
    declaration.detail = "{\"labels\":[\(labels.map { "\"\($0)\"" }.joined(separator: ","))]}"
    return declaration
  }

  /// What every charger has; the limits and the switch of a connector where `connector` is not 0.
  static func usual(_ config: ChargerConfig, connector: Int = 0) -> [PointDeclaration] {
    let suffix = connector == 0 ? "" : "_c\(connector)"
    return [
      status("status" + suffix), state("connected" + suffix, BB_TYPE_BOOL), state("fault_code" + suffix, BB_TYPE_TEXT),
      declaration(of: PointValue("power" + suffix, .number(0), unit: "W")),
      declaration(of: PointValue("energy_total" + suffix, .number(0), unit: "Wh")),
      limit("current_limit" + suffix, "A", config.leastCurrent...config.mostCurrent, safe: config.settings.safe.current ?? 0),
      limit("power_limit" + suffix, "W", 0...max(config.mostPower, 1), safe: config.safePower), enabled("enabled" + suffix),
    ]
  }

  /// How often the host says that a limit still stands, and how long the charger keeps it without (LimitLease).
  private static let refresh: Int64 = 240_000

  private static func limit(_ name: String, _ unit: String, _ range: ClosedRange<Double>, safe: Double) -> PointDeclaration {
    var declaration = declaration(of: PointValue(name, .number(0), unit: unit))
    declaration.flags = UInt32(BB_POINT_WRITABLE)
    declaration.minimum = range.lowerBound
    declaration.maximum = range.upperBound
    declaration.detail = """
      {"safe":\(safe),"allowed":[0],"lease_ms":600000,"refresh_ms":\(refresh),"watchdog_ms":\(LimitLease.longest)}
      """
    return declaration
  }

  private static func enabled(_ name: String) -> PointDeclaration {
    var declaration = state(name, BB_TYPE_BOOL)
    // Chargers keep it over a restart (1.6 section 5.2; 2.0.1 part 2, G03).
    declaration.flags = UInt32(BB_POINT_WRITABLE | BB_POINT_SETTING)
    return declaration
  }
}
