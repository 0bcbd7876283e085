// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarUplink
import Foundation
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct CommandTests {
  private static let request = "devices/sol_test_1/commands/request"
  private static let response = "devices/sol_test_1/commands/response"

  @Test func `a command is carried out and answered, also where the asker wants the answer`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, Self.response, "answers/me")
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      try await broker.publish(
        Self.request, #"{"id":"c1","ts":1795378158674,"point":"power_limit","value":3000,"valid_for":60000}"#,
        ["-D", "publish", "response-topic", "answers/me", "-D", "publish", "correlation-data", "abc-7"])
      let answers = try await subscriber.messages(2)
      #expect(Set(answers.map(\.topic)) == [Self.response, "answers/me"])
      for answer in answers {
        #expect(answer.text("id") == "c1")
        #expect(answer.text("status") == "done")
        #expect(answer["value"] as? Int == 3000)
        #expect(answer.correlation == "abc-7")
        #expect(answer.contentType == "application/json")
        #expect(!answer.retained)
      }
      let request = try #require(fixture.handler.state.value.requests.first)
      #expect(request.device == .test)
      #expect(request.verb == .set(point: "power_limit", value: .integer(3000)))
      #expect(request.validFor == .seconds(60))
      #expect(request.role == .operator_)
    }
  }

  @Test func `an answer is not sent to where commands go`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, "#")
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      for (number, topic) in ["devices/met_1/commands/request", "gateways/gw-1/commands", "devices/met_1/status"].enumerated() {
        try await broker.publish(
          Self.request, #"{"id":"\#(number)","ts":1,"action":"a"}"#, ["-D", "publish", "response-topic", topic])
      }
      try await subscriber.messages(3) { $0.topic == Self.response }
      try await broker.publish("end", "{}")
      try await subscriber.messages(1) { $0.topic == "end" }
      let elsewhere = subscriber.all.map(\.topic).filter { $0.contains("met_1") || $0 == "gateways/gw-1/commands" }
      #expect(elsewhere == [])
    }
  }

  @Test func `a command for the device of another host at the broker is left to that host`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, "devices/+/commands/response")
    let fixture = UplinkFixture(port: broker.port)
    let command = #"{"id":"c","ts":1,"action":"a"}"#
    try await broker.publish("devices/met_theirs/status", #"{"state":"online","gateway":"gw-2"}"#, ["-r"])
    try await broker.publish("devices/met_gone/status", #"{"state":"offline","gateway":"gw-1"}"#, ["-r"])
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      for _ in 1...2 { try await broker.publish("devices/met_theirs/commands/request", command) }
      // One that this host had, and one that nobody has.
      for device in ["met_gone", "met_nobody"] { try await broker.publish("devices/\(device)/commands/request", command) }
      let answers = try await subscriber.messages(2)
      #expect(Set(answers.map(\.topic)) == ["devices/met_gone/commands/response", "devices/met_nobody/commands/response"])
      #expect(answers.allSatisfy { $0.text("reason") == "unknown-device" })
      // What is known now is not asked for again.
      try await broker.publish("devices/met_theirs/commands/request", command)
      try await broker.publish(Self.request, command)
      try await subscriber.messages(1) { $0.topic == Self.response }
      #expect(!subscriber.all.contains { $0.topic.contains("met_theirs") })
      #expect(fixture.uplink.status.counters.elsewhere == 3)
    }
  }

  @Test func `a command for the host`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, "gateways/gw-1/commands/response")
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      try await broker.publish("gateways/gw-1/commands", #"{"id":"g1","action":"discover"}"#)
      let answers = try await subscriber.messages(1)
      #expect(answers.first?.text("id") == "g1")
      #expect(fixture.handler.state.value.gatewayRequests == [["id": "g1", "action": "discover"]])
    }
  }

  @Test func `hostile messages do no harm, and are answered where they have an id`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, Self.response)
    let fixture = UplinkFixture(port: broker.port)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      let hostile: [[UInt8]] = [
        Array("{".utf8), [0, 1, 2, 255], [0xC3, 0x28], [],
        Array(("{\"id\":\"deep\",\"x\":" + String(repeating: "[", count: 30_000)).utf8),
        Array("{\"id\":\"big\",\"ts\":1,\"point\":\"p\",\"value\":\"\(String(repeating: "x", count: 65_536))\"}".utf8),
        [UInt8](repeating: 0x20, count: 200_000),
      ]
      fixture.uplink.setState(.deviceStatus(.test), Array("{}".utf8))
      for payload in hostile { try await broker.publish(Self.request, data: payload) }
      // So large that the broker keeps it to itself: MQTT 5, maximum packet size.
      try await broker.publish(Self.request, data: [UInt8](repeating: 0x20, count: 1_000_000))
      try await broker.publish("devices/not an id/commands/request", #"{"id":"x","ts":1,"action":"a"}"#)
      try await broker.publish(Self.request, #"{"id":"bad","ts":1,"point":"p","value":1e999}"#)
      try await broker.publish(Self.request, #"{"id":"good","ts":1,"point":"p","value":1}"#)
      let answers = try await subscriber.messages(3)
      #expect(answers.map { $0.text("id") } == ["deep", "bad", "good"])
      for answer in answers.prefix(2) {
        #expect(answer.text("status") == "refused")
        #expect(answer.text("reason") == "invalid")
        #expect(answer.text("text")?.isEmpty == false)
      }
      // One of the hostile ones told its id, and one had a topic that is not ours.
      #expect(fixture.uplink.status.counters.malformed == hostile.count - 1 + 1)
      #expect(fixture.uplink.status.counters.reconnects == 0)
      #expect(fixture.handler.state.value.requests.map(\.id) == ["good"])
    }
  }

  @Test func `answers that the broker did not get are sent again`() async throws {
    let broker = try await Broker.start()
    let fixture = UplinkFixture(port: broker.port, answers: false)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      for id in ["early", "late"] { try await broker.publish(Self.request, #"{"id":"\#(id)","ts":1,"action":"a"}"#) }
      _ = try await fixture.handler.requests(2)
      let replies = fixture.handler.state.value.replies
      // One answer is under way when the connection ends, the other comes when there is none.
      broker.signal(SIGSTOP)
      replies[0](CommandResponse(id: "early", time: 5, status: .done))
      fixture.queue.add(1...1)
      try await fixture.queue.state.until("telemetry behind the answer") { $0.underWay.isEmpty ? nil : true }
      try await broker.stop()
      try await fixture.queue.state.until("the loss") { $0.connectionsLost == 1 ? true : nil }
      replies[1](CommandResponse(id: "late-answer", time: 5, status: .done))
      try await broker.startAgain()
      try await fixture.queue.acknowledged(count: 1)
      try await broker.logged("'\(Self.response)', ... (\(Self.answerSize(id: "early")) bytes)")
      try await broker.logged("'\(Self.response)', ... (\(Self.answerSize(id: "late-answer")) bytes)")
    }
  }

  private static func answerSize(id: String) -> Int { #"{"id":"","ts":5,"status":"done"}"#.utf8.count + id.utf8.count }

  @Test func `no more than 256 commands are under way, and their places come back`() async throws {
    let broker = try await Broker.start()
    let subscriber = try await Subscriber.start(broker, Self.response)
    let fixture = UplinkFixture(port: broker.port, answers: false)
    try await fixture.run {
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      let lines = (1...257).map { #"{"id":"\#($0)","ts":1,"action":"a"}"# }.joined(separator: "\n")
      let file = try broker.scratch.write("lines", lines + "\n")
      try await Program.run(
        "/bin/sh",
        ["-c", "exec mosquitto_pub -h 127.0.0.1 -p \(broker.port) -V mqttv5 -q 1 -t \(Self.request) -l < \(file)"])
      let refused = try await subscriber.messages(1)
      #expect(refused.first?.text("id") == "257")
      #expect(refused.first?.text("status") == "failed")
      // 128 are answered, the others are given up by the handler: both make room.
      let replies = fixture.handler.state.update { state in
        defer { state.replies = [] }
        return state.replies.prefix(128)
      }
      #expect(replies.count == 128)
      for reply in replies { reply(CommandResponse(id: "x", time: 1, status: .done)) }
      try await subscriber.messages(129)
      try await broker.publish(Self.request, #"{"id":"again","ts":1,"action":"a"}"#)
      _ = try await fixture.handler.requests(257)
      #expect(fixture.handler.state.value.requests.last?.id == "again")
    }
  }
}
