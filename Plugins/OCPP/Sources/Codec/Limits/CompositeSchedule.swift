// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// What a charger says is in force, all its profiles together (GetCompositeSchedule).
package struct CompositeSchedule: Equatable, Sendable {
  package var unit: RateUnit
  /// The limit now.
  package var limit: Double

  /// `chargingSchedule` of 1.6, `schedule` of 2.0.1.
  package init?(_ schedule: JSON) {
    guard let unit = schedule["chargingRateUnit"]?.string.flatMap({ RateUnit(rawValue: $0) }),
      let first = schedule["chargingSchedulePeriod"]?.array?.min(by: {
        ($0["startPeriod"]?.integer ?? 0) < ($1["startPeriod"]?.integer ?? 0)
      }), let limit = first["limit"]?.number
    else { return nil }
    self.unit = unit
    self.limit = limit
  }

  /// The charger keeps to what was asked: not above it, by more than its own rounding.
  package func holds(_ limit: Limit, _ supply: Supply) -> Bool {
    guard let wanted = supply.value(limit, unit) else { return true }
    return self.limit <= wanted + (unit == .ampere ? 0.5 : supply.voltage * Double(supply.phases) / 2)
  }
}
