// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// A limit as a charging profile that ends well by itself.
///
/// A lease is one profile with two periods: the limit until the lease ends, and from then on the safe value, with no end. The charger
/// falls back to the safe value when nobody renews, whether host, uplink or line is gone, and keeps it: the last period of a
/// schedule without `duration` lasts for ever (1.6 section 7.13; 2.0.1 part 2, ChargingScheduleType). That needs neither a stack nor
/// `validTo`, both of which chargers get wrong; and a renewal replaces the profile, because id, purpose and level are the same
/// (1.6 section 5.16.1; 2.0.1 K01). A charger that takes only one period gets two profiles: level 0 has the safe value for
/// ever, level 1 the limit with `duration` and `validTo`; the highest valid level counts (1.6 section 3.13.2; 2.0.1 K 3.3).
///
/// `Absolute` with a start, since a schedule without one begins with the transaction. The start is a minute back, so that a charger
/// whose clock is a little behind applies it at once, and by the charger's clock where that is known to be off.
package struct LimitProfile: Equatable, Sendable {
  package var purpose: LimitPurpose
  /// Connector of 1.6, EVSE of 2.0.1; 0 is the charger.
  package var connector: Int
  package var id: Int64
  package var level: Int
  package var unit: RateUnit
  package var periods: [Period]
  package var phases: Int?
  /// Unix milliseconds by the charger's clock.
  package var start: Int64
  package var validTo: Int64?
  package var transaction: String?

  package struct Period: Equatable, Sendable {
    /// Seconds from the profile's start.
    package var start: Int64
    package var limit: Double

    package init(_ start: Int64, _ limit: Double) {
      self.start = start
      self.limit = limit
    }
  }

  private static let margin: Int64 = 60_000

  /// One profile, or two where the charger cannot do it with one.
  package static func lease(
    _ limit: Limit, until end: Int64?, safe: Limit, purpose: LimitPurpose, connector: Int, transaction: String?, supply: Supply,
    abilities: ProfileAbilities, clockError: Int64, _ now: Moment
  ) -> [LimitProfile] {
    let unit = abilities.unit
    guard let value = supply.value(limit, unit) else { return [] }
    let start = (now.unix - clockError - margin) / 1000 * 1000
    let id = self.id(purpose, connector)
    let phases = supply.phases == 3 ? nil : supply.phases
    func profile(_ id: Int64, _ level: Int, _ periods: [Period], validTo: Int64? = nil) -> LimitProfile {
      LimitProfile(
        purpose: purpose, connector: connector, id: id, level: level, unit: unit, periods: periods, phases: phases, start: start,
        validTo: validTo, transaction: transaction)
    }
    guard let end, let fallback = supply.value(safe, unit) else { return [profile(id, level(abilities), [Period(0, value)])] }
    let seconds = max(1, (end - clockError - start + 999) / 1000)
    if abilities.mostPeriods >= 2 {
      let periods = [Period(0, value), Period(seconds, fallback)]
      return [profile(id, level(abilities), fallback == value ? [periods[0]] : periods)]
    }
    guard abilities.highestLevel >= 1 else { return [profile(id, 0, [Period(0, min(value, fallback))])] }
    return [
      profile(id + 1, 0, [Period(0, fallback)]), profile(id, 1, [Period(0, value)], validTo: start + seconds * 1000),
    ]
  }

  private static func level(_ abilities: ProfileAbilities) -> Int { min(1, abilities.highestLevel) }

  /// Ours among the profiles of a charger; each place has two.
  package static func id(_ purpose: LimitPurpose, _ connector: Int) -> Int64 {
    let base: Int64 =
      switch purpose {
      case .station: 7_100
      case .usual: 7_200
      case .session: 7_300
      }
    return base + Int64(connector) * 2
  }
}

extension LimitProfile {
  private var schedulePeriods: JSON {
    .array(
      periods.map { period in
        .object([
          "startPeriod": .integer(period.start), "limit": .number(period.limit), "numberPhases": phases.map { .integer(Int64($0)) },
        ])
      })
  }

  /// Seconds after which the schedule is no longer in force; only where `validTo` is set.
  private var duration: JSON? { validTo.map { .integer(($0 - start) / 1000) } }

  /// `csChargingProfiles` of 1.6 (section 7.8).
  package var v16: JSON {
    let name =
      switch purpose {
      case .station: "ChargePointMaxProfile"
      case .usual: "TxDefaultProfile"
      case .session: "TxProfile"
      }
    return .object([
      "chargingProfileId": .integer(id), "transactionId": purpose == .session ? transaction.flatMap { Int64($0) }.map { .integer($0) } : nil,
      "stackLevel": .integer(Int64(level)), "chargingProfilePurpose": .string(name), "chargingProfileKind": "Absolute",
      "validTo": validTo.map { .string(Stamp.text($0)) },
      "chargingSchedule": .object([
        "duration": duration, "startSchedule": .string(Stamp.text(start)), "chargingRateUnit": .string(unit.rawValue),
        "chargingSchedulePeriod": schedulePeriods,
      ]),
    ])
  }

  /// `chargingProfile` of 2.0.1 (part 2, ChargingProfileType).
  package var v201: JSON {
    let name =
      switch purpose {
      case .station: "ChargingStationMaxProfile"
      case .usual: "TxDefaultProfile"
      case .session: "TxProfile"
      }
    return .object([
      "id": .integer(id), "stackLevel": .integer(Int64(level)), "chargingProfilePurpose": .string(name),
      "chargingProfileKind": "Absolute", "validTo": validTo.map { .string(Stamp.text($0)) },
      "transactionId": purpose == .session ? transaction.map { .string($0) } : nil,
      "chargingSchedule": [
        .object([
          "id": .integer(id), "startSchedule": .string(Stamp.text(start)), "duration": duration,
          "chargingRateUnit": .string(unit.rawValue), "chargingSchedulePeriod": schedulePeriods,
        ])
      ],
    ])
  }
}
