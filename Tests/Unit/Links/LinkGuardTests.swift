// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import Testing

/// Connections and polls of links whose adapter the test plays.
@Suite(.timeLimit(.minutes(1)))
struct LinkGuardTests {
  @Test func aLinkIsOpenedItsDeviceAddedAndPolled() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    #expect(try await site.observed.reading(a).text == ["power=1", "energy_total=1"])
    let status = try await site.observed.status(a, .online)
    #expect(status.reason == nil)
    #expect(status.quality.success == 1)
    #expect(site.observed.statuses(a).map(\.state) == [.connecting, .online])
    let setup = DeviceSetup(number: 1, name: "met_a", config: "{}", templateBody: "")
    #expect(site.adapter.calls() == [.open, .add(setup), .poll(1, [1, 2])])
    let infos = site.observed.journal.all.compactMap { if case .info(let info) = $0 { info } else { nil } }
    #expect(infos.last?.points.map(\.name) == ["power", "energy_total"])
    #expect(infos.last?.link == "bus1")
    let link = try #require(await site.link())
    #expect(link.state == "open")
    #expect(link.devices.map(\.state) == [.online])
    #expect(link.devices.first?.memory.latest["power"]?.item.value == .number(1))
    await site.manager.stop()
    #expect(site.adapter.calls().suffix(2) == [.cancel, .close])
  }

  @Test func pointsArePolledAtTheirOwnPeriods() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, points: ["energy_total": .seconds(60)]))])
    try await site.observed.reading(a) { $0.items.first?.value == .number(5) }
    let readings = site.observed.readings(a)
    #expect(readings[0].text == ["power=1", "energy_total=1"])
    #expect(readings.dropFirst().allSatisfy { $0.items.map(\.point.name) == ["power"] })
    await site.manager.stop()
  }

  /// evcc #18006, OpenEMS #6, Home Assistant core #115982, ThingsBoard gateway #164, Telegraf #11782
  @Test func aDeadDeviceBacksOffAloneAndItsNeighbourKeepsItsGrid() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll(of: 2) ? failure(.transient, .timeout) : .well } }
    await site.manager.apply([plan(device(a), device(b))])
    let offline = try await site.observed.status(b, .offline)
    #expect(offline.reason == "the device did not answer in time")
    // Its second try comes after a pause, in which its neighbour is asked: who is due longer comes first, however late both are.
    try await site.adapter.reach(2, "a second try") { $0.isPoll(of: 2) }
    let entries = site.adapter.journal.all
    let calls = entries.map(\.call)
    let tries = calls.indices.filter { calls[$0].isPoll(of: 2) }
    #expect(entries[tries[1]].time - entries[tries[0]].time >= BackOff.first * 4 / 5)
    #expect(calls[tries[0]...tries[1]].contains { $0.isPoll(of: 1) })
    #expect(site.observed.statuses(a).map(\.state) == [.connecting, .online])
    #expect(site.observed.readings(a).allSatisfy { $0.isGood })
    #expect(calls.count { $0 == .open } == 1)
    await site.manager.stop()
  }

  /// A box that wants half a second between questions: what its first poll had no time for does not wait an hour.
  @Test func whatAPollHadNoTimeForComesWithTheNext() async throws {
    let site = Site()
    site.adapter.script { $0.deliver = { $0.name == "energy_total" && $1 == 1 ? nil : Reading.Item($0, .number($1)) } }
    await site.manager.apply([plan(device(a, points: ["energy_total": .seconds(3600)]))])
    try await site.adapter.reach(3, "polls") { $0.isPoll }
    let polls = site.adapter.calls().filter(\.isPoll)
    #expect(Array(polls.prefix(3)) == [.poll(1, [1, 2]), .poll(1, [1, 2]), .poll(1, [1])])
    await site.manager.stop()
  }

  /// evcc #18006: and on links of their own nobody waits for anybody.
  @Test func anAbsentDeviceDoesNotHoldUpTheStartOfOthers() async throws {
    let site = Site()
    site.adapter.script("absent") { $0.ending = { $0 == .open ? .held : .well } }
    await site.manager.apply([plan("absent", device(a)), plan("present", device(b))])
    try await site.observed.reading(b)
    #expect(site.observed.statuses(a).map(\.state) == [.connecting])
    site.adapter.connection("absent")?.end(failure(.transient, .refused))
    try await site.observed.status(a, .offline)
    await site.manager.stop()
  }

  @Test func aLinkThatCannotBeOpenedIsTriedAgain() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0 == .open ? failure(.transient, .refused, "10.0.0.9:502 refuses") : .well } }
    await site.manager.apply([plan(device(a))])
    #expect(try await site.observed.status(a, .offline).reason == "10.0.0.9:502 refuses")
    #expect(try await site.observed.alarm(a, active: true).name == "CommunicationFault")
    let link = try #require(await site.link())
    #expect(link.reason == "10.0.0.9:502 refuses")
    // What waits for it is answered at once.
    #expect(await site.write(a, 1) == .failed("10.0.0.9:502 refuses"))
    try await site.adapter.journal.first("a second try") { $0.connection == 2 && $0.call == .open }
    // A connection that failed is closed before the next one is opened.
    #expect(site.adapter.calls().prefix(3) == [.open, .close, .open])
    site.adapter.script { $0.ending = { _ in .well } }
    try await site.observed.status(a, .online)
    try await site.observed.alarm(a, active: false)
    #expect(site.observed.alarms.map(\.active) == [true, false])
    await site.manager.stop()
  }

  /// What its plugin asked for before it failed, and while it was closed, is not for the next.
  @Test func nothingOfAFailedAttemptReachesTheNext() async throws {
    let site = Site()
    let asks: @Sendable (UInt64) -> Void = { [adapter = site.adapter] tag in
      let services = adapter.connection()?.events.services
      services?.wake(tag: tag)
      services?.timer(tag: tag, delay: 0, period: 0)
    }
    site.adapter.script { script in
      script.ending = { call in
        if call == .open || call == .close { asks(call == .open ? 1 : 2) }
        return call == .open ? failure(.transient, .refused) : .well
      }
    }
    await site.manager.apply([plan(device(a))])
    try await site.adapter.call("the attempt that failed is closed") { $0 == .close }
    site.adapter.script { $0.ending = { _ in .well } }
    try await site.observed.status(a, .online)
    asks(3)
    try await site.adapter.call("what the new one asks for comes") { $0 == .event(.timer(tag: 3)) }
    try await site.adapter.call("all of it") { $0 == .event(.wake(tag: 3)) }
    let events = site.adapter.calls().filter { if case .event = $0 { true } else { false } }
    #expect(events.count == 2, "\(events)")
    await site.manager.stop()
  }

  @Test func aConnectionThatTheFarEndClosedIsOpenedAnew() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.reading(a)
    let place = site.adapter.journal.count
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .closed, "the far end closed") : .well } }
    #expect(try await site.observed.status(a, .degraded).reason == "the far end closed")
    let degraded = site.observed.journal.count
    site.adapter.script { $0.ending = { _ in .well } }
    try await site.adapter.journal.first("a new connection") { $0.connection == 2 && $0.call.isPoll }
    let calls = site.adapter.calls(since: place)
    let closed = try #require(calls.firstIndex(of: .close))
    #expect(Array(calls[closed...].prefix(2)) == [.close, .open])
    try await site.observed.status(a, .online, from: degraded)
    #expect(await site.link()?.devices.first?.quality.reconnects == 1)
    await site.manager.stop()
  }

  /// A line on which nobody answers any more gets a new connection.
  @Test func aSilentLineIsOpenedAnew() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .timeout) : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.adapter.journal.first("a new connection") { $0.connection == 2 && $0.call == .open }
    #expect(site.adapter.journal.all.count { $0.connection == 1 && $0.call.isPoll } == DeviceHealth.patience)
    await site.manager.stop()
  }

  /// The numbers of points are the connection's: a device that has fewer of them afterwards is asked for those only.
  @Test func pointsAreNumberedAnewWithEachConnection() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.reading(a)
    site.adapter.script { $0.points = [PointDescriptor(name: "energy_total", unit: "Wh")] }
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .closed) : .well } }
    try await site.observed.status(a, .degraded)
    let place = site.adapter.journal.count
    site.adapter.script { $0.ending = { _ in .well } }
    #expect(try await site.adapter.call(from: place, "a poll") { $0.isPoll }.call == .poll(1, [1]))
    #expect(await site.manager.describe(a)?.points.map(\.name) == ["energy_total"])
    await site.manager.stop()
  }

  // MARK: Bad values

  /// A failed read is published as missing with its reason, never as 0 and never as the old value.
  @Test(
    arguments: [
      (.transient, .timeout, .timeout), (.transient, .garbled, .decode), (.device, .unspecified, .device),
      (.transient, .unspecified, .comm), (.bug, .unspecified, .comm),
    ] as [(CallResult.Class, CallResult.Reason, BadReason)])
  func aFailedPollIsPublishedAsMissing(class: CallResult.Class, reason: CallResult.Reason, bad: BadReason) async throws
  {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.reading(a)
    let place = site.observed.journal.count
    site.adapter.script { $0.ending = { $0.isPoll ? failure(`class`, reason) : .well } }
    let reading = try await site.observed.reading(a, from: place) { !$0.isGood }
    #expect(reading.text == ["power:\(bad.rawValue)", "energy_total:\(bad.rawValue)"])
    #expect(await site.link()?.devices.first?.memory.latest["power"]?.item.value == nil)
    await site.manager.stop()
  }

  @Test func whatAFailedPollStillBroughtIsKeptAndTheRestIsMissing() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll ? .held : .well } }
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.adapter.call("a poll", \.isPoll)
    let connection = try #require(site.adapter.connection())
    connection.deliver(1, [1])
    connection.end(failure(.transient, .timeout))
    try await site.observed.status(a, .offline)
    #expect(site.observed.readings(a).map(\.text) == [["power=1"], ["energy_total:timeout"]])
    await site.manager.stop()
  }

  @Test func aDeviceThatCannotBeAddedAgainHasNoValues() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.reading(a)
    site.adapter.script { script in
      script.ending = { call in
        switch call {
        case .poll: failure(.transient, .closed)
        case .add: failure(.transient, .unspecified, "not now")
        default: .well
        }
      }
    }
    #expect(try await site.observed.status(a, .degraded).reason != "not now")
    try await site.adapter.journal.first("a new connection") { $0.connection == 2 && $0.call == .open }
    let place = site.observed.journal.count
    let reading = try await site.observed.reading(a, from: place)
    #expect(reading.text == ["power:comm", "energy_total:comm"])
    await site.manager.stop()
  }

  @Test func pointsWithoutAValueDegradeTheDevice() async throws {
    let site = Site()
    site.adapter.script { script in
      script.deliver = { point, _ in
        point.name == "power" ? Reading.Item(point, .number(0)) : Reading.Item(point, bad: .decode)
      }
    }
    await site.manager.apply([plan(device(a))])
    #expect(try await site.observed.status(a, .degraded).reason == "1 of 2 points have no value (energy_total)")
    #expect(try await site.observed.reading(a).text == ["power=0", "energy_total:decode"])
    await site.manager.stop()
  }

  /// An inverter with one string has no second one: nothing is wrong with it.
  @Test func aValueThatTheDeviceDoesNotHaveIsMissingAndNoFault() async throws {
    let site = Site()
    site.adapter.script { script in
      script.deliver = { point, _ in
        point.name == "power" ? Reading.Item(point, .number(0)) : Reading.Item(point, bad: .device)
      }
    }
    await site.manager.apply([plan(device(a))])
    #expect(try await site.observed.status(a, .online).reason == nil)
    #expect(try await site.observed.reading(a).text == ["power=0", "energy_total:device"])
    await site.manager.stop()
  }

  @Test func communicationFaultIsRaisedOnceAndClearedOnce() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .timeout) : .well } }
    await site.manager.apply([plan(device(a), device(b))])
    try await site.observed.alarm(a, active: true)
    try await site.adapter.reach(3, "a third try") { $0.isPoll(of: 1) }
    #expect(await site.link()?.devices.first?.memory.activeProblems == ["CommunicationFault"])
    #expect(site.observed.statuses(a).last?.alarms == ["CommunicationFault"])
    site.adapter.script { $0.ending = { _ in .well } }
    try await site.observed.alarm(a, active: false)
    let place = site.adapter.journal.count
    try await site.adapter.call(from: place, "polls after it") { $0.isPoll(of: 1) }
    #expect(site.observed.alarms.filter { $0.device == a }.map(\.active) == [true, false])
    #expect(site.observed.statuses(a).last?.alarms == [])
    await site.manager.stop()
  }

  // MARK: Identity

  @Test func aDeviceWithoutAnIdHasNoReadingsUntilItIsKnown() async throws {
    let site = Site()
    // It has to be known before the third poll.
    await site.manager.apply([plan(device(nil, key: "bus1/1", period: .seconds(2)))])
    try await site.adapter.reach(1, "polls") { $0.isPoll }
    #expect(site.observed.journal.all.isEmpty)
    #expect(await site.link()?.devices.first?.memory.latest["power"] != nil)
    let identity = DeviceIdentity(vendor: "Eastron", model: "SDM630", serial: "4711")
    site.adapter.connection()?.events.identified(1, identity)
    try await site.observed.reading(id("met_eastron_4711"))
    #expect(try await site.observed.status(id("met_eastron_4711"), .online).alarms == [])
    let infos = site.observed.journal.all.compactMap { if case .info(let info) = $0 { info } else { nil } }
    #expect(infos.first?.serial == "4711")
    #expect(site.bindings.id(forKey: "bus1/1") == id("met_eastron_4711"))
    #expect(await site.manager.describe(id("met_eastron_4711"))?.known == true)
    await site.manager.stop()
  }

  /// A device that never says who it is cannot have topics: a person has to give it an id.
  @Test(.timeLimit(.minutes(1))) func aDeviceWithoutIdAndSerialNumberWaitsForAPerson() async throws {
    let site = Site()
    await site.manager.apply([plan(device(nil, key: "bus1/1"))])
    while await site.link()?.devices.first?.state != .needsAttention { await Task.yield() }
    #expect(await site.link()?.devices.first?.reason?.contains("`id`") == true)
    await site.manager.stop()
  }

  @Test func aBoundIdIsUsedAgain() async throws {
    let site = Site(Bindings(["bus1/1": id("met_eastron_4711")]))
    site.adapter.script { $0.identities = [1: DeviceIdentity(vendor: "Eastron", serial: "4711")] }
    await site.manager.apply([plan(device(nil, key: "bus1/1"))])
    try await site.observed.reading(id("met_eastron_4711"))
    #expect(site.bindings.id(forKey: "bus1/1") == id("met_eastron_4711"))
    await site.manager.stop()
  }

  /// The id belongs to the serial number: what another device measures never goes out under it.
  @Test func anotherDeviceAtTheAddressHasAnIdOfItsOwn() async throws {
    let site = Site(Bindings(["bus1/1": id("met_eastron_4711")]))
    site.adapter.script { $0.identities = [1: DeviceIdentity(vendor: "Eastron", serial: "4712")] }
    await site.manager.apply([plan(device(nil, key: "bus1/1"))])
    try await site.observed.reading(id("met_eastron_4712"))
    #expect(try await site.observed.status(id("met_eastron_4711"), .offline).reason?.contains("met_eastron_4712") == true)
    #expect(site.bindings.id(forKey: "bus1/1") == id("met_eastron_4712"))
    await site.manager.stop()
  }

  @Test func aConfiguredIdIsUsedAsItIs() async throws {
    let site = Site()
    site.adapter.script { $0.identities = [1: DeviceIdentity(vendor: "Eastron", serial: "4711")] }
    await site.manager.apply([plan(device(a, key: "bus1/1"))])
    try await site.observed.reading(a)
    #expect(site.bindings.id(forKey: "bus1/1") == nil)
    await site.manager.stop()
  }

  /// A fault that was there before anybody could be told is told when it still is, and never cleared untold.
  @Test func faultsOfAnUnknownDeviceAreNotHalfTold() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .timeout) : .well } }
    await site.manager.apply([plan(device(nil, key: "bus1/1"))])
    try await site.adapter.call("a poll", \.isPoll)
    site.adapter.script { script in
      script.ending = { _ in .well }
      script.identities = [1: DeviceIdentity(serial: "1")]
    }
    let known = id("met_unknown_1")
    try await site.observed.status(known, .online)
    #expect(site.observed.alarms == [])
    let events = try #require(site.adapter.connection()).events
    for active in [true, true, false, false] { events.problem(1, name: "DoorOpen", active: active, text: "") }
    #expect(site.observed.alarms.map(\.active) == [true, false])
    await site.manager.stop()
  }
}
