// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// Limits on the charger (place 0) and on its connectors, as charging profiles.
extension Station {
  /// Which kinds of profile are tried for a place, in this order. A charger with one connector takes TxDefaultProfile best; the sum of
  /// several needs the profile of the whole charger. TxProfile exists only while a session runs (1.6 section 3.13.1).
  func purposes(_ place: Int) -> [LimitPurpose] {
    var order: [LimitPurpose]
    if place == 0 {
      let first = settings.purpose ?? (connectors.count > 1 ? .station : .usual)
      order = [first] + [LimitPurpose.usual, .station].filter { $0 != first }
    } else {
      order = [.usual]
    }
    if let session = session(at: place) {
      // A schedule that the session has for itself is the one that counts.
      if led[session.connector]?.session == session.id { order.insert(.session, at: 0) } else { order.append(.session) }
    }
    return order.filter { !abilities.refused.contains($0) }
  }

  private func session(at place: Int) -> ChargingSession? {
    let session = place == 0 ? (sessions.open.count == 1 ? sessions.open.first : nil) : sessions.session(on: place)
    return session?.canBeNamed == true ? session : nil
  }

  mutating func limit(_ limit: Limit, place: Int, until: Int64?, ticket: UInt64, _ now: Moment) {
    guard settings.supply.value(limit, abilities.unit) != nil else {
      effects.append(.outcome(ticket: ticket, .refused("no limit is given")))
      return
    }
    guard isConnected else {
      // It is kept: the charger gets it when it is back.
      var lease = leases[place] ?? LimitLease(limit, until: until)
      _ = lease.change(limit, until: until, now)
      leases[place] = lease
      effects.append(.outcome(ticket: ticket, .failed("the charger is not connected")))
      return
    }
    var lease = leases[place] ?? LimitLease(limit, until: until)
    let isNeeded = lease.change(limit, until: until, now)
    leases[place] = lease
    if isNeeded {
      sendLimit(place, ticket: ticket, now)
    } else {
      effects.append(.outcome(ticket: ticket, .done(inForce(limit))))
    }
  }

  private func inForce(_ limit: Limit) -> JSON {
    .object([
      "limit": settings.supply.value(limit, abilities.unit).map { .number($0) }, "unit": .string(abilities.unit.rawValue),
    ])
  }

  mutating func sendLimit(_ place: Int, ticket: UInt64?, _ now: Moment) {
    sendLimit(place, purposes(place), ticket: ticket, now)
  }

  private mutating func sendLimit(_ place: Int, _ purposes: [LimitPurpose], ticket: UInt64?, _ now: Moment) {
    guard let lease = leases[place] else { return }
    guard let purpose = purposes.first else {
      end(ticket, .failed("the charger takes no charging profile"))
      leases[place]?.sent(now)
      return
    }
    // A connector's own profile takes the place of that for all (1.6 section 3.13.1), so it carries both limits.
    let limit = place > 0 ? leases[0].map { lease.limit.and($0.limit) } ?? lease.limit : lease.limit
    let offset: Int64 = if case .off(let difference) = clock.state { difference } else { 0 }
    let session = session(at: place)
    let connector = purpose == .station ? 0 : purpose == .session ? session?.connector ?? place : place
    let profiles = LimitProfile.lease(
      limit, until: lease.until == LimitLease.forEver ? nil : now.unix + lease.end(now) - now.boot, safe: settings.safe,
      purpose: purpose, connector: connector,
      transaction: purpose == .session ? session?.id : nil, supply: settings.supply, abilities: abilities, clockError: offset, now)
    guard let first = profiles.first else { return end(ticket, .refused("no limit is given")) }
    // Marked now, so that it is not sent twice; taken back where it fails.
    leases[place]?.sent(now)
    send(
      LimitStep(
        place: place, profile: first, rest: Array(profiles.dropFirst()), alternatives: Array(purposes.dropFirst())), ticket, now)
  }

  private mutating func send(_ step: LimitStep, _ ticket: UInt64?, _ now: Moment) {
    let payload: JSON =
      switch version {
      case .v16: ["connectorId": .integer(Int64(step.profile.connector)), "csChargingProfiles": step.profile.v16]
      case .v201: ["evseId": .integer(Int64(step.profile.connector)), "chargingProfile": step.profile.v201]
      }
    if !call("SetChargingProfile", payload, .limit(ticket, step), first: true) {
      // It counts as sent and is tried again at its renewal.
      end(ticket, .failed("too many calls wait for the charger"))
    }
  }

