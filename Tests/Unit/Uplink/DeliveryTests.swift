// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarMosquitto
import BusbarUplink
import Foundation
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct DeliveryTests {
  private func sequence(_ messages: [Delivered]) -> [Int] { messages.compactMap { $0["seq"] as? Int } }

  @Test func `telemetry arrives in order with QoS 1, not retained, as JSON`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, "devices/+/telemetry")
    let fixture = UplinkFixture(port: broker.port)
    fixture.queue.add(1...100)
    try await fixture.run {
      try await fixture.connected()
      fixture.queue.add(101...300)
      let messages = try await subscriber.messages(300)
      #expect(sequence(messages) == Array(1...300))
      #expect(messages.allSatisfy { $0.qos == 1 && !$0.retained && $0.contentType == "application/json" })
      #expect(messages.allSatisfy { $0.topic == "devices/sol_test_1/telemetry" })
      try await fixture.queue.acknowledged(count: 300)
      #expect(fixture.queue.state.value.acknowledged == Array(1...300).map { UInt64($0) })
      #expect(fixture.uplink.status.state == .connected)
      #expect(fixture.uplink.status.version == .five)
    }
    #expect(fixture.uplink.status.state == .disconnected)
  }

  @Test func `no more is under way than the broker takes, and the backlog leaves room`() async throws {
    let broker = try await Broker.start(["allow_anonymous true", "max_inflight_messages 4"])
    let subscriber = try await Subscriber.start(broker, "devices/+/telemetry")
    let fixture = UplinkFixture(port: broker.port)
    fixture.queue.add(1...200, late: true)
    try await fixture.run {
      try await subscriber.messages(200)
      try await fixture.queue.acknowledged(count: 200)
      let state = fixture.queue.state.value
      #expect(state.mostUnderWay <= 4)
      #expect(state.largestLate == 3)
    }
  }

  @Test func `what a killed broker has not acknowledged comes again`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await fixture.connected()
      fixture.queue.add(1...5)
      try await fixture.queue.acknowledged(count: 5)
      // It takes bytes and answers nothing any more.
      broker.signal(SIGSTOP)
      fixture.queue.add(6...15)
      try await fixture.queue.state.until("10 under way") { $0.underWay.count == 10 ? true : nil }
      try await broker.stop()
      try await fixture.queue.state.until("the loss") { $0.connectionsLost == 1 ? true : nil }
      fixture.queue.add(16...20)
      try await fixture.log.until("the warning") { $0.contains { $0.hasPrefix("warning") } ? true : nil }
      try await broker.startAgain()
      let subscriber = try await Subscriber.start(broker, "devices/+/telemetry")
      try await fixture.queue.acknowledged(count: 20)
      fixture.queue.add(21...21)
      try await fixture.queue.acknowledged(count: 21)
      #expect(Set(fixture.queue.state.value.acknowledged) == Set((1...21).map { UInt64($0) }))
      _ = try await subscriber.messages(1) { $0["seq"] as? Int == 21 }
      #expect(fixture.uplink.status.counters.reconnects == 1)
      #expect(fixture.log.value.count { $0.contains("connected to") && $0.contains("after") } == 1)
    }
  }

  @Test func `a stopped broker is found again, live first and then everything that waited`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port) { $0.firstPause = .milliseconds(300) }
    try await fixture.run {
      try await fixture.connected()
      try await broker.stop()
      try await fixture.logged("warning")
      fixture.queue.add(1...50, late: true)
      fixture.queue.add(51...60)
      try await broker.startAgain()
      let subscriber = try await Subscriber.start(broker, "devices/+/telemetry", "end")
      try await fixture.queue.acknowledged(count: 60)
      #expect(fixture.queue.state.value.acknowledged == (Array(51...60) + Array(1...50)).map { UInt64($0) })
      try await broker.publish("end", "{}")
      try await subscriber.messages(1) { $0.topic == "end" }
      // The subscriber may have come after the first few.
      let seen = sequence(subscriber.all)
      #expect(seen == (Array(51...60) + Array(1...50)).suffix(seen.count))
    }
  }

  @Test func `a message that the broker's rules refuse is not taken for delivered`() async throws {
    let scratch = try Scratch()
    try scratch.write("acl", "topic readwrite devices/met_1/#\ntopic readwrite gateways/#\n")
    let broker = try await Broker.start(["allow_anonymous true", "acl_file DIR/acl"], scratch: scratch)
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      fixture.queue.add(1...1)
      fixture.queue.add(2...2, device: DeviceID(rawValue: "met_1")!)
      try await fixture.queue.acknowledged(count: 1)
      try await fixture.queue.state.until("a refusal") { $0.refused == [1] ? true : nil }
      #expect(fixture.queue.state.value.acknowledged == [2])
      #expect(fixture.uplink.status.counters.refused == 1)
      try await fixture.logged("refused a message")
    }
  }

  @Test func `an application's acknowledgement reaches the queue`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port) { $0.acknowledgement = .application }
    try await fixture.run {
      try await broker.logged("gateways/gw-1/ack")
      try await broker.publish("gateways/gw-1/ack", "[]")
      try await broker.publish("gateways/gw-1/ack", #"{"device":"sol_test_1","ranges":[[1,1042],[1050,1051]]}"#)
      try await fixture.queue.state.until("it") { $0.applicationAcknowledged.isEmpty ? nil : true }
      #expect(fixture.queue.state.value.applicationAcknowledged == ["sol_test_1 [ClosedRange(1...1042), ClosedRange(1050...1051)]"])
      #expect(fixture.uplink.status.counters.malformed == 1)
    }
  }

  @Test func `a prefix stands before every topic`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, "#")
    let fixture = UplinkFixture(port: broker.port) { $0.prefix = "site1/" }
    try await fixture.run {
      fixture.queue.add(1...1)
      try await fixture.queue.acknowledged(count: 1)
      try await broker.logged("site1/gateways/gw-1/commands")
      try await broker.publish("site1/gateways/gw-1/commands", #"{"id":"1","action":"reload"}"#)
      try await subscriber.messages(1) { $0.topic == "site1/gateways/gw-1/commands/response" }
      try await subscriber.messages(1) { $0.topic == "site1/devices/sol_test_1/telemetry" }
    }
    #expect(subscriber.all.allSatisfy { $0.topic.hasPrefix("site1/") })
  }

  @Test func `the rate limit holds telemetry back and lets answers through`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port) { $0.bytesPerDay = 1000 }
    try await fixture.run {
      fixture.queue.add(1...100)
      let subscriber = try await Subscriber.start(broker, "devices/+/commands/response")
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      for id in ["a", "b", "c"] {
        try await broker.publish(
          "devices/sol_test_1/commands/request", #"{"id":"\#(id)","ts":1,"action":"x","args":{"t":"\#(id)"}}"#)
      }
      try await subscriber.messages(3)
      let state = fixture.queue.state.value
      #expect(state.acknowledged.count + state.underWay.count <= 20, "1000 bytes are fewer than 20 messages")
      #expect(!state.live.isEmpty)
    }
  }
}

/// Apart from the others because it takes twice the shortest keepalive.
@Suite(.timeLimit(.minutes(3)))
struct KeepaliveTests {
  @Test func `a broker that hangs is noticed, and what it did not acknowledge comes again`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port) { $0.keepalive = 5 }
    try await fixture.run {
      try await fixture.connected()
      broker.signal(SIGSTOP)
      fixture.queue.add(1...3)
      try await fixture.queue.state.until("the loss") { $0.connectionsLost == 1 ? true : nil }
      try await fixture.logged("did not answer any more within 5 s")
      #expect(fixture.queue.state.value.asked < 100, "waiting is not spinning")
      broker.signal(SIGCONT)
      try await fixture.queue.acknowledged(count: 3)
    }
  }
}
