// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import Testing

/// A changed configuration: what did not change keeps running.
@Suite(.timeLimit(.minutes(1)))
struct LinkManagerTests {
  /// neuron #394, #2529: settings changed while it runs
  @Test func devicesAreAddedAndRemovedWithoutTouchingOthers() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a), device(b))])
    try await site.observed.status(b, .online)
    let place = site.adapter.journal.count
    let c = id("met_c")
    var outcome = await site.manager.apply([plan(device(a), device(c))])
    #expect(outcome.added == [] && outcome.removed == [] && outcome.changed == ["bus1"])
    try await site.observed.status(c, .online)
    try await site.adapter.call("the removal") { $0 == .remove(2) }
    try await site.observed.reading(a, from: site.observed.journal.count)
    let calls = site.adapter.calls(since: place)
    #expect(!calls.contains(.open) && !calls.contains(.close) && !calls.contains(.remove(1)))
    #expect(site.observed.statuses(a).map(\.state) == [.connecting, .online])
    #expect(await site.manager.describe(b) == nil)
    #expect(await site.write(b, 1) == .refused(.unknownDevice, "there is no device met_b"))
    // Nothing of it comes after its removal.
    let removed = try #require(calls.firstIndex(of: .remove(2)))
    #expect(!calls[removed...].contains { $0.isPoll(of: 2) })
    // The same again changes nothing.
    outcome = await site.manager.apply([plan(device(a), device(c))])
    #expect(outcome.added == [] && outcome.removed == [] && outcome.changed == [])
    await site.manager.stop()
  }

  @Test func aChangedDeviceIsRemovedAndAdded() async throws {
    let site = Site()
    await site.manager.apply([plan(device(a, config: #"{"unit":1}"#))])
    try await site.observed.status(a, .online)
    let place = site.adapter.journal.count
    await site.manager.apply([plan(device(a, config: #"{"unit":2}"#))])
    let setup = DeviceSetup(number: 2, name: "met_a", config: #"{"unit":2}"#, templateBody: "")
    try await site.adapter.call(from: place, "the new device") { $0 == .add(setup) }
    #expect(await site.write(a, 1) == .done(nil))
    let commands = site.adapter.calls(since: place).compactMap {
      if case .command(let command) = $0 { command } else { nil }
    }
    #expect(commands.map(\.device) == [2])
    // Back and forth while a call runs, so that the changes pile up.
    site.adapter.script { $0.ending = { $0.isPoll ? .held : .well } }
    try await site.adapter.call(from: site.adapter.journal.count, "a poll") { $0.isPoll }
    for round in 0..<20 { await site.manager.apply([plan(device(a, config: #"{"unit":\#(round % 2)}"#))]) }
    await site.manager.apply([plan(device(a, config: #"{"unit":3}"#))])
    site.adapter.script { $0.ending = { _ in .well } }
    site.adapter.connection()?.end()
    try await site.adapter.call("the last device") { call in
      if case .add(let setup) = call { setup.config == #"{"unit":3}"# } else { false }
    }
    #expect(await site.link()?.devices.count == 1)
    await site.manager.stop()
  }

  @Test func aChangedConnectionIsOpenedAnew() async throws {
    let site = Site()
    await site.manager.apply([plan("x", endpoint: 502, device(a)), plan("y", device(b))])
    try await site.observed.status(a, .online)
    try await site.observed.status(b, .online)
    let outcome = await site.manager.apply([
      plan("x", endpoint: 503, device(a)), plan("y", device(b)), plan("z", device(id("met_c"))),
    ])
    #expect(outcome.added == ["z"] && outcome.removed == [] && outcome.changed == ["x"])
    try await site.adapter.journal.first("the new connection") {
      $0.link == "x" && $0.connection == 2 && $0.call == .open
    }
    let calls = site.adapter.calls("x")
    #expect(calls.filter { $0 == .open || $0 == .close } == [.open, .close, .open])
    #expect(!site.adapter.calls("y").contains(.close))
    await site.manager.stop()
  }

  @Test func aRemovedLinkIsClosed() async throws {
    let site = Site()
    await site.manager.apply([plan("x", device(a)), plan("y", device(b))])
    try await site.observed.status(a, .online)
    let outcome = await site.manager.apply([plan("y", device(b))])
    #expect(outcome.removed == ["x"])
    #expect(site.adapter.calls("x").last == .close)
    let observed = site.observed.journal.count
    try await site.observed.reading(b, from: observed)
    #expect(site.observed.readings(a, since: observed) == [])
    #expect(await site.manager.links().map(\.id) == ["y"])
    await site.manager.stop()
  }

  /// Two changes at once come one after the other: the last one counts and no link is left behind.
  @Test func changesAtTheSameTimeLoseNoLink() async throws {
    let site = Site()
    await withTaskGroup(of: Void.self) { group in
      for round in 0..<8 {
        group.addTask { await site.manager.apply([plan("bus1", endpoint: UInt16(500 + round), device(a))]) }
      }
    }
    #expect(await site.manager.links().count == 1)
    await site.manager.stop()
    let calls = site.adapter.calls()
    #expect(calls.count { $0 == .open } == calls.count { $0 == .close })
    #expect(await site.manager.links().isEmpty)
  }

  @Test func controlIsToldWhatADeviceHas() async throws {
    let site = Site()
    site.adapter.script { $0.ending = { $0 == .open ? .held : .well } }
    await site.manager.apply([plan(device(a))])
    try await site.adapter.call("the opening") { $0 == .open }
    #expect(await site.manager.describe(a) == ControlledDevice(id: a, writable: true, points: [], known: false))
    site.adapter.connection()?.end()
    try await site.observed.status(a, .online)
    let described = try #require(await site.manager.describe(a))
    #expect(described.known)
    #expect(described.points.map(\.name) == ["power", "energy_total"])
    #expect(await site.manager.describe(b) == nil)
    await site.manager.stop()
  }
}