  mutating func limitAnswered(_ step: LimitStep, _ ticket: UInt64?, status: String, text: String, _ now: Moment) {
    if status == "Accepted" {
      if let next = step.rest.first {
        let rest = LimitStep(
          place: step.place, profile: next, rest: Array(step.rest.dropFirst()), alternatives: step.alternatives)
        return send(rest, ticket, now)
      }
      installed.insert(step.profile.id)
      if settings.verifiesLimits, !cannotVerify {
        verify(step, ticket)
      } else {
        end(ticket, .done(inForce(leases[step.place]?.limit ?? Limit())))
      }
      return
    }
    if status == "NotSupported" || status == "NotImplemented" { abilities.refused.insert(step.profile.purpose) }
    if !step.alternatives.isEmpty { return sendLimit(step.place, step.alternatives, ticket: ticket, now) }
    note("limit.\(status)", "the charger took no charging profile: \(status) \(text)")
    end(ticket, status == "Rejected" ? .refused("the charger rejected the charging profile") : .failed("\(status) \(text)".trimmed))
  }

  /// The charger took it; whether it obeys is another matter.
  private mutating func verify(_ step: LimitStep, _ ticket: UInt64?) {
    let connector = step.profile.connector > 0 ? step.profile.connector : connectors.count == 1 && step.profile.purpose != .station ? 1 : 0
    let payload: JSON = [
      version == .v16 ? "connectorId" : "evseId": .integer(Int64(connector)), "duration": 60,
      "chargingRateUnit": .string(abilities.unit.rawValue),
    ]
    if !call("GetCompositeSchedule", payload, .verifyLimit(ticket, step), first: true) {
      end(ticket, .accepted(inForce(leases[step.place]?.limit ?? Limit())))
    }
  }

  /// `schedule` nil: the charger does not say.
  mutating func limitVerified(_ step: LimitStep, _ ticket: UInt64?, schedule: CompositeSchedule?, isUnsupported: Bool, _ now: Moment) {
    if isUnsupported { cannotVerify = true }
    let limit = leases[step.place]?.limit ?? Limit()
    guard let schedule else { return end(ticket, .accepted(inForce(limit))) }
    if schedule.holds(limit, settings.supply) {
      if limitAlarm {
        limitAlarm = false
        effects.append(.alarm("LimitNotInForce", isActive: false, text: ""))
      }
      return end(ticket, .done(["limit": .number(schedule.limit), "unit": .string(schedule.unit.rawValue)]))
    }
    // Some apply TxDefaultProfile to the next session only.
    if step.alternatives.contains(.session) { return sendLimit(step.place, [.session], ticket: ticket, now) }
    if !limitAlarm {
      limitAlarm = true
      effects.append(
        .alarm(
          "LimitNotInForce", isActive: true,
          text: "the charger took the limit and says that \(JSON.text(schedule.limit)) \(schedule.unit.rawValue) are in force"))
    }
    end(ticket, .accepted(["limit": .number(schedule.limit), "unit": .string(schedule.unit.rawValue)]))
  }

  mutating func release(_ place: Int, ticket: UInt64, _ now: Moment) {
    leases[place] = nil
    let ids = LimitPurpose.allCases.flatMap { purpose -> [Int64] in
      let id = LimitProfile.id(purpose, purpose == .station ? 0 : place)
      return place != 0 && purpose == .station ? [] : [id, id + 1]
    }.filter { installed.contains($0) }
    guard isConnected else { return end(ticket, .failed("the charger is not connected")) }
    guard !ids.isEmpty else {
      // Before a restart of ours there may have been some.
      return clear(LimitProfile.id(purposes(place).first ?? .usual, place), place, ticket)
    }
    for (index, id) in ids.enumerated() {
      installed.remove(id)
      clear(id, place, index == ids.count - 1 ? ticket : nil)
    }
  }

  private mutating func clear(_ id: Int64, _ place: Int, _ ticket: UInt64?) {
    let payload: JSON = [version == .v16 ? "id" : "chargingProfileId": .integer(id)]
    if !call("ClearChargingProfile", payload, .clearLimit(ticket, place: place)) {
      end(ticket, .failed("too many calls wait for the charger"))
    }
  }

  mutating func end(_ ticket: UInt64?, _ outcome: Outcome) {
    if let ticket { effects.append(.outcome(ticket: ticket, outcome)) }
  }

  /// Renews what is due, forgets what has ended: there the charger has fallen back by itself.
  mutating func tendLimits(_ now: Moment) {
    for (place, lease) in leases {
      if lease.hasEnded(now) {
        leases[place] = nil
      } else if isConnected, registration.mayCall, lease.renewal <= now.boot {
        sendLimit(place, ticket: nil, now)
      }
    }
  }
}
