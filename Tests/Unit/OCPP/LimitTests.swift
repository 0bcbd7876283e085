// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

@Suite struct LimitTests {
  private let supply = Supply()

  private func lease(
    _ limit: Limit, seconds: Int64? = 60, purpose: LimitPurpose = .usual, clockError: Int64 = 0, _ change: (inout ProfileAbilities) -> Void = { _ in }
  ) -> [LimitProfile] {
    var abilities = ProfileAbilities()
    change(&abilities)
    return LimitProfile.lease(
      limit, until: seconds.map { at($0).unix }, safe: Limit(current: 6), purpose: purpose, connector: 1,
      transaction: purpose == .session ? "42" : nil, supply: supply, abilities: abilities, clockError: clockError, at(0))
  }

  @Test func amperesAndWatts() {
    #expect(supply.value(Limit(current: 16), .ampere) == 16)
    #expect(supply.value(Limit(current: 16), .watt) == 11040)
    #expect(supply.value(Limit(power: 11000), .ampere) == 15.9)
    #expect(supply.value(Limit(current: 16, power: 5000), .watt) == 5000)
    #expect(supply.value(Limit(current: 6, power: 11000), .ampere) == 6)
    #expect(Supply(phases: 1).value(Limit(power: 2300), .ampere) == 10)
    #expect(supply.value(Limit(current: -3), .ampere) == 0)
    #expect(supply.value(Limit(), .ampere) == nil)
    // Never more than asked, through rounding.
    for tenth in 0..<400 {
      let power = Double(tenth) * 37.3
      let value = supply.value(Limit(power: power), .ampere) ?? .infinity
      #expect(value * 690 <= power + 0.01)
    }
  }

  @Test func fallsBackByItself() {
    let profiles = lease(Limit(current: 16))
    #expect(profiles.count == 1)
    // The start is a minute back; the safe value holds from the end of the lease on, for ever.
    #expect(profiles[0].periods == [.init(0, 16), .init(120, 6)])
    let schedule = profiles[0].v16["chargingSchedule"]
    #expect(schedule?["duration"] == nil && profiles[0].v16["validTo"] == nil)
    #expect(schedule?["startSchedule"]?.string == Stamp.text(at(-60).unix))
  }

  @Test func validAgainstTheTables() {
    for version in OCPPVersion.allCases {
      for purpose in LimitPurpose.allCases {
        for abilities in 0..<4 {
          let profiles = lease(Limit(power: 7000), purpose: purpose) { known in
            known.mostPeriods = abilities % 2 + 1
            known.units = abilities < 2 ? [.watt] : [.ampere]
          }
          for profile in profiles {
            let payload: JSON =
              version == .v16
              ? ["connectorId": 1, "csChargingProfiles": profile.v16] : ["evseId": 1, "chargingProfile": profile.v201]
            #expect(Catalogue.of(version).check("SetChargingProfile", .request, payload)?.findings == [])
          }
        }
      }
    }
  }

  @Test func chargersWithOnePeriod() {
    let two = lease(Limit(current: 16)) { $0.mostPeriods = 1 }
    #expect(two.map(\.level) == [0, 1])
    #expect(two[0].periods == [.init(0, 6)] && two[0].validTo == nil)
    #expect(two[1].periods == [.init(0, 16)] && two[1].validTo == at(60).unix)
    #expect(two[1].v201["chargingSchedule"]?.array?[0]["duration"] == 120)
    let one = lease(Limit(current: 16)) { ($0.mostPeriods, $0.highestLevel) = (1, 0) }
    #expect(one.count == 1 && one[0].periods == [.init(0, 6)])
  }

  @Test func untilReleased() {
    #expect(lease(Limit(current: 16), seconds: nil).map(\.periods) == [[.init(0, 16)]])
  }

  @Test func byTheChargersClock() {
    let profile = lease(Limit(current: 16), clockError: 3_600_000)[0]
    #expect(profile.start == at(-60).unix - 3_600_000)
    #expect(profile.periods[1].start == 120)
  }

