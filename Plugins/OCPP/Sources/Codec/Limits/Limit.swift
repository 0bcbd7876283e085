// SPDX-License-Identifier: Apache-2.0

/// What a charger may draw, as `current_limit` and `power_limit` say it.
package struct Limit: Equatable, Sendable {
  /// A, each phase.
  package var current: Double?
  /// W, all phases together.
  package var power: Double?

  package init(current: Double? = nil, power: Double? = nil) {
    self.current = current
    self.power = power
  }

  package var isFree: Bool { current == nil && power == nil }

  /// The smaller one in each.
  package func and(_ other: Limit) -> Limit {
    Limit(
      current: [current, other.current].compactMap { $0 }.min(), power: [power, other.power].compactMap { $0 }.min())
  }
}

/// How a charger measures limits.
package enum RateUnit: String, Sendable {
  case ampere = "A"
  case watt = "W"
}

/// The supply of a charger, to change amperes into watts.
package struct Supply: Equatable, Sendable {
  package var phases: Int
  /// Between a phase and neutral.
  package var voltage: Double

  package init(phases: Int = 3, voltage: Double = 230) {
    self.phases = min(max(phases, 1), 3)
    self.voltage = voltage
  }

  /// The stricter of both, in one unit, held to a tenth downwards: profiles know no more decimals (1.6 section 7.14).
  package func value(_ limit: Limit, _ unit: RateUnit) -> Double? {
    let factor = voltage * Double(phases)
    let values: [Double?] =
      switch unit {
      case .ampere: [limit.current, limit.power.map { $0 / factor }]
      case .watt: [limit.power, limit.current.map { $0 * factor }]
      }
    return values.compactMap { $0 }.min().map { max(0, ($0 * 10 + 1e-6).rounded(.down) / 10) }
  }
}

/// What the charger said about its profiles: keys of 1.6 section 9.4, variables of SmartChargingCtrlr in 2.0.1.
package struct ProfileAbilities: Equatable, Sendable {
  package var units: Set<RateUnit> = [.ampere, .watt]
  package var mostPeriods = 2
  package var highestLevel = 1
  /// Purposes that the charger refused.
  package var refused: Set<LimitPurpose> = []

  package init() {}

  package var unit: RateUnit { units.contains(.ampere) ? .ampere : .watt }
}

/// What a profile is for (1.6 section 3.13.1; 2.0.1 part 2, K 3.2).
package enum LimitPurpose: String, CaseIterable, Sendable {
  /// The whole charger: ChargePointMaxProfile, ChargingStationMaxProfile.
  case station
  /// Sessions that have no profile of their own: TxDefaultProfile.
  case usual
  /// The session that runs: TxProfile.
  case session
}
