// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// A session with a car that was given a schedule of its own.
struct LedSession: Sendable {
  var session: String
  /// When the schedule is to be sent, by the boot clock; nil: it was.
  var due: Int64?
  /// What the car says it can take at most.
  var most = Limit()
  /// The schedule that it was given last, nil before the first.
  var schedule: VehicleSchedule?
  /// How often the car wanted more.
  var excesses = 0
}

/// Cars that negotiate a schedule (ISO 15118; 2.0.1 part 2, K15 to K17): the charger tells what the car needs, is given what it
/// may draw as a profile of the session, and tells the plan of the car, which has to stay within.
extension CentralSystem201 {
  /// Between the answer to the charger's word and the profile: a charger that does one thing after the other has read the first.
  private static let pause: Int64 = 500
  /// A car that wants more each time is not asked for ever; its charger holds it to the profile anyway.
  private static let mostExcesses = 3

  /// The needs of a car. False where there is no session that could be given a schedule.
  mutating func vehicleNeeds(_ payload: JSON, _ now: Moment) -> Bool {
    guard let evse = payload["evseId"]?.integer.flatMap({ Int(exactly: $0) }), evse > 0,
      let session = station.sessions.session(on: evse), session.canBeNamed, !station.abilities.refused.contains(.session)
    else { return false }
    let needs = payload["chargingNeeds"]
    var led = LedSession(session: session.id, due: now.boot + Self.pause)
    led.most.current = needs?["acChargingParameters"]?["evMaxCurrent"]?.number
    led.most.power = needs?["dcChargingParameters"]?["evMaxPower"]?.number
    if let former = station.led[evse], former.session == session.id { led.schedule = former.schedule }
    station.led[evse] = led
    return true
  }

  /// The plan of a car. False where it is more than the car was given; it is given it again then.
  mutating func vehicleSchedule(_ payload: JSON, _ now: Moment) -> Bool {
    guard let evse = payload["evseId"]?.integer.flatMap({ Int(exactly: $0) }), let given = station.led[evse]?.schedule,
      let start = payload["timeBase"]?.string.flatMap({ Stamp($0)?.milliseconds }),
      let plan = payload["chargingSchedule"].flatMap({ VehicleSchedule($0, base: start) })
    else { return true }
    guard plan.exceeds(given, station.settings.supply) else { return true }
    station.note("vehicle", "a car plans to draw more than it may")
    if let excesses = station.led[evse]?.excesses, excesses < Self.mostExcesses {
      station.led[evse]?.excesses = excesses + 1
      station.led[evse]?.due = now.boot + Self.pause
    }
    return false
  }

  /// Profiles of a session that somebody else sends through us are what its car was given.
  mutating func noteVehicleProfile(_ payload: JSON) {
    guard let evse = payload["evseId"]?.integer.flatMap({ Int(exactly: $0) }), let profile = payload["chargingProfile"],
      profile["chargingProfilePurpose"]?.string == "TxProfile", let session = profile["transactionId"]?.string,
      station.led[evse]?.session == session, let schedule = profile["chargingSchedule"]?.array?.first
    else { return }
    station.led[evse]?.schedule = VehicleSchedule(schedule, base: nil)
  }

  /// Sends what is due: what the session may draw now, and with a lease what it may draw when nobody renews it.
  mutating func leadVehicles(_ now: Moment) {
    guard station.isConnected else { return }
    for (evse, led) in station.led {
      guard let due = led.due, due <= now.boot else { continue }
      station.led[evse]?.due = nil
      let lease = station.leases[evse] ?? station.leases[0]
      let limit = [station.leases[evse]?.limit, station.leases[0]?.limit].compactMap { $0 }.reduce(led.most.and(station.settings.most)) { $0.and($1) }
      let end = lease.flatMap { $0.until == LimitLease.forEver ? nil : now.unix + $0.end(now) - now.boot }
      let offset: Int64 = if case .off(let difference) = station.clock.state { difference } else { 0 }
      guard let profile = LimitProfile.lease(
        limit, until: end, safe: station.settings.safe, purpose: .session, connector: evse, transaction: led.session,
        supply: station.settings.supply, abilities: station.abilities, clockError: offset, now).last
      else { continue }
      station.led[evse]?.schedule = profile.v201["chargingSchedule"]?.array?.first.flatMap { VehicleSchedule($0, base: nil) }
      _ = station.call(
        "SetChargingProfile", ["evseId": .integer(Int64(evse)), "chargingProfile": profile.v201], .vehicle(evse), first: true)
    }
  }

  mutating func vehicleAnswered(_ evse: Int, _ status: String) {
    if status == "Accepted" {
      station.installed.insert(LimitProfile.id(.session, evse))
    } else {
      station.note("vehicle.\(status)", "the charger took no profile for a car: \(status)")
      station.led[evse] = nil
    }
  }

  /// The session is over, and its profile with it; the limits of others count again.
  mutating func releaseVehicle(_ session: String, _ now: Moment) {
    guard let evse = station.led.first(where: { $0.value.session == session })?.key else { return }
    station.led[evse] = nil
    for place in station.leases.keys { station.leases[place]?.lost() }
    station.tendLimits(now)
  }
}

/// Limits over time, as a profile or the plan of a car has them (ChargingScheduleType).
struct VehicleSchedule: Equatable, Sendable {
  var unit: RateUnit
  /// In their order; each lasts until the next one, the last for ever. `from`: Unix milliseconds.
  var periods: [(from: Int64, limit: Double)]

  /// `base`: when it begins where it does not say so itself; nil: it is in force already.
  init?(_ schedule: JSON, base: Int64?) {
    guard let unit = schedule["chargingRateUnit"]?.string.flatMap({ RateUnit(rawValue: $0) }) else { return nil }
    let own = schedule["startSchedule"]?.string.flatMap { Stamp($0)?.milliseconds }
    let start = base ?? own
    periods = (schedule["chargingSchedulePeriod"]?.array ?? []).prefix(1_024).compactMap { period in
      guard let limit = period["limit"]?.number else { return nil }
      let seconds = min(max(period["startPeriod"]?.integer ?? 0, 0), 1_000_000_000)
      return (from: start.map { $0 + seconds * 1000 } ?? (seconds == 0 ? .min : .max), limit: limit)
    }
    self.unit = unit
    periods.sort { $0.from < $1.from }
    guard !periods.isEmpty else { return nil }
  }

  static func == (left: VehicleSchedule, right: VehicleSchedule) -> Bool {
    left.unit == right.unit && left.periods.elementsEqual(right.periods) { $0 == $1 }
  }

  /// The highest limit at any time between the two.
  private func most(_ from: Int64, _ until: Int64) -> Double {
    var most = 0.0
    for (index, period) in periods.enumerated() {
      let end = index + 1 < periods.count ? periods[index + 1].from : .max
      // What is before the first period is taken to be as it.
      if (index == 0 ? .min : period.from) < until, end > from { most = max(most, period.limit) }
    }
    return most
  }

  /// Somewhere more than the other allows at any time of the same period, by more than rounding.
  func exceeds(_ other: VehicleSchedule, _ supply: Supply) -> Bool {
    let volts = supply.voltage * Double(supply.phases)
    let factor = unit == other.unit ? 1 : unit == .ampere ? volts : 1 / volts
    return periods.enumerated().contains { index, period in
      let end = index + 1 < periods.count ? periods[index + 1].from : .max
      let allowed = other.most(period.from, end)
      return period.limit * factor > allowed * 1.005 + 0.05
    }
  }
}