  @Test func sessions() {
    let profile = lease(Limit(current: 10), purpose: .session)[0]
    #expect(profile.v16["transactionId"] == 42)
    #expect(profile.v201["transactionId"] == "42")
    #expect(LimitProfile.id(.usual, 1) != LimitProfile.id(.session, 1) && LimitProfile.id(.usual, 1) != LimitProfile.id(.usual, 2))
  }

  @Test func renewals() {
    var lease = LimitLease(Limit(current: 16), until: 60_000)
    #expect(lease.renewal == .min)
    #expect(lease.change(Limit(current: 16), until: 60_000, at(0)) == true)
    lease.sent(at(0))
    #expect(lease.renewal == .max)
    // The same again, for longer: when half is over.
    #expect(lease.change(Limit(current: 16), until: 80_000, at(20)) == false)
    #expect(lease.change(Limit(current: 16), until: 100_000, at(40)) == true)
    #expect(lease.change(Limit(current: 10), until: 100_000, at(1)) == true)
    #expect(lease.change(Limit(current: 10), until: 20_000, at(1)) == true)
    #expect(lease.hasEnded(at(20)) && !lease.hasEnded(at(19)))
    var endless = LimitLease(Limit(current: 16), until: nil)
    endless.sent(at(0))
    #expect(endless.renewal == LimitLease.longest / 2)
  }

  /// What is safe stays in the charger without us: it wears out no flash memory.
  @Test func whatIsSafeIsNotRenewed() {
    var lease = LimitLease(Limit(current: 6), until: LimitLease.forEver)
    #expect(lease.renewal == .min)
    lease.sent(at(0))
    #expect(lease.renewal == .max && !lease.hasEnded(at(1_000_000)))
    #expect(lease.change(Limit(current: 6), until: LimitLease.forEver, at(2_000)) == false)
    #expect(lease.change(Limit(current: 16), until: 3_000_000, at(2_000)) == true)
    #expect(lease.end(at(2_000)) == at(2_000).boot + LimitLease.longest)
  }

  @Test func whatIsInForce() throws {
    let schedule = try #require(
      CompositeSchedule([
        "chargingRateUnit": "A", "chargingSchedulePeriod": [["startPeriod": 60, "limit": 32], ["startPeriod": 0, "limit": 10]],
      ]))
    #expect(schedule.limit == 10)
    #expect(schedule.holds(Limit(current: 10), supply) && schedule.holds(Limit(current: 16), supply))
    #expect(!schedule.holds(Limit(current: 6), supply))
    #expect(CompositeSchedule(["chargingRateUnit": "kW"]) == nil)
  }
}

@Suite struct TagTests {
  private func list(_ version: Int64, _ tags: [String], blocked: Set<String> = []) -> TagList {
    TagList(version: version, tags.map { TagList.Entry($0, TagInfo(blocked.contains($0) ? .blocked : .accepted)) })
  }

  @Test func versionsRiseWithChanges() {
    var list = TagList()
    list.set(TagList.Entry("A", TagInfo(.accepted)))
    list.set(TagList.Entry("A", TagInfo(.accepted)))
    #expect(list.version == 1)
    list.remove("a")
    list.remove("a")
    #expect(list.version == 2 && list.count == 0)
  }

  @Test func fullAndDifferential() {
    let full = TagListUpdate(list(5, ["A", "B", "C"]), known: nil, mostEntries: 20)
    #expect(full.messages.map(\.isFull) == [true])
    #expect(full.version == 5)
    let update = TagListUpdate(list(6, ["A", "C", "D"], blocked: ["C"]), known: list(5, ["A", "B", "C"]), mostEntries: 20)
    #expect(update.messages.count == 1 && !update.messages[0].isFull)
    #expect(update.messages[0].changed.map(\.tag) == ["C", "D"] && update.messages[0].removed.map(\.tag) == ["B"])
    #expect(TagListUpdate(list(6, ["A"]), known: list(6, ["A"]), mostEntries: 20).messages.isEmpty)
    #expect(TagListUpdate(TagList(version: 3), known: nil, mostEntries: 20).messages.map(\.isFull) == [true])
  }

