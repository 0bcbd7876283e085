// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import Testing

/// Plugins that hang, lie or need a person. One at a time: threads that are lost are counted for the whole process.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct StuckTests {
  private static let patience = Duration.milliseconds(100)

  private func lost(_ site: Site) async throws -> Int {
    let event = try await site.observed.journal.first("a lost thread") { if case .lost = $0 { true } else { false } }
    guard case .lost(let count) = event else { return -1 }
    return count
  }

  /// telegraf #13913, collectd #1227: one reader that hangs does not stop the others.
  @Test func aPollThatNeverReturnsMakesItsLinkStuckAndNoOther() async throws {
    let site = Site(patience: Self.patience)
    site.adapter.script("hangs") { $0.ending = { $0.isPoll(of: 2) ? .held : .well } }
    // One point of the neighbour is not due when it happens; it has no value all the same.
    let slow = device(a, points: ["energy_total": .seconds(60)])
    await site.manager.apply([plan("hangs", slow, device(b)), plan("good", device(id("met_c")))])
    let stuck = try await site.observed.status(b, .stuck)
    #expect(stuck.reason?.contains("did not return") == true)
    try await site.observed.status(a, .stuck)
    #expect(site.observed.readings(a).last?.text.contains("energy_total:comm") == true)
    #expect(
      await site.link("hangs")?.devices.flatMap { $0.memory.latest.values }.allSatisfy { $0.item.value == nil } == true)
    #expect(await site.link("hangs")?.state == "stuck")
    #expect(try await lost(site) == 1)
    // No further calls on it; the other link goes on.
    let place = site.adapter.journal.count
    let observed = site.observed.journal.count
    try await site.observed.reading(id("met_c"), from: observed)
    #expect(await site.write(a, 1).isFailed)
    #expect(site.adapter.calls("hangs", since: place) == [])
    // A device that is added meanwhile is told the same.
    await site.manager.apply([
      plan("hangs", slow, device(b), device(id("met_d"))), plan("good", device(id("met_c"))),
    ])
    try await site.observed.journal.first("the new device") { event in
      if case .info(let info) = event { info.id == id("met_d") } else { false }
    }
    #expect(site.observed.statuses(id("met_d")).map(\.state) == [.stuck])
    // It returns after all: the link starts over.
    site.adapter.script("hangs") { $0.ending = { _ in .well } }
    site.adapter.connection("hangs")?.end()
    for device in [a, b, id("met_d")] { try await site.observed.status(device, .online, from: observed) }
    let calls = site.adapter.calls("hangs", since: place)
    #expect(calls.prefix(2) == [.close, .open])
    await site.manager.stop()
  }

  @Test func aCommandThatNeverReturnsIsUnknown() async throws {
    let site = Site(patience: Self.patience)
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isCommand ? .held : .well } }
    guard case .unknown = await site.write(a, 1) else {
      Issue.record("nobody knows how it ended")
      return
    }
    // The one before it returned: the count is back where it was.
    #expect(try await lost(site) == 1)
    let place = site.observed.journal.count
    site.adapter.connection()?.end()
    try await site.observed.status(a, .online, from: place)
    #expect(await site.link()?.overruns == 1)
    await site.manager.stop()
  }

  /// A connection that cannot even be closed is not replaced by a second one beside it.
  @Test func aCloseThatNeverReturnsOpensNothing() async throws {
    let site = Site(patience: Self.patience)
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    site.adapter.script { script in
      script.ending = { call in
        switch call {
        case .poll: failure(.transient, .closed)
        case .close: .held
        default: .well
        }
      }
    }
    try await site.observed.status(a, .stuck)
    #expect(try await lost(site) == 1)
    #expect(site.adapter.calls().count { $0 == .open } == 1)
    let place = site.observed.journal.count
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.end()
    try await site.observed.status(a, .online, from: place)
    #expect(site.adapter.calls().count { $0 == .open } == 2)
    await site.manager.stop()
  }

  /// A plugin that has been given up while it opens is heard no more.
  @Test func nothingOfAnAttemptThatHangsReachesTheNext() async throws {
    let site = Site(patience: Self.patience)
    site.adapter.script { $0.ending = { $0 == .open ? .held : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.adapter.call("the attempt") { $0 == .open }
    let services = try #require(site.adapter.connection()?.events.services)
    services.wake(tag: 1)
    try await site.observed.status(a, .stuck)
    #expect(try await lost(site) == 1)
    services.wake(tag: 2)
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.end()
    try await site.observed.status(a, .online)
    services.wake(tag: 3)
    try await site.adapter.call("what the new one asks for") { $0 == .event(.wake(tag: 3)) }
    #expect(site.adapter.calls().filter { if case .event = $0 { true } else { false } } == [.event(.wake(tag: 3))])
    await site.manager.stop()
  }

  /// telegraf #13913: neither does it block a change of the configuration. When it returns its connection is closed.
  @Test func aLinkThatIsRemovedWhileItHangsIsClosedLater() async throws {
    let site = Site(patience: Self.patience)
    site.adapter.script { $0.ending = { $0.isPoll ? .held : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .stuck)
    #expect(try await lost(site) == 1)
    let outcome = await site.manager.apply([plan("other", device(b))])
    #expect(outcome.removed == ["bus1"])
    #expect(outcome.added == ["other"])
    try await site.observed.reading(b)
    #expect(!site.adapter.calls().contains(.close))
    site.adapter.connection()?.end()
    try await site.adapter.call("the closing") { $0 == .close }
    await site.manager.stop()
  }
}

@Suite(.timeLimit(.minutes(1)))
struct TroubleTests {
  /// A call that hangs keeps nobody waiting longer than the limit; here it has not even been given up yet.
  @Test func stoppingEndsWithinItsLimit() async throws {
    let adapter = FakeAdapter()
    let observed = Observed()
    adapter.script { $0.ending = { $0.isPoll ? .held : .well } }
    let link = LinkGuard(
      plan: plan(device(a)), connecting: adapter, observer: observed, binding: Bindings(),
      logger: silent)
    await link.start()
    try await adapter.call("a poll", \.isPoll)
    await link.stop(within: .milliseconds(50))
    #expect(adapter.calls().last == .cancel)
    #expect(observed.statuses(a).map(\.state) == [.connecting])
    let connection = try #require(adapter.connection())
    #expect(connection.isHeld)
    // It is closed as soon as it can be, and nothing is published for what was cut short.
    let place = observed.journal.count
    connection.end(failure(.transient, .timeout))
    try await adapter.call("the closing") { $0 == .close }
    #expect(observed.journal.since(place) == [])
  }

  @Test func aPollThatTheEndCutShortPublishesNothing() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { $0.isPoll ? .untilCancelled : .well } }
    let place = site.adapter.journal.count
    try await site.adapter.call(from: place, "a poll", \.isPoll)
    let observed = site.observed.journal.count
    await site.manager.stop()
    #expect(site.observed.journal.since(observed) == [])
    #expect(site.adapter.calls().last == .close)
  }

  /// A plugin that says "cancelled" although nobody asked it to would be polled without a pause.
  @Test func aCancellationThatNobodyAskedForIsAFailure() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll(of: 1) ? failure(.cancelled) : .well } }
    await site.manager.apply([plan(device(a), device(b))])
    try await site.observed.status(a, .offline)
    try await site.adapter.reach(2, "a second try") { $0.isPoll(of: 1) }
    let entries = site.adapter.journal.all
    let tries = entries.indices.filter { entries[$0].call.isPoll(of: 1) }
    #expect(entries[tries[1]].time - entries[tries[0]].time >= BackOff.first * 4 / 5)
    #expect(entries[tries[0]...tries[1]].contains { $0.call.isPoll(of: 2) })
    await site.manager.stop()
  }

  // MARK: A person has to act

  @Test func aLinkThatNeedsAPersonIsNotTriedAgainUntilPluginsChange() async throws {
    let site = Site()
    site.adapter.script { $0.refusal = "no plugin offers the adapter fake" }
    await site.manager.apply([plan(device(a)), plan("good", device(b))])
    #expect(try await site.observed.status(a, .needsAttention).reason == "no plugin offers the adapter fake")
    #expect(await site.link()?.state == "needs-attention")
    #expect(await site.write(a, 1) == .failed("no plugin offers the adapter fake"))
    // Plugins changed, and still none fits.
    let place = site.observed.journal.count
    await site.manager.pluginsChanged()
    try await site.observed.reading(b, from: place)
    #expect(site.adapter.calls() == [])
    site.adapter.script { $0.refusal = nil }
    await site.manager.pluginsChanged()
    try await site.observed.status(a, .online)
    try await site.observed.reading(a)
    #expect(site.observed.statuses(a).map(\.state) == [.connecting, .needsAttention, .online])
    await site.manager.stop()
  }

  @Test(arguments: [CallResult.Class.config, .auth, .unsupported])
  func whatAPersonHasToMendIsNotRetried(class: CallResult.Class) async throws {
    let site = Site()
    site.adapter.script {
      $0.ending = { $0 == .open ? failure(`class`, .unspecified, "the password is wrong") : .well }
    }
    await site.manager.apply([plan(device(a)), plan("good", device(b, period: .milliseconds(200)))])
    try await site.observed.status(a, .needsAttention)
    try await site.adapter.call("the closing") { $0 == .close }
    // Longer than the first back-off.
    try await site.adapter.reach(8, on: "good", "polls of the other link") { $0.isPoll }
    #expect(site.adapter.calls() == [.open, .close])
    // A changed device is a person's act as well.
    site.adapter.script { $0.ending = { _ in .well } }
    await site.manager.apply([
      plan(device(a), device(id("met_c"))), plan("good", device(b, period: .milliseconds(200))),
    ])
    try await site.observed.status(a, .online)
    try await site.observed.status(id("met_c"), .online)
    await site.manager.stop()
  }

  @Test func aDeviceThatNeedsAPersonLeavesItsNeighboursAlone() async throws {
    let site = Site()
    site.adapter.script { script in
      script.ending = { call in
        if case .add(let setup) = call, setup.config.contains("wrong") {
          failure(.config, .unspecified, "unit 300 does not exist")
        } else {
          .well
        }
      }
    }
    await site.manager.apply([plan(device(a, config: #"{"wrong":1}"#), device(b))])
    #expect(try await site.observed.status(a, .needsAttention).reason == "unit 300 does not exist")
    try await site.adapter.reach(12, "polls of the neighbour") { $0.isPoll(of: 2) }
    #expect(site.adapter.calls().count { if case .add = $0 { true } else { false } } == 2)
    #expect(site.observed.statuses(b).map(\.state) == [.connecting, .online])
    // Its configuration is mended.
    await site.manager.apply([plan(device(a), device(b))])
    try await site.observed.status(a, .online)
    #expect(site.adapter.calls().count { $0 == .open } == 1)
    await site.manager.stop()
  }
}

extension DeviceWriteResult {
  var isFailed: Bool { if case .failed = self { true } else { false } }
}

/// Plugins in a child: what ends or is replaced without a call.
@Suite(.timeLimit(.minutes(1)))
struct ChildTests {
  private static let crash = ConnectionCondition.ended("the plugin's process crashed (abort)")

  /// All devices of the link are told at once, not with their next poll; then the link starts over.
  @Test func theDeathOfAChildIsTold() async throws {
    let site = Site()
    // No poll is under way when it happens: one that ends well tells nothing.
    await site.manager.apply([plan("bus1", device(a, period: .seconds(2)), device(b, period: .seconds(2)))])
    for device in [a, b] { try await site.observed.status(device, .online) }
    let place = site.observed.journal.count
    site.adapter.connection()?.become(Self.crash)
    for device in [a, b] {
      let status = try await site.observed.status(device, .degraded, from: place)
      #expect(status.reason == "the plugin's process crashed (abort)")
      #expect(site.observed.readings(device, since: place).contains { $0.text.contains("power:comm") })
      try await site.observed.status(device, .online, from: place)
    }
    await site.manager.stop()
  }

  /// A poll that dies with its child is told once.
  @Test func aPollThatKillsItsChild() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0.isPoll(of: 2) ? .held : .well } }
    await site.manager.apply([plan("bus1", device(a), device(b))])
    try await site.adapter.call("the poll that kills") { $0.isPoll(of: 2) }
    try await site.observed.status(a, .online)
    let place = site.observed.journal.count
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.become(Self.crash, told: false)
    site.adapter.connection()?.end(.badly(CallResult(failure: .transient, reason: .closed, text: "the plugin's process crashed (abort)")))
    for device in [a, b] { try await site.observed.status(device, .online, from: place) }
    let told = site.observed.statuses(a).filter { $0.state == .degraded }
    #expect(told.map(\.reason) == ["the plugin's process crashed (abort)"])
    await site.manager.stop()
  }

  /// Closed in order, opened anew, and nobody notices.
  @Test func aNewChildTakesOver() async throws {
    let site = Site()
    await site.manager.apply([plan("bus1", device(a))])
    try await site.observed.status(a, .online)
    let place = site.adapter.journal.count
    let observed = site.observed.journal.count
    site.adapter.connection()?.become(.replaced)
    try await site.adapter.call(from: place, "the new connection") { $0 == .open }
    try await site.adapter.call(from: place, "its first poll") { $0.isPoll }
    let calls = site.adapter.calls(since: place).filter { !$0.isPoll }
    #expect(calls.prefix(2) == [.close, .open])
    try await site.observed.reading(a, from: observed)
    #expect(!site.observed.statuses(a).contains { $0.state == .degraded || $0.state == .offline })
    await site.manager.stop()
  }

  /// A call that hangs in a child costs the host no thread.
  @Test func aCallThatHangsInAChildLosesNoThread() async throws {
    let site = Site(patience: .milliseconds(100))
    site.adapter.script { $0.ending = { $0.isPoll ? .held : .well } }
    await site.manager.apply([plan("bus1", device(a))])
    try await site.adapter.call("the poll") { $0.isPoll }
    site.adapter.connection()?.moveToChild()
    try await site.observed.status(a, .stuck)
    let place = site.observed.journal.count
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.become(.ended("the plugin did not return from poll in time"), told: false)
    site.adapter.connection()?.end(
      .badly(CallResult(failure: .transient, reason: .closed, text: "the plugin did not return from poll in time")))
    try await site.observed.status(a, .online, from: place)
    #expect(!site.observed.journal.all.contains { if case .lost = $0 { true } else { false } })
    await site.manager.stop()
  }
}
