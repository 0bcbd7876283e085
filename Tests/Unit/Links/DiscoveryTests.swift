// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import Synchronization
import Testing

/// A search and a trial, through a link in service and over a connection of their own.
@Suite(.timeLimit(.minutes(1)))
struct DiscoveryTests {
  private func search(
    _ site: Site, _ plan: LinkPlan, everywhere: Bool = false,
    goOn: @escaping @Sendable (Int) -> Bool = { _ in true }
  ) async -> (failure: CallResult?, steps: [Int], found: Int) {
    let told = Mutex<(steps: [Int], found: Int)>(([], 0))
    let failure = await site.manager.search(plan, documents: "[]", everywhere: everywhere) { step, result in
      told.withLock { told in
        told.steps.append(step)
        told.found += result.candidates.count
      }
      return goOn(step)
    }
    let (steps, found) = told.withLock { $0 }
    return (failure, steps, found)
  }

  @Test func aLinkInServiceIsSearchedThroughItsConnection() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    let place = site.adapter.journal.count
    var same = plan("search")
    same.devices = []
    let (failure, steps, found) = await search(site, same, everywhere: true)
    #expect(failure == nil && steps == [0, 1, 2] && found == 1)
    let calls = site.adapter.calls(since: place)
    #expect(!calls.contains(.open) && !calls.contains(.close))
    #expect(calls.contains(.scan(ScanRequest(documents: "[]", step: 2, everywhere: true))))
    #expect(await site.manager.links().map(\.id) == ["bus1"])
    await site.manager.stop()
  }

  /// A step waits until nothing is due, and a poll that comes due meanwhile is the next call.
  @Test func pollsAndCommandsGoFirst() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, period: .milliseconds(100)))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.ending = { if case .scan = $0 { .held } else { .well } } }
    async let searched = search(site, plan("search"))
    try await site.adapter.call("a step") { if case .scan = $0 { true } else { false } }
    let place = site.adapter.journal.count
    async let written = site.write(a, 1)
    try await site.adapter.call(from: place, "the cancellation") { $0 == .cancel }
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.end(.badly(CallResult(failure: .cancelled, reason: .unspecified, text: "")))
    #expect(await written == .done(nil))
    let (failure, steps, _) = await searched
    #expect(failure == nil && steps == [0, 1, 2])
    let calls = site.adapter.calls(since: place)
    let command = try #require(calls.firstIndex { $0.isCommand })
    let again = try #require(calls.firstIndex { if case .scan(let step) = $0 { step.step == 0 } else { false } })
    #expect(command < again)
    await site.manager.stop()
  }

  @Test func anotherConnectionIsClosedAfterwards() async throws {
    let site = Site()
    let (failure, steps, found) = await search(site, plan("search", endpoint: 777)) { $0 < 1 }
    #expect(failure == nil && steps == [0, 1] && found == 1)
    let calls = site.adapter.calls("search")
    #expect(calls.first == .open && calls.last == .close)
    #expect(await site.manager.links().isEmpty)
    site.adapter.script("search") { $0.ending = { $0 == .open ? .badly(CallResult(failure: .transient, reason: .refused, text: "no")) : .well } }
    #expect(await search(site, plan("search", endpoint: 777)).failure?.text == "no")
  }

  @Test func aTrialIsReadOnceAndNobodyIsTold() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a))])
    try await site.observed.status(a, .online)
    site.adapter.script { $0.identities = [2: DeviceIdentity(vendor: "V", model: "M", serial: "77", firmware: "")] }
    let reading = try await site.manager.trial(plan(device(b))).get()
    #expect(reading.items.contains { $0.value != nil })
    #expect(reading.identity.serial == "77")
    let nameless = try await site.manager.trial(plan(device(nil, key: "x"))).get()
    #expect(!nameless.items.isEmpty)
    let calls = site.adapter.calls()
    #expect(calls.count { $0 == .open } == 1)
    #expect(calls.contains(.remove(2)) && calls.contains(.remove(3)))
    #expect(site.observed.statuses(b).isEmpty && site.observed.readings(b).isEmpty)
    #expect(await site.manager.describe(b) == nil)
    site.adapter.script { script in
      script.ending = { if case .poll(4, _) = $0 { .badly(CallResult(failure: .transient, reason: .timeout, text: "silent")) } else { .well } }
    }
    let failed = await site.manager.trial(plan(device(b)))
    #expect(throws: CallResult.self) { try failed.get() }
    #expect(site.observed.statuses(a).map(\.state) == [.connecting, .online])
    await site.manager.stop()
  }
}
