// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// One value of a meter as the charger says it (1.6 section 7.43 SampledValue; 2.0.1 part 2 SampledValueType), with the defaults
/// of the standard.
package struct MeterSample: Equatable, Sendable {
  package var measurand = "Energy.Active.Import.Register"
  package var value: Double
  package var phase: String?
  package var unit: String?
  package var location = "Outlet"
  package var context = "Sample.Periodic"

  package init(value: Double) { self.value = value }

  /// Larger values are no measurements.
  private static let largest = 1e12

  /// Nil where there is no number: signed data, `NaN`, nonsense.
  package init?(_ json: JSON) {
    guard json["format"]?.string != "SignedData", let value = Self.number(json["value"]), abs(value) < Self.largest else {
      return nil
    }
    self.value = value
    measurand = json["measurand"]?.string ?? measurand
    phase = json["phase"]?.string
    location = json["location"]?.string ?? location
    context = json["context"]?.string ?? context
    if let measure = json["unitOfMeasure"] {
      unit = measure["unit"]?.string
      // The multiplier is an exponent of ten (2.0.1 part 2, UnitOfMeasureType).
      if let exponent = measure["multiplier"]?.integer, exponent != 0 {
        guard (-12...12).contains(exponent) else { return nil }
        for _ in 0..<abs(exponent) { self.value = exponent > 0 ? self.value * 10 : self.value / 10 }
        guard abs(self.value) < Self.largest else { return nil }
      }
    } else {
      unit = json["unit"]?.string
    }
  }

  /// Not hexadecimal, not `nan`.
  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
      UInt8(ascii: "E"):
      true
    default: false
    }
  }

  /// 1.6 writes numbers as texts, some chargers with a comma.
  private static func number(_ json: JSON?) -> Double? {
    guard let json else { return nil }
    if let number = json.number { return number }
    guard let text = json.string?.trimmed, !text.isEmpty else { return nil }
    let hasComma = text.utf8.contains(UInt8(ascii: ",")) && !text.utf8.contains(UInt8(ascii: "."))
    let dotted = hasComma ? String(text.map { $0 == "," ? "." : $0 }) : text
    guard dotted.utf8.allSatisfy(isPartOfNumber) else { return nil }
    return Double(dotted)
  }
}

/// The samples taken at one time.
package struct MeterSet: Equatable, Sendable {
  /// As the charger says, Unix milliseconds.
  package var stamp: Int64?
  package var samples: [MeterSample]

  package init(stamp: Int64?, samples: [MeterSample]) {
    self.stamp = stamp
    self.samples = samples
  }

  package init(_ json: JSON) {
    stamp = json["timestamp"]?.string.flatMap { Stamp($0) }?.milliseconds
    samples = (json["sampledValue"]?.array ?? []).compactMap { MeterSample($0) }
  }

  /// All sets of a message, oldest first.
  package static func list(_ json: JSON?) -> [MeterSet] {
    var sets = (json?.array ?? []).map { MeterSet($0) }.filter { !$0.samples.isEmpty }
    if sets.count > 1 { sets.sort { ($0.stamp ?? .max) < ($1.stamp ?? .max) } }
    return sets
  }
}