  @Test func parts() {
    let many = list(10, (0..<45).map { "T\($0)" })
    let full = TagListUpdate(many, known: nil, mostEntries: 20)
    #expect(full.messages.map(\.version) == [8, 9, 10])
    #expect(full.messages.map(\.isFull) == [true, false, false])
    #expect(full.messages.flatMap(\.changed).count == 45)
    // A version each, also for a young list.
    #expect(TagListUpdate(list(1, (0..<45).map { "T\($0)" }), known: nil, mostEntries: 20).messages.map(\.version) == [1, 2, 3])
    // Too few numbers between: everything anew.
    #expect(TagListUpdate(list(6, (0..<45).map { "T\($0)" }), known: list(5, []), mostEntries: 20).messages[0].isFull)
  }

  @Test func messagesAreValid() {
    let update = TagListUpdate(list(6, ["A", String(repeating: "x", count: 60)]), known: list(5, ["B"]), mostEntries: 20)
    for message in update.messages {
      #expect(Catalogue.of(.v16).check("SendLocalList", .request, message.v16)?.findings == [])
      #expect(Catalogue.of(.v201).check("SendLocalList", .request, message.v201)?.findings == [])
    }
    let info = TagInfo(.accepted, expiry: at(0).unix, group: "GROUP")
    #expect(Catalogue.of(.v16).check("Authorize", .response, ["idTagInfo": info.v16])?.findings == [])
    #expect(Catalogue.of(.v201).check("Authorize", .response, ["idTokenInfo": info.v201])?.findings == [])
  }
}

@Suite struct ReportTests {
  @Test func parts() {
    var reports = ReportAssembly()
    #expect(reports.receive(request: 1, number: 0, more: true, items: [1], at(0)) == nil)
    #expect(reports.receive(request: 1, number: 2, more: false, items: [3], at(1)) == nil)
    #expect(reports.receive(request: 1, number: 1, more: true, items: [2], at(2)) == ReportAssembly.Report(items: [1, 2, 3], isComplete: true))
    #expect(reports.expiry == nil)
    #expect(reports.receive(request: 2, number: 0, more: false, items: [1], at(0)) == ReportAssembly.Report(items: [1], isComplete: true))
    #expect(reports.receive(request: 3, number: 1, more: false, items: [1], at(0)) == ReportAssembly.Report(items: [1], isComplete: true))
  }

  @Test func whatNeverEnds() {
    var reports = ReportAssembly()
    _ = reports.receive(request: 1, number: 0, more: true, items: [1], at(0))
    #expect(reports.expire(at(119)).isEmpty)
    let ended = reports.expire(at(120))
    #expect(ended.count == 1 && ended[0].report == ReportAssembly.Report(items: [1], isComplete: false))
    // Bounded, and said.
    for part in 0..<200 { _ = reports.receive(request: 2, number: Int64(part), more: true, items: Array(repeating: 1, count: 100), at(200)) }
    #expect(reports.receive(request: 2, number: 200, more: false, items: [1], at(200))?.isComplete == false)
  }

  @Test func abilities() {
    var variables = DeviceVariables()
    variables.learn16(key: "ChargingScheduleAllowedChargingRateUnit", value: "Power")
    variables.learn16(key: "ChargeProfileMaxStackLevel", value: "0")
    variables.learn16(key: "ChargingScheduleMaxPeriods", value: "nonsense")
    #expect(variables.abilities.unit == .watt)
    #expect(variables.abilities.highestLevel == 0 && variables.abilities.mostPeriods == 2)
    variables.learn201(component: "SmartChargingCtrlr", variable: "RateUnit", value: "A,W")
    variables.learn201(report: [
      "component": ["name": "SmartChargingCtrlr"], "variable": ["name": "ProfileStackLevel"],
      "variableAttribute": [["type": "Target", "value": "9"], ["value": "4"]],
    ])
    #expect(variables.abilities.unit == .ampere && variables.abilities.highestLevel == 4)
  }
}
