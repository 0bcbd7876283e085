// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarControl
import BusbarModel
import Testing

extension Site {
  func restartedAndRecovered() async -> Arbiter {
    let arbiter = restarted()
    await arbiter.recover()
    return arbiter
  }
}

@Suite struct UpkeepTests {
  /// venus #1643: the controller dies, the battery keeps its last limit for ever.
  @Test func aBatteryGoesBackToItsSafeValueWhenTheControllerFallsSilent() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "max_charge_power", .integer(100)))
    #expect(site.writer.value(battery, "max_charge_power") == .integer(100))
    await site.advance(59.9)
    #expect(site.writer.value(battery, "max_charge_power") == .integer(100))
    await site.advance(0.1)
    #expect(site.writer.value(battery, "max_charge_power") == .integer(5000))
    #expect(site.journal.open.isEmpty)
  }

  /// venus #1643, the other half: the host itself dies.
  @Test func aBatteryGoesBackToItsSafeValueWhenTheHostWasKilled() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "max_charge_power", .integer(100), for: 3600))
    #expect(site.journal.open.map(\.safe) == [.integer(5000)])
    let arbiter = await site.restartedAndRecovered()
    await arbiter.timePassed()
    #expect(site.writer.value(battery, "max_charge_power") == .integer(5000))
    #expect(site.writer.writes.last?.purpose == .safe)
    #expect(site.journal.open.isEmpty)
    #expect(await arbiter.leases().isEmpty)
  }

  /// evcc #14248: the charger was away when the limit ended, and keeps it when it is back.
  @Test func aChargerThatWasAwayWhenTheLeaseEndedGetsItsSafeValueWhenItIsBack() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(32)))
    site.writer.answer { _ in .failed("offline") }
    await site.advance(60)
    for _ in 0..<200 { await site.advance(10) }
    #expect(site.writer.value(wallbox, "current_limit") == .number(32))
    #expect(site.journal.open.count == 1)
    let tries = site.writer.writes.count
    #expect(tries < 60)
    site.writer.answer(nil)
    await site.arbiter.deviceReady(wallbox)
    await site.arbiter.timePassed()
    #expect(site.writer.value(wallbox, "current_limit") == .number(6))
    #expect(site.writer.writes.count == tries + 1)
    #expect(site.journal.open.isEmpty)
    #expect(site.log.all.filter { $0.hasPrefix("warning") }.count == 1)
    #expect(site.log.all.filter { $0.hasPrefix("notice") }.count == 1)
    await site.advance(3600)
    await site.arbiter.deviceReady(wallbox)
    await site.arbiter.timePassed()
    #expect(site.writer.writes.count == tries + 1)
  }

  @Test func aSafeValueIsTriedAgainAfterOneSecondDoublingToSixty() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(32)))
    site.writer.answer { _ in .unknown("no answer") }
    await site.advance(60)
    var counts = [site.writer.writes.count]
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] as [Double] {
      await site.advance(pause - 0.5)
      #expect(site.writer.writes.count == counts.last)
      await site.advance(0.5)
      counts.append(site.writer.writes.count)
    }
    #expect(counts == Array(2...10))
    #expect(Set(site.writer.writes.map(\.id)).count == 10)
  }

  @Test func aWallClockThatJumpsEndsNoLease() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10)))
    site.time.setUnix(site.time.unix() + 365 * 86_400_000)
    await site.arbiter.timePassed()
    site.time.setUnix(0)
    await site.advance(59)
    #expect(site.written() == [.number(10)])
    await site.advance(1)
    #expect(site.written() == [.number(10), .number(6)])
  }

  @Test func aWriteWithoutAnAnswerIsFollowedByTheSafeValue() async {
    let site = await Site()
    site.writer.answer { _ in .unknown("no answer") }
    #expect(await site.arbiter.submit(site.set("1", .number(6))).status == .unknown)
    await site.arbiter.timePassed()
    #expect(site.writer.writes.count == 1)
    site.writer.answer(nil)
    await site.advance(60)
    #expect(site.written() == [.number(6), .number(6)])
    #expect(site.journal.open.isEmpty)
  }

  @Test func beforeTheNextLeaseIsWrittenItsSafeValueIsOwed() async {
    let site = await Site()
    var first = site.set("1", wallbox, "enabled", .boolean(false), owner: "a", for: 100)
    first.safe = .boolean(true)
    var then = site.set("2", wallbox, "enabled", .boolean(true), owner: "b", for: 50, .user)
    then.safe = .boolean(false)
    _ = await site.arbiter.submit(first)
    _ = await site.arbiter.submit(then)
    await site.advance(50)
    await site.advance(50)
    #expect(
      site.events.all.suffix(5) == [
        "finish 2 done", "owe enabled=true", "write command enabled=false", "write safe enabled=true",
        "settled enabled",
      ])
  }

  @Test func aValueInForceIsRefreshedAsLongAsItIsHeld() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "max_charge_power", .integer(100), for: 100))
    for _ in 0..<30 { await site.advance(10) }
    #expect(site.writer.writes.map(\.purpose) == [.command, .refresh, .refresh, .refresh, .safe])
    #expect(site.written("max_charge_power").dropLast().allSatisfy { $0 == .integer(100) })
    #expect(Set(site.writer.writes.map(\.id)).count == 5)
  }

  @Test func aDeviceThatComesBackIsRefreshedAtOnce() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", battery, "max_charge_power", .integer(100)))
    _ = await site.arbiter.submit(site.set("2", battery, "mode", .text("off")))
    await site.arbiter.deviceReady(battery)
    await site.arbiter.timePassed()
    #expect(site.writer.writes.map(\.purpose) == [.command, .command, .refresh])
  }

  @Test func whatIsOwedFromBeforeTheStartIsWrittenBeforeAnythingElse() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(32), for: 3600))
    let arbiter = await site.restartedAndRecovered()
    #expect(await arbiter.submit(site.set("2", .number(10))).status == .done)
    #expect(site.written() == [.number(32), .number(6), .number(10)])
    #expect(site.journal.open.count == 1)
  }

  @Test func aRequestFailsWhileWhatIsOwedCannotBeWritten() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(32), for: 3600))
    site.writer.answer { _ in .failed("offline") }
    let arbiter = await site.restartedAndRecovered()
    await arbiter.timePassed()
    let response = await arbiter.submit(site.set("2", .number(10)))
    #expect(response.status == .failed)
    #expect(response.text?.contains("safe value") == true)
    #expect(site.written() == [.number(32), .number(6), .number(6)])
    #expect(await arbiter.submit(site.act("3", "unlock")).status == .failed)
    site.writer.answer(nil)
    await arbiter.deviceReady(wallbox)
    await arbiter.timePassed()
    #expect(site.writer.value(wallbox, "current_limit") == .number(6))
    #expect(site.journal.open.isEmpty)
  }

  @Test func aCommandThatWasSentWhenTheHostDiedIsUnknown() async throws {
    let site = await Site()
    let request = site.act("1", "unlock")
    _ = try site.journal.enter(id: "1", device: wallbox, digest: request.digest, time: 0)
    try site.journal.sent(id: "1")
    let arbiter = await site.restartedAndRecovered()
    #expect(await arbiter.submit(request).status == .unknown)
    #expect(site.journal.response("1")?.status == .unknown)
    #expect(site.writer.writes.isEmpty)
  }

  @Test func aCommandThatWasSentStaysUnknownWhileTheDiskIsFull() async throws {
    let site = await Site()
    let request = site.act("1", "unlock")
    _ = try site.journal.enter(id: "1", device: wallbox, digest: request.digest, time: 0)
    try site.journal.sent(id: "1")
    site.journal.setFull(true)
    let arbiter = await site.restartedAndRecovered()
    site.journal.setFull(false)
    #expect(await arbiter.submit(request).status == .unknown)
    #expect(site.writer.writes.isEmpty)
  }

  @Test func aCommandThatWasNeverSentIsCarriedOutWhenItComesAgain() async throws {
    let site = await Site()
    let request = site.act("1", "unlock")
    _ = try site.journal.enter(id: "1", device: wallbox, digest: request.digest, time: 0)
    #expect(await site.restartedAndRecovered().submit(request).status == .done)
    #expect(site.writer.writes.count == 1)
  }

  @Test func nothingIsServedBeforeTheDebtsAreKnown() async {
    let site = await Site(recovered: false)
    #expect(await site.arbiter.submit(site.set("1", .number(10))).status == .failed)
    #expect(site.writer.writes.isEmpty)
  }

  @Test func anOrderlyStopWritesTheSafeValues() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10), for: 3600))
    _ = await site.arbiter.submit(site.set("2", battery, "mode", .text("off"), for: 3600))
    _ = await site.arbiter.submit(site.set("3", battery, "power_setpoint", .number(0), for: 3600))
    let arbiter = site.arbiter
    let stopped = Task { await arbiter.shutdown(within: .seconds(5)) }
    // The alarm of this clock never rings.
    while await arbiter.submit(site.set("4", .number(9))).status == .done { await Task.yield() }
    await arbiter.timePassed()
    await stopped.value
    #expect(site.writer.value(wallbox, "current_limit") == .number(6))
    #expect(site.written("mode") == [.text("off"), .text("auto")])
    #expect(site.written("power_setpoint") == [.number(0)])
    #expect(site.journal.open.isEmpty)
    #expect(await arbiter.leases().isEmpty)
    #expect(await arbiter.submit(site.set("5", .number(10))).status == .failed)
  }

  @Test func anOrderlyStopDoesNotWaitForADeviceThatIsAway() async {
    let site = await Site()
    let arbiter = await site.onSystemTime()
    var request = site.set("1", .number(10), for: 3600)
    request.time = SystemTime().unix()
    #expect(await arbiter.submit(request).status == .done)
    site.writer.hold()
    await arbiter.shutdown(within: .milliseconds(20))
    #expect(site.journal.open.map(\.safe) == [.number(6)])
    #expect(site.log.all.contains { $0.hasPrefix("warning") })
    site.writer.resume()
  }

  @Test func aWriteUnderWayAtTheStopIsFollowedByTheSafeValue() async {
    let site = await Site()
    let arbiter = await site.onSystemTime()
    site.writer.hold()
    var request = site.set("1", .number(10), for: 3600)
    request.time = SystemTime().unix()
    let command = request
    async let response = arbiter.submit(command)
    await site.writer.arrived(1)
    async let stopped: Void = arbiter.shutdown(within: .seconds(600))
    while await arbiter.submit(site.act("2", "none")).text != "the host is stopping" { await Task.yield() }
    site.writer.resume()
    #expect(await response.status == .done)
    await stopped
    #expect(site.written() == [.number(10), .number(6)])
    #expect(site.journal.open.isEmpty)
  }

  @Test func byTheMachinesClockALeaseEndsByItself() async {
    let site = await Site()
    let arbiter = await site.onSystemTime()
    var request = site.set("1", .number(10))
    request.time = SystemTime().unix()
    request.validFor = .milliseconds(200)
    // On a machine that stood still in between it is expired, and there is nothing to wait for.
    guard await arbiter.submit(request).status == .done else { return }
    await site.writer.arrived(2)
    #expect(site.writer.writes.last?.purpose == .safe)
  }
}
