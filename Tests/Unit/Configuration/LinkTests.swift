// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

@Suite struct LinkTests {
  static let head = "host: { id: a }\ntemplates: { directories: [\(Fixture.cases)/_shared/templates] }\n"

  private func load(_ text: String) throws -> Configuration {
    let (configuration, found) = Fixture.load(Self.head + text)
    #expect(found.map(\.description) == [])
    return try #require(configuration)
  }

  @Test func devicesAtOneEndpointShareALink() throws {
    let configuration = try load(
      """
      devices:
        - { id: pv, template: test-solar, endpoint: "tcp://192.168.1.20" }
        - { id: grid, template: test-meter, endpoint: "tcp://192.168.1.20:502", config: { unit: 2 } }
        - { id: line, adapter: line-meter, endpoint: "tcp://192.168.1.20:502" }
        - { id: bus, template: test-meter, endpoint: "serial:///dev/ttyUSB0?parity=none&baud=9600" }
        - { id: bus2, template: test-meter, endpoint: "serial:///dev/ttyUSB0", config: { unit: 2 } }
      """)
    #expect(
      configuration.links.map(\.id) == ["line-meter-192.168.1.20-502", "modbus-192.168.1.20-502", "modbus-ttyUSB0"])
    #expect(configuration.links.map { $0.devices.map(\.key) } == [["line"], ["pv", "grid"], ["bus", "bus2"]])
    #expect(configuration.links[1].endpoint.port == 502)
    #expect(configuration.devices.first { $0.key == "pv" }?.config["unit"] == 3)
  }

  @Test func aDeviceJoinsAWrittenLinkWithItsEndpoint() throws {
    let configuration = try load(
      """
      links: [{ id: east, adapter: modbus, endpoint: "tcp://10.0.0.1", config: { gap: 5 } }]
      devices:
        - { id: a, template: test-meter, link: east }
        - { id: b, template: test-solar, endpoint: "tcp://10.0.0.1:502" }
      """)
    #expect(configuration.links.map(\.id) == ["east"])
    #expect(configuration.links[0].devices.map(\.key) == ["a", "b"] && configuration.links[0].config["gap"] == 5)
  }

  @Test func idsOfLinksStayApart() throws {
    let (loaded, found) = Fixture.load(
      """
      host: { id: a }
      templates: { directories: [] }
      brokers: { home: { url: mqtt://127.0.0.1 } }
      devices:
        - { id: a, adapter: rest, endpoint: "http://10.0.0.1/a_b" }
        - { id: b, adapter: rest, endpoint: "http://10.0.0.1/a/b" }
        - { id: c, adapter: rest, endpoint: "https://10.0.0.1" }
        - { id: d, adapter: zigbee, endpoint: "mqtt:home" }
        - { id: e, adapter: rest, endpoint: "http://[fd00::1]/" }
        - { id: f, adapter: p1, endpoint: "serial:///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K6ZZZ-if00-port0" }
      """, manifests: [])
    #expect(found.map(\.description) == [])
    let ids = try #require(loaded).links.map(\.id)
    #expect(Set(ids).count == 6 && ids.allSatisfy { $0.utf8.count <= 64 && Name.isLink($0) })
    #expect(ids.contains("rest-https-10.0.0.1-443") && ids.contains("zigbee-mqtt-home"))
  }

  @Test func aWrittenLinkMayNotTakeTheIdOfAnother() {
    let (_, found) = Fixture.load(
      Self.head + """
        links: [{ id: modbus-10.0.0.1-502, adapter: modbus, endpoint: "tcp://10.0.0.9:502" }]
        devices: [{ id: a, template: test-meter, endpoint: "tcp://10.0.0.1" }]
        """)
    #expect(found.count == 1 && found[0].message.hasPrefix("the id modbus-10.0.0.1-502 is the one of"))
  }

  @Test func withoutManifestsSchemasAreNotChecked() throws {
    let (configuration, found) = Fixture.load(
      Self.head + "devices: [{ id: a, template: test-meter, endpoint: \"ws://10.0.0.1\", config: { what: ever } }]",
      manifests: [])
    #expect(found == [] && configuration?.devices.first?.config == ["unit": 1, "what": "ever"])
  }

  @Test func commandsAreAllowedUnlessTheTemplateOrTheFileSaysNo() throws {
    let configuration = try load(
      """
      devices:
        - { id: a, template: test-meter, endpoint: "tcp://10.0.0.1" }
        - { id: b, template: test-meter, endpoint: "tcp://10.0.0.2", write: true }
        - { id: c, template: test-solar, endpoint: "tcp://10.0.0.3" }
        - { id: d, template: test-solar, endpoint: "tcp://10.0.0.4", write: false }
      """)
    #expect(configuration.devices.map(\.write) == [false, true, true, false])
  }

  @Test func devicesWithoutAnIdKeepTheirKey() throws {
    let text = "devices: [{ template: test-meter, endpoint: \"tcp://10.0.0.1\" }]"
    let one = try load(text).devices[0]
    let other = try load("discovery: {}\n" + text.replacing("10.0.0.1\"", with: "10.0.0.1:502\", poll: 9s")).devices[0]
    #expect(one.id == nil && one.key == other.key && one.name == "A meter for tests")
    #expect(try load(text.replacing("10.0.0.1", with: "10.0.0.2")).devices[0].key != one.key)
  }
}

