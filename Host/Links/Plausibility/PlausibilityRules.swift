// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What one point's values are judged by: the template's word, else limits of its quantity that no device of its kind
/// meets while it works.
package struct PlausibilityRules: Sendable, Hashable {
  /// Beyond them a value is no value.
  package var minimum = -Double.infinity
  package var maximum = Double.infinity
  /// The fastest change in the point's unit a second; infinite = not judged.
  package var rate = Double.infinity
  /// A change between two readings that is good however little time is between them.
  package var jump = 0.0
  /// Nanoseconds after which a value that does not change is uncertain; 0 = not judged.
  package var frozen: Int64 = 0
  package var isCounter = false
  /// The counter may fall, or restart at 0.
  package var falls = false
  package var restarts = false
  /// Differences up to this are rounding.
  package var step = 0.0

  package init() {}

  /// Nil where values of this point are not judged: texts, flags and codes.
  package init?(_ point: PointDescriptor, kind: DeviceKind) {
    guard point.type == .number || point.type == .integer else { return nil }
    let own = point.plausible ?? Plausible()
    let usual = Self.usual(point, kind: kind)
    minimum = usual.range.lowerBound
    maximum = usual.range.upperBound
    // The limits of a writable point say what may be written, not what it can be.
    if !point.writable {
      minimum = point.minimum ?? minimum
      maximum = point.maximum ?? maximum
    }
    minimum = own.minimum ?? minimum
    maximum = own.maximum ?? maximum
    isCounter = point.kind == .counter && PointNames.base(of: point.name) != "capacity"
    falls = own.falls ?? false
    restarts = point.restarts
    step = point.resolution
    // A balance grows in both directions, at the same speed at most.
    rate = own.rate ?? (isCounter ? usual.rate : .infinity)
    jump = own.jump ?? (isCounter ? 0 : .infinity)
    if !isCounter, own.jump != nil, own.rate == nil { rate = 0 }
    if !isCounter, own.rate != nil, own.jump == nil { jump = 0 }
    frozen = own.frozen?.nanoseconds ?? 0
  }

  /// How much the value may differ from the one before after so many nanoseconds.
  package func allowance(after elapsed: Int64) -> Double {
    guard rate.isFinite, jump.isFinite else { return .infinity }
    // What is counted in steps appears a step late and a step early.
    return max(rate * (Double(max(0, elapsed)) / 1e9), jump) + 2 * step
  }

  /// The hard range and the fastest growth of a counter, by unit and kind of device. Generous: a meter may stand before a
  /// factory or a substation, the other devices are taken to be smaller than 10 MW.
  private static func usual(_ point: PointDescriptor, kind: DeviceKind) -> (range: ClosedRange<Double>, rate: Double) {
    let power = kind == .meter ? 2e9 : 1e7
    switch point.unit {
    // Sums of some devices stand on -1 for a while after their start.
    case "Wh", "varh": return (point.kind == .counter ? -1...1e15 : -1e15...1e15, power / 3600)
    case "W", "VA", "var": return (-power...power, .infinity)
    case "V": return (-1e6...1e6, .infinity)
    case "A": return (-1e5...1e5, .infinity)
    case "Hz": return (0...1000, .infinity)
    // The lowest air temperature ever measured is -89 °C; collectors of solar heat stay below 400 °C.
    case "°C": return (-100...1000, .infinity)
    case "%": return (["soc", "soh", "soc_min"].contains(point.name) ? -1...120 : -1e4...1e4, .infinity)
    case "1": return (point.name.hasPrefix("power_factor") ? -1.1...1.1 : -.infinity...(.infinity), .infinity)
    // The largest gas meters of EN 12480 count 16,000 m³/h in the pipe.
    case "m³": return (point.kind == .counter ? -1...1e12 : -1e12...1e12, 100)
    case "m³/h": return (-1e6...1e6, .infinity)
    case "bar": return (-2...1e4, .infinity)
    default: return (-.infinity...(.infinity), .infinity)
    }
  }
}

/// Why a value is not taken as it came.
package enum Implausibility: Sendable, Equatable {
  /// Outside of what the point can be.
  case range
  /// It changed faster than it can.
  case rate
  /// A counter fell, or grew by more than it can in the time.
  case fall
  case jump
  /// The value stands still while others change.
  case frozen
  /// The device repeats old readings, or does not deliver this point any more.
  case stale

  /// For a person: "energy_total: the counter fell".
  package var sentence: String {
    switch self {
    case .range: "the value is outside of what it can be"
    case .rate: "the value changes faster than it can"
    case .fall: "the counter fell"
    case .jump: "the counter grew by more than it can in the time"
    case .frozen: "the value stands still while others change"
    case .stale: "the device delivers no new value"
    }
  }

  /// What is published.
  package var quality: Quality {
    switch self {
    case .range, .fall, .jump: .bad(.range)
    case .stale: .bad(.stale)
    case .rate, .frozen: .uncertain
    }
  }
}
