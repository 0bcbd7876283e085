// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import Testing

@Suite struct ArbiterTests {
  @Test func aSetpointIsJournalledOwedSentAndAnswered() async {
    let site = await Site()
    let response = await site.arbiter.submit(site.set("1", .integer(10)))
    #expect(response == CommandResponse(id: "1", time: site.time.unix(), status: .done, value: .number(10)))
    #expect(
      site.events.all == [
        "enter 1", "owe current_limit=6", "sent 1", "write command current_limit=10", "finish 1 done",
      ])
    #expect(site.writer.writes.first?.id == "1")
    #expect(site.writer.writes.first?.validUntil == site.time.boot() + 60 * second)
    #expect(site.journal.response("1") == response)
  }

  @Test func theSameIDActsOnceAndIsAnsweredAgain() async {
    let site = await Site()
    let request = site.set("1", .number(10))
    let first = await site.arbiter.submit(request)
    site.time.advance(3600)
    #expect(await site.arbiter.submit(request) == first)
    #expect(await site.restartedAndRecovered().submit(request) == first)
    #expect(site.writer.writes.filter { $0.purpose == .command }.count == 1)
  }

  @Test func theSameIDForSomethingElseIsRefused() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10)))
    let response = await site.arbiter.submit(site.set("1", .number(20)))
    #expect(response.reason == .invalid)
    #expect(site.written() == [.number(10)])
  }

  @Test func theSameIDFromTwoSourcesAtTheSameTimeActsOnce() async {
    let site = await Site()
    site.writer.hold()
    var second = site.set("1", .number(10), owner: "administrator")
    second.role = .administrator
    let other = second
    async let one = site.arbiter.submit(site.set("1", .number(10)))
    async let two = site.arbiter.submit(other)
    await site.writer.arrived(1)
    #expect(await site.arbiter.submit(site.set("1", .number(11))).reason == .invalid)
    site.writer.resume()
    let answers = await [one, two]
    #expect(answers[0] == answers[1])
    #expect(answers[0].status == .done)
    #expect(site.writer.writes.count == 1)
  }

  @Test(
    arguments: [
      (DeviceWriteResult.done(.number(9.5)), CommandResponse.Status.done, Value.number(9.5), 1),
      (.accepted, .accepted, .number(10), 1), (.refused(.wearBudget, "worn"), .refused, nil, 0),
      (.failed("offline"), .failed, nil, 0), (.unknown("no answer"), .unknown, nil, 1), (.expired, .failed, nil, 0),
    ] as [(DeviceWriteResult, CommandResponse.Status, Value?, Int)])
  func everyEndOfAWrite(
    result: DeviceWriteResult, status: CommandResponse.Status, value: Value?, leases: Int
  ) async {
    let site = await Site()
    site.writer.answer { _ in result }
    let response = await site.arbiter.submit(site.set("1", .number(10), for: 3600))
    #expect(response.status == status)
    #expect(response.value == value)
    #expect(response.reason == (status == .refused ? .wearBudget : nil))
    #expect(await site.arbiter.leases().count == leases)
    #expect(site.journal.open.count == leases)
    #expect(site.journal.response("1") == response)
  }

  @Test func aWriteThatFailedLeavesTheEarlierLeaseOfTheOwner() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10)))
    site.writer.answer { _ in .failed("offline") }
    _ = await site.arbiter.submit(site.set("2", .number(20)))
    #expect(await site.arbiter.leases().map(\.value) == [.number(10)])
    #expect(site.journal.open.count == 1)
  }

  @Test func theSmallerLimitAppliesAndTheOtherIsTold() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10), owner: "a", .optimizer))
    let response = await site.arbiter.submit(site.set("2", .number(20), owner: "b", for: 90, .grid))
    #expect(response.status == .accepted)
    #expect(response.value == .number(10))
    #expect(response.by == "a")
    #expect(response.until == site.time.unix() + 60_000)
    #expect(site.written() == [.number(10)])
    await site.advance(60)
    #expect(site.written() == [.number(10), .number(20)])
    await site.advance(30)
    #expect(site.written() == [.number(10), .number(20), .number(6)])
    #expect(site.writer.writes.map(\.purpose) == [.command, .command, .safe])
    #expect(Set(site.writer.writes.map(\.id)).count == 3)
    #expect(site.journal.open.isEmpty)
  }

  @Test func aLimitThatItsOwnerRaisesGivesWayToTheNextSmallest() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10), owner: "a"))
    _ = await site.arbiter.submit(site.set("2", .number(20), owner: "b"))
    let response = await site.arbiter.submit(site.set("3", .number(30), owner: "a"))
    #expect(response.status == .accepted)
    #expect(response.value == .number(20))
    #expect(response.by == "b")
    #expect(site.written() == [.number(10), .number(20)])
  }

  @Test func aLowerPriorityIsOverruledAndNotRemembered() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "power_setpoint", .number(100), owner: "grid", .grid))
    let response = await site.arbiter.submit(
      site.set("2", battery, "power_setpoint", .number(200), owner: "ems", for: 600))
    #expect(response.status == .refused)
    #expect(response.reason == .overruled)
    #expect(response.by == "grid")
    #expect(response.until == site.time.unix() + 60_000)
    await site.advance(60)
    #expect(site.written("power_setpoint") == [.number(100), .number(0)])
  }

  @Test func aModeGoesBackToTheEarlierLeaseThenToItsSafeValue() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "mode", .text("hold"), owner: "a", for: 100))
    _ = await site.arbiter.submit(site.set("2", battery, "mode", .text("off"), owner: "b", for: 50, .user))
    await site.advance(50)
    await site.advance(50)
    #expect(site.written("mode") == [.text("hold"), .text("off"), .text("hold"), .text("auto")])
  }

  @Test func aReleaseWritesWhatFollows() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10), owner: "a"))
    _ = await site.arbiter.submit(site.set("2", .number(20), owner: "b"))
    var response = await site.arbiter.submit(site.set("3", nil, owner: "a"))
    #expect(response.status == .done)
    #expect(response.value == .number(20))
    response = await site.arbiter.submit(site.set("4", nil, owner: "a"))
    #expect(response.status == .done)
    #expect(response.value == .number(20))
    response = await site.arbiter.submit(site.set("5", nil, owner: "b"))
    #expect(response.status == .done)
    #expect(response.value == .number(6))
    #expect(site.written() == [.number(10), .number(20), .number(6)])
    #expect(site.journal.open.isEmpty)
  }

  @Test func aReleaseThatTheDeviceDoesNotTakeYetIsAcceptedAndTriedAgain() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10)))
    site.writer.answer { _ in .failed("offline") }
    let response = await site.arbiter.submit(site.set("2", nil))
    #expect(response.status == .accepted)
    #expect(response.value == nil)
    #expect(site.journal.open.count == 1)
    site.writer.answer(nil)
    await site.advance(1)
    #expect(site.written() == [.number(10), .number(6), .number(6)])
    #expect(site.journal.open.isEmpty)
  }

  @Test func aSettingIsWrittenOnceAndStays() async {
    let site = await Site()
    #expect(await site.arbiter.submit(site.set("1", wallbox, "phases", .integer(1))).status == .done)
    await site.advance(3600)
    #expect(site.written("phases") == [.integer(1)])
    #expect(site.journal.open.isEmpty)
    #expect(await site.arbiter.leases().isEmpty)
  }

  @Test func anActionIsHandedOn() async {
    let site = await Site()
    #expect(await site.arbiter.submit(site.act("1", "unlock")).status == .done)
    #expect(site.writer.writes.map(\.verb) == [.action(name: "unlock", arguments: ["connector": 1])])
    #expect(await site.arbiter.submit(site.act("2", "explode")).reason == .unsupported)
    site.writer.answer { _ in .unknown("no answer") }
    #expect(await site.arbiter.submit(site.act("3", "unlock")).status == .unknown)
    #expect(site.journal.response("3")?.status == .unknown)
  }

  @Test func aDryRunChecksEverythingAndChangesNothing() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "power_setpoint", .number(1), owner: "grid", .grid))
    #expect(await site.arbiter.submit(site.set("2", .number(40), dryRun: true)).reason == .outOfRange)
    #expect(
      await site.arbiter.submit(site.set("3", battery, "power_setpoint", .number(2), dryRun: true)).reason == .overruled
    )
    site.writer.answer { $0.dryRun ? .done(nil) : .failed("not a dry run") }
    let response = await site.arbiter.submit(site.set("4", .number(10), dryRun: true))
    #expect(response.status == .done)
    #expect(site.writer.writes.last?.dryRun == true)
    #expect(
      await site.arbiter.submit(site.set("5", battery, "power_setpoint", nil, owner: "grid", dryRun: true)).status
        == .done)
    #expect(site.journal.ids == ["1"])
    #expect(await site.arbiter.leases().map(\.owner) == ["grid"])
    #expect(site.journal.open.count == 1)
  }

  @Test func aDryRunOfALimitThatWouldNotApplyLeavesNoLease() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10), owner: "a"))
    let response = await site.arbiter.submit(site.set("2", .number(20), owner: "b", dryRun: true))
    #expect(response.status == .accepted)
    #expect(response.by == "a")
    #expect(site.writer.writes.count == 1)
    #expect(await site.arbiter.leases().map(\.owner) == ["a"])
  }

  @Test func aSafeValueThatIsNotUsedIsTold() async {
    let site = await Site()
    var request = site.set("1", .number(10))
    request.safe = .integer(32)
    #expect(await site.arbiter.submit(request).text?.contains("template's safe value 6") == true)
    request = site.set("2", .number(10))
    request.safe = .integer(6)
    #expect(await site.arbiter.submit(request).text == nil)
  }

  @Test func whoMayOnlyLookLeavesNoTrace() async {
    let site = await Site()
    var request = site.set("1", .number(10))
    request.role = .viewer
    #expect(await site.arbiter.submit(request).reason == .notAuthorized)
    #expect(await site.arbiter.submit(site.set("", .number(10))).reason == .invalid)
    #expect(site.events.all.isEmpty)
  }

  @Test func leasesAreListed() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(20), owner: "b"))
    _ = await site.arbiter.submit(site.set("2", .number(10), owner: "a", .grid))
    _ = await site.arbiter.submit(site.set("3", battery, "mode", .text("off"), owner: "c"))
    let leases = await site.arbiter.leases()
    #expect(leases.map(\.owner) == ["c", "a", "b"])
    #expect(leases.map(\.applies) == [true, true, false])
    #expect(
      leases[1].json.text
        == #"{"applies":true,"device":"evc_keba_1","owner":"a","point":"current_limit","priority":"grid","until":1795378218000,"value":10}"#
    )
  }
}
