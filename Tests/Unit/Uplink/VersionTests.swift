// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarMosquitto
import BusbarUplink
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct VersionTests {
  @Test(arguments: [FakeBroker.Behaviour.refuseOld, .refuseNew, .hangUp])
  func `a broker of 3_1_1 is found, and remembered`(_ behaviour: FakeBroker.Behaviour) async throws {
    let broker = try await FakeBroker.start(behaviour)
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.printed("CONNECT 5")
      try await broker.printed("CONNECT 4")
      fixture.queue.add(1...40)
      try await fixture.queue.acknowledged(count: 40)
      #expect(fixture.uplink.status.version == .three)
      try await broker.printed("PUBLISH retained gateways/gw-1/status")
      try await broker.printed("SUBSCRIBE devices/+/commands/request")
    }
    try await broker.printed("DISCONNECT")
    let published = broker.lines.filter { $0.hasPrefix("PUBLISH live devices/sol_test_1/telemetry") }
    #expect(published.count == 40)
    #expect(published.last?.hasSuffix(#"{"ts":1795378158674,"seq":40}"#) == true)
  }

  @Test func `a retained command is dropped and counted`() async throws {
    let broker = try await FakeBroker.start(.retained)
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      let requests = try await fixture.handler.requests(1)
      #expect(requests.map(\.id) == ["new"])
      #expect(fixture.uplink.status.counters.droppedRetained == 1)
      #expect(fixture.uplink.status.counters.commands == 1)
    }
  }

  @Test func `with MQTT 5 it is dropped also where it comes at once`() async throws {
    let broker = try await Broker.start()
    let topic = "devices/sol_test_1/commands/request"
    try await broker.publish(topic, #"{"id":"old","ts":1,"action":"a"}"#, ["-r"])
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      try await broker.publish(topic, #"{"id":"retained","ts":1,"action":"a"}"#, ["-r"])
      try await broker.publish(topic, #"{"id":"new","ts":1,"action":"a"}"#)
      let requests = try await fixture.handler.requests(1)
      #expect(requests.map(\.id) == ["new"])
      #expect(fixture.uplink.status.counters.droppedRetained == 2)
    }
  }

  @Test func `subscriptions that the broker refuses are told`() async throws {
    let broker = try await FakeBroker.start(.noSubscriptions)
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await fixture.logged("does not let this host subscribe to gateways/gw-1/commands")
      #expect(fixture.uplink.status.state == .connected)
      #expect(fixture.uplink.status.reason?.contains("subscribe") == true)
    }
  }
}
