// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarUplink
import Testing

struct TopicsTests {
  private let topics = Topics(prefix: "", gateway: "gw-1")
  private let prefixed = Topics(prefix: "site/a/", gateway: "gw-1")

  @Test func `topics are those of the interfaces`() {
    #expect(topics.telemetry(.test) == "devices/sol_test_1/telemetry")
    #expect(topics.alarms(.test) == "devices/sol_test_1/alarms")
    #expect(topics.commandResponse(.test) == "devices/sol_test_1/commands/response")
    #expect(topics.gatewayCommandResponse == "gateways/gw-1/commands/response")
    #expect(topics.state(.gatewayStatus) == "gateways/gw-1/status")
    #expect(topics.state(.gatewayDevices) == "gateways/gw-1/devices")
    #expect(topics.state(.deviceStatus(.test)) == "devices/sol_test_1/status")
    #expect(topics.state(.deviceInfo(.test)) == "devices/sol_test_1/info")
    #expect(topics.state(.batterySoc(.test)) == "devices/sol_test_1/battery/soc")
    #expect(topics.state(.solarProduction(.test)) == "devices/sol_test_1/solar/production")
    #expect(topics.state(.chargerSession(.test)) == "devices/sol_test_1/evcharger/session")
    #expect(prefixed.telemetry(.test) == "site/a/devices/sol_test_1/telemetry")
  }

  @Test func `acknowledgements are subscribed to only where they count`() {
    #expect(topics.subscriptions(acknowledgement: .broker) == ["devices/+/commands/request", "gateways/gw-1/commands"])
    #expect(
      prefixed.subscriptions(acknowledgement: .application) == [
        "site/a/devices/+/commands/request", "site/a/gateways/gw-1/commands", "site/a/gateways/gw-1/ack",
      ])
  }

  @Test func `incoming topics are read`() {
    #expect(topics.incoming("devices/sol_test_1/commands/request") == .command(.test))
    #expect(topics.incoming("gateways/gw-1/commands") == .gatewayCommand)
    #expect(topics.incoming("gateways/gw-1/ack") == .acknowledgement)
    #expect(prefixed.incoming("site/a/devices/sol_test_1/commands/request") == .command(.test))
  }

  @Test(arguments: [
    "", "devices", "devices//commands/request", "devices/a b/commands/request", "devices/x/commands/response",
    "devices/x/commands/request/y", "gateways/gw-2/commands", "gateways/gw-1/commands/response", "site/a/gateways/gw-1/ack",
    "devices/\u{e4}/commands/request", "/devices/x/commands/request",
  ])
  func `other topics are not ours`(_ topic: String) {
    #expect(topics.incoming(topic) == nil)
  }

  @Test(arguments: ["answers/me", "a", "devices/x/commands/response", "gateways/gw-1/commands/response/7", "devicesx/y"])
  func `answers may go there`(_ topic: String) {
    #expect(topics.allowsResponse(to: topic))
  }

  @Test(arguments: [
    "", "#", "a/+/b", "$SYS/x", "devices/x/commands/request", "gateways/gw-1/commands", "gateways/gw-2/ack",
    "devices/x/telemetry", "devices", "a\0b", String(repeating: "a", count: 1025),
  ])
  func `answers may not go there`(_ topic: String) {
    #expect(!topics.allowsResponse(to: topic))
  }
}
