// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarUplink
import Foundation
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct StateTests {
  @Test func `retained state is there for who comes later, the latest of it`() async throws {
    let broker = try await Broker.start()
    let watcher = try await Subscriber.start(broker, "devices/+/info", "gateways/+/status")
    let fixture = UplinkFixture(port: broker.port)
    fixture.uplink.setState(.deviceInfo(.test), Array(#"{"ts":1,"name":"old"}"#.utf8))
    try await fixture.run {
      try await watcher.messages(1) { $0.text("name") == "old" }
      fixture.uplink.setState(.deviceInfo(.test), Array(#"{"ts":2,"name":"new"}"#.utf8))
      try await watcher.messages(1) { $0.text("name") == "new" }
      let late = try await Subscriber.start(broker, "devices/+/info", "gateways/+/status")
      let messages = try await late.messages(2)
      #expect(messages.allSatisfy { $0.retained && $0.qos == 1 && $0.contentType == "application/json" })
      #expect(messages.first { $0.topic == "devices/sol_test_1/info" }?.text("name") == "new")
      #expect(messages.first { $0.topic == "gateways/gw-1/status" }?.text("state") == "online")

      fixture.uplink.setState(.deviceInfo(.test), nil)
      try await watcher.messages(1) { $0.topic.hasSuffix("info") && $0.payload.isEmpty }
      let later = try await Subscriber.start(broker, "devices/+/info", "gateways/+/status")
      try await later.messages(1) { $0.topic == "gateways/gw-1/status" }
      #expect(later.all.count == 1)
    }
  }

  @Test func `a broker that has forgotten everything gets all state again`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      let watcher = try await Subscriber.start(broker, "devices/#")
      for number in 1...40 {
        let device = DeviceID(rawValue: "met_\(number)")!
        fixture.uplink.setState(.deviceInfo(device), Array(#"{"ts":1,"id":"\#(number)"}"#.utf8))
      }
      try await watcher.messages(40)
      try await broker.stop()
      try await broker.startAgain()
      let again = try await Subscriber.start(broker, "devices/#", "gateways/#")
      try await again.messages(41)
      #expect(Set(again.all.map(\.topic)).count == 41)
    }
  }

  @Test func `an orderly end says offline and leaves no will`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port)
    let watcher = try await Subscriber.start(broker, "gateways/gw-1/status", "end")
    // Before it starts: one that has connected by then has said "online" by itself, and says it anew.
    fixture.uplink.setState(
      .gatewayStatus, fixture.payloads.gatewayStatus(online: true, identity: UplinkFixture.identity, time: 1))
    try await fixture.run { try await watcher.messages(1) }
    try await broker.publish("end", "{}")
    let messages = try await watcher.messages(1) { $0.topic == "end" }
    #expect(messages.count == 1)
    let states = watcher.all.filter { $0.topic != "end" }.map { $0.text("state") }
    #expect(states == ["online", "offline"])
    #expect(watcher.all[1].text("version") == "0.1")
    try await broker.logged("Received DISCONNECT from busbar-gw-1")
  }

  @Test func `a connection that breaks makes the broker publish the will`() async throws {
    let broker = try await Broker.start()
    let watcher = try await Subscriber.start(broker, "gateways/gw-1/status")
    let relay = try Program(
      "/usr/bin/socat", ["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "TCP:127.0.0.1:\(broker.port)"])
    let port = try #require(try await relay.line(containing: "listening on").split(separator: ":").last.flatMap { Int($0) })
    let fixture = UplinkFixture(port: port)
    try await fixture.run {
      try await watcher.messages(1) { $0.text("state") == "online" }
      try await relay.kill()
      let messages = try await watcher.messages(2)
      #expect(messages.last?.text("state") == "offline")
      #expect(messages.last?["ts"] as? Int != nil)
      #expect((messages.last?["site"] as? [String: String]) == ["name": "Nordhof"])
    }
    let late = try await Subscriber.start(broker, "gateways/gw-1/status")
    let retained = try await late.messages(1)
    #expect(retained.first?.text("state") == "offline")
    #expect(retained.first?.retained == true)
  }

  @Test func `stopping does not wait for a broker that hangs`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port)
    fixture.uplink.start()
    try await fixture.connected()
    broker.signal(SIGSTOP)
    fixture.queue.add(1...100)
    await fixture.uplink.stop(within: .milliseconds(500))
    // The deadline stays the first one; where the machine is busy the thread may come by a while after it.
    await fixture.uplink.stop(within: .seconds(10))
    #expect(fixture.uplink.status.state == .disconnected)
    broker.signal(SIGCONT)
  }

  @Test func `stopping does not wait for a connection attempt that blocks`() async throws {
    let broker = try await FakeBroker.start(.full)
    let fixture = UplinkFixture(port: broker.port)
    fixture.uplink.start()
    try await fixture.logged("connecting to")
    await fixture.uplink.stop(within: .milliseconds(300))
    // Linux goes on trying for two minutes, and the uplink's thread with it.
    #expect(fixture.uplink.status.state == .connecting)
  }

  @Test func `stopping does not wait for a broker that never answers`() async throws {
    let broker = try await FakeBroker.start(.silent)
    let fixture = UplinkFixture(port: broker.port)
    fixture.uplink.start()
    try await broker.printed("CONNECT 5")
    await fixture.uplink.stop()
    #expect(fixture.uplink.status.state == .disconnected)
  }

  @Test func `stopping before starting, and twice, is fine`() async throws {
    let fixture = UplinkFixture(port: 1)
    await fixture.uplink.stop()
    await fixture.uplink.stop()
    fixture.uplink.start()
    #expect(fixture.uplink.status.state == .disconnected)
  }
}