@Suite struct DiffTests {
  private let before = """
    host: { id: a }
    uplink: { url: mqtt://b }
    templates: { directories: [\(Fixture.cases)/_shared/templates] }
    devices:
      - { id: a, template: test-meter, endpoint: "tcp://10.0.0.1" }
      - { id: b, template: test-solar, endpoint: "tcp://10.0.0.1" }
      - { id: c, template: test-meter, endpoint: "tcp://10.0.0.3" }
    """

  private func diff(_ change: (String) -> String) throws -> ConfigurationDiff {
    let old = try #require(Fixture.load(before).0)
    let new = try #require(Fixture.load(change(before)).0)
    return ConfigurationDiff(from: old, to: new)
  }

  @Test func nothing() throws {
    let diff = try diff { "# a comment\n\n" + $0 }
    #expect(diff.isEmpty && diff.devices.unchanged == ["a", "b", "c"])
  }

  @Test func addedAndRemoved() throws {
    let diff = try diff {
      $0.replacing(
        "  - { id: c, template: test-meter, endpoint: \"tcp://10.0.0.3\" }",
        with: "  - { id: d, template: test-meter, endpoint: \"tcp://10.0.0.4\" }")
    }
    #expect(diff.devices.added == ["d"] && diff.devices.removed == ["c"])
    #expect(diff.devices.changed == [] && diff.devices.unchanged == ["a", "b"])
    #expect(diff.links.added == ["modbus-10.0.0.4-502"] && diff.links.removed == ["modbus-10.0.0.3-502"])
    #expect(diff.links.unchanged == ["modbus-10.0.0.1-502"] && diff.restart == [])
  }

  @Test func changed() throws {
    let diff = try diff {
      $0.replacing("id: c,", with: "id: c, poll: 1s,").replacing("id: b,", with: "id: b, config: { unit: 9 },")
    }
    #expect(diff.devices.changed == ["b", "c"] && diff.devices.unchanged == ["a"] && diff.links.isEmpty)
  }

  @Test func aDeviceThatMoves() throws {
    let diff = try diff {
      $0.replacing("10.0.0.3", with: "10.0.0.1").replacing("id: c,", with: "id: c, config: { unit: 7 },")
    }
    #expect(diff.devices.changed == ["c"] && diff.links.removed == ["modbus-10.0.0.3-502"])
  }

  @Test func aLinkWithOtherSettings() throws {
    let with = "links: [{ id: l, adapter: modbus, endpoint: \"tcp://10.0.0.1\", config: { gap: 1 } }]\n"
    let old = try #require(Fixture.load(with + before).0)
    let new = try #require(Fixture.load(with.replacing("gap: 1", with: "gap: 2") + before).0)
    let diff = ConfigurationDiff(from: old, to: new)
    #expect(diff.links.changed == ["l"] && diff.devices.isEmpty)
  }

  @Test func aTemplateThatSaysSomethingElse() throws {
    let folder = Folder()
    let path = "\(Fixture.cases)/_shared/templates/test-meter.yaml"
    let template = try String(contentsOfFile: path, encoding: .utf8)
    let text =
      "host: { id: a }\ntemplates: { directories: [\(folder.path)] }\ndevices: [{ id: a, template: test-meter, endpoint: \"tcp://h\" }]"
    folder.write("test-meter.yaml", template)
    let old = try #require(Fixture.load(text).0)
    folder.write("test-meter.yaml", "# moved\n" + template)
    #expect(ConfigurationDiff(from: old, to: try #require(Fixture.load(text).0)).isEmpty)
    folder.write("test-meter.yaml", template.replacing("0x34", with: "0x36"))
    #expect(ConfigurationDiff(from: old, to: try #require(Fixture.load(text).0)).devices.changed == ["a"])
  }

  @Test(arguments: [
    ("host: { id: a }", "host: { id: b }", "host.id"), ("host: { id: a }", "host: { id: a, state: /x }", "host.state"),
    ("mqtt://b", "mqtt://c", "uplink.url"), ("uplink: { url: mqtt://b }", "", "uplink"),
    ("host:", "management: { listen: \"127.0.0.1:1\" }\nhost:", "management.listen"),
    ("host:", "plugins: { directories: [/x] }\nhost:", "plugins.directories"),
  ])
  func whatNeedsARestart(old: String, new: String, section: String) throws {
    let diff = try diff { $0.replacing(old, with: new) }
    #expect(diff.restart == [section] && diff.settings.isEmpty && diff.devices.isEmpty && diff.links.isEmpty)
  }

  @Test(arguments: [("buffer: { age: 1d }", "buffer.age"), ("log: { level: debug }", "log.level")])
  func whatTheRunningHostTakes(added: String, setting: String) throws {
    let diff = try diff { $0.replacing("host:", with: "\(added)\nhost:") }
    #expect(diff.settings == [setting] && diff.restart.isEmpty && diff.devices.isEmpty && diff.links.isEmpty)
  }
}
