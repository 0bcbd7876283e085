// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CommandTests {
  @Test func commandsGoBeforePollsAndCutTheRunningOneShort() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a), device(b))])
    try await site.observed.status(b, .online)
    site.adapter.script { $0.ending = { $0.isPoll ? .untilCancelled : .well } }
    let place = site.adapter.journal.count
    try await site.adapter.call(from: place, "a poll", \.isPoll)
    #expect(await site.write(a, 5) == .done(nil))
    let calls = site.adapter.calls(since: place)
    let cancelled = try #require(calls.firstIndex(of: .cancel))
    guard case .command(let command) = calls[cancelled + 1] else {
      Issue.record("after the cancellation comes \(calls[cancelled + 1])")
      return
    }
    #expect(command.device == 1)
    #expect(command.verb == .set(point: 1, value: .number(5)))
    #expect(command.id == "c1")
    #expect(!command.dryRun && !command.refresh && !command.safe)
    // What was cut short is no failure, and nothing was published for it.
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.end()
    try await site.observed.reading(a, from: site.observed.journal.count)
    for device in [a, b] {
      #expect(site.observed.statuses(device).map(\.state) == [.connecting, .online])
      #expect(site.observed.readings(device).allSatisfy { $0.isGood })
    }
    await site.manager.stop()
  }

  @Test func afterACommandAllPointsOfTheDeviceAreRead() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    let place = site.adapter.journal.count
    #expect(await site.write(a, 5) == .done(nil))
    #expect(try await site.adapter.call(from: place, "a poll", \.isPoll).call == .poll(1, [1, 2]))
    // The grid stays: no other poll for a minute.
    let dry = DeviceWrite(
      device: a, verb: .set(point: "power", value: .number(1)), purpose: .command, id: "c2", dryRun: true,
      validUntil: Clock.boot() + 30_000_000_000)
    #expect(await site.manager.write(dry) == .done(nil))
    #expect(site.adapter.calls(since: place).count { $0.isPoll } == 1)
    await site.manager.stop()
  }

  /// A command that is under way is never cut short: then nobody would know how it ended.
  @Test func aSecondCommandWaitsForTheFirst() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isCommand ? .held : .well } }
    let place = site.adapter.journal.count
    async let first = site.write(a, 1, id: "first")
    try await site.adapter.call(from: place, "the first command", \.isCommand)
    async let second = site.write(a, 2, id: "second")
    // A read behind it shows that the second one has arrived.
    site.adapter.script { $0.ending = { $0.isCommand ? .command(.done(.number(2))) : .well } }
    while await site.link()?.waitingWrites != 1 { await Task.yield() }
    #expect(site.adapter.calls(since: place).count == 1)
    site.adapter.connection()?.end(.command(.done(.number(1))))
    #expect(await first == .done(.number(1)))
    #expect(await second == .done(.number(2)))
    #expect(!site.adapter.calls(since: place).contains(.cancel))
    await site.manager.stop()
  }

  @Test(
    arguments: [
      (.done(.number(3)), .done(.number(3))), (.accepted, .accepted), (.refused("no"), .failed("no")),
      (.unknown("lost"), .unknown("lost")),
      (
        .failed(CallResult(failure: .unsupported, reason: .unspecified, text: "no commands")),
        .refused(.unsupported, "no commands")
      ),
      (.failed(CallResult(failure: .transient, reason: .timeout, text: "")), .failed("the device was not reached")),
      (.failed(CallResult(failure: .device, reason: .unspecified, text: "busy")), .failed("busy")),
    ] as [(CommandResult, DeviceWriteResult)])
  func everyEnding(of result: CommandResult, becomes: DeviceWriteResult) async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isCommand ? .command(result) : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    #expect(await site.write(a, 3) == becomes)
    await site.manager.stop()
  }

  @Test func whatCannotBeSentIsAnswered() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    let place = site.adapter.journal.count
    #expect(await site.write(id("met_x"), 1) == .refused(.unknownDevice, "there is no device met_x"))
    #expect(await site.write(a, 1, validFor: .seconds(-1)) == .expired)
    let unknown = DeviceWrite(
      device: a, verb: .set(point: "level", value: .number(1)), purpose: .command, id: "c",
      validUntil: Clock.boot() + 60_000_000_000)
    #expect(await site.manager.write(unknown) == .refused(.unknownPoint, "the device has no point level"))
    #expect(!site.adapter.calls(since: place).contains { $0.isCommand })
    await site.manager.stop()
    #expect(await site.write(a, 1) == .refused(.unknownDevice, "there is no device met_a"))
  }

  @Test func purposesAndActionsReachTheAdapter() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    let until = Clock.boot() + 30_000_000_000
    let place = site.adapter.journal.count
    for (purpose, id) in [(DeviceWrite.Purpose.refresh, "r"), (.safe, "s")] {
      _ = await site.manager.write(
        DeviceWrite(
          device: a, verb: .set(point: "power", value: .integer(0)), purpose: purpose, id: id, validUntil: until))
    }
    _ = await site.manager.write(
      DeviceWrite(
        device: a, verb: .action(name: "charge.start", arguments: ["connector": 1]), purpose: .command, id: "a",
        dryRun: true,
        validUntil: until))
    let commands = site.adapter.calls(since: place).compactMap {
      if case .command(let command) = $0 { command } else { nil }
    }
    #expect(commands.map(\.refresh) == [true, false, false])
    #expect(commands.map(\.safe) == [false, true, false])
    #expect(commands.map(\.dryRun) == [false, false, true])
    #expect(commands.map(\.validUntil) == [until, until, until])
    #expect(commands.last?.verb == .action(name: "charge.start", arguments: #"{"connector":1}"#))
    await site.manager.stop()
  }

  @Test func aCommandReachesADeviceThatIsNotAddedYet() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0 == .open ? .held : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.adapter.call("the opening") { $0 == .open }
    async let result = site.write(a, 4)
    while await site.link()?.waitingWrites != 1 { await Task.yield() }
    // The opening is not cut short for it.
    #expect(!site.adapter.calls().contains(.cancel))
    site.adapter.connection()?.end()
    #expect(await result == .done(nil))
    await site.manager.stop()
  }

  // MARK: Fresh readings

  @Test func aReadingOnRequestIsFresh() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    let all = try #require(await site.manager.read(a, points: nil)).get()
    #expect(all.map(\.value) == [.number(2), .number(2)])
    let one = try #require(await site.manager.read(a, points: ["energy_total"])).get()
    #expect(one.map(\.point.name) == ["energy_total"])
    #expect(await site.manager.read(id("met_x"), points: nil) == nil)
    #expect(
      await site.manager.read(a, points: ["power", "level", "color"])
        == .failure(ReadFailure(text: "met_a has no point level, color", unknownPoint: true)))
    await site.manager.stop()
  }

  /// It has no value that a lost connection could take from it, and nobody asks for it.
  @Test func whatCanOnlyBeWrittenIsNeverReadAndNeverBad() async throws {
    let site = Site()
    site.adapter.script {
      $0.points = [PointDescriptor(name: "power", unit: "W"), PointDescriptor(name: "power_limit", unit: "W", writable: true, readable: false)]
      $0.ending = { $0.isPoll ? failure(.transient, .timeout) : .well }
    }
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .offline)
    #expect(
      await site.manager.read(a, points: ["power_limit"])
        == .failure(ReadFailure(text: "met_a never tells power_limit: it can only be written", unknownPoint: true)))
    site.adapter.script { $0.ending = { _ in .well } }
    let place = site.observed.journal.count
    try await site.observed.status(a, .online, from: place)
    let all = try #require(await site.manager.read(a, points: nil)).get()
    #expect(all.map(\.point.name) == ["power"])
    #expect(site.adapter.calls().allSatisfy { if case .poll(_, let due) = $0 { due == [1] } else { true } })
    #expect(await site.link()?.devices.flatMap { $0.memory.latest.keys } == ["power"])
    await site.manager.stop()
  }

  @Test func aReadingThatFailsSaysWhy() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isPoll ? failure(.transient, .timeout, "no answer from unit 3") : .well } }
    #expect(
      await site.manager.read(a, points: nil)
        == .failure(ReadFailure(text: "no answer from unit 3", unknownPoint: false)))
    await site.manager.stop()
  }

  @Test func aReadingThatACommandCutsShortIsMadeAfterIt() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isPoll ? .untilCancelled : .well } }
    let place = site.adapter.journal.count
    async let reading = site.manager.read(a, points: nil)
    try await site.adapter.call(from: place, "the reading", \.isPoll)
    site.adapter.script { $0.ending = { _ in .well } }
    #expect(await site.write(a, 5) == .done(nil))
    #expect(try #require(await reading).get().map(\.point.name) == ["power", "energy_total"])
    let calls = site.adapter.calls(since: place)
    #expect(
      calls.map { $0.isPoll ? "poll" : $0.isCommand ? "command" : "cancel" }.prefix(4) == [
        "poll", "cancel", "command", "poll",
      ])
    await site.manager.stop()
  }

  @Test func whatWaitsWhenTheLinkIsClosedIsAnswered() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .seconds(60)))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isCommand ? .held : .well } }
    async let running = site.write(a, 1, id: "running")
    try await site.adapter.call("the command", \.isCommand)
    async let waiting = site.write(a, 2, id: "waiting")
    async let reading = site.manager.read(a, points: nil)
    while await site.link()?.waitingWrites != 1 { await Task.yield() }
    while await site.link()?.waitingReads != 1 { await Task.yield() }
    let connection = try #require(site.adapter.connection())
    async let stopped: Void = site.manager.stop()
    #expect(await waiting == .failed("the link is being closed"))
    #expect(await reading == .failure(ReadFailure(text: "the link is being closed", unknownPoint: false)))
    connection.end(.command(.accepted))
    #expect(await running == .accepted)
    await stopped
    #expect(site.adapter.calls().last == .close)
  }
}
