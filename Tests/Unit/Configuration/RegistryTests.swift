// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Testing

/// Devices of the registry beside those of the file, and where to search.
@Suite struct RegistryTests {
  private func load(_ text: String, _ registry: [JSONValue]) -> (Configuration?, [Diagnostic]) {
    let folder = Folder()
    let file = folder.write("busbar.yaml", LinkTests.head + text)
    return ConfigurationLoader.load(file: file, manifests: Fixture.manifests, registry: registry)
  }

  private let meter: JSONValue = [
    "id": "met_b", "template": "test-meter", "endpoint": "tcp://10.0.0.1:502", "config": ["unit": 2], "poll": "2s",
    "write": false,
  ]

  @Test func theyShareConnections() throws {
    let (configuration, found) = load(
      #"devices: [{ id: met_a, template: test-meter, endpoint: "tcp://10.0.0.1" }]"#, [meter])
    #expect(found.map(\.description) == [])
    let links = try #require(configuration).links
    #expect(links.map { $0.devices.map(\.key) } == [["met_a", "met_b"]])
    #expect(links[0].devices[1].poll.period == .seconds(2) && links[0].devices[1].write == false)
    #expect(links[0].devices[1].config["unit"] == 2)
  }

  @Test func theSameIdTwiceIsAMistakeOfTheFile() {
    let (configuration, found) = load(
      #"devices: [{ id: met_b, template: test-meter, endpoint: "tcp://10.0.0.9" }]"#, [meter])
    #expect(configuration == nil)
    #expect(found.count == 1)
    #expect(found[0].severity == .error && found[0].line == 3 && found[0].key == "devices[0].id")
    #expect(found[0].description.contains("busbar forget met_b"))
  }

  /// What cannot be used any more is left out, and the host runs.
  @Test(arguments: [
    ["id": "met_x", "template": "gone", "endpoint": "tcp://10.0.0.1:502"],
    ["id": "met_x", "template": "test-meter", "endpoint": "nonsense"],
    ["id": "met_x", "template": "test-meter", "endpoint": "tcp://10.0.0.1:502", "config": ["unit": 999]],
    ["id": "met_x", "template": "test-meter", "endpoint": "tcp://10.0.0.1:502", "colour": "red"],
    ["id": "met_x"], [], "text",
  ] as [JSONValue])
  func oneThatIsWrongIsLeftOut(entry: JSONValue) throws {
    let (configuration, found) = load("devices: []", [entry, meter])
    #expect(try #require(configuration).devices.map(\.key) == ["met_b"])
    #expect(!found.isEmpty && found.allSatisfy { $0.severity == .warning })
  }

  @Test func jsonIsReadLikeYAML() {
    let json: JSONValue = ["a": .null, "b": true, "c": 5, "d": 1.5, "e": ["x", 2], "f": ["g": "h"]]
    #expect(YAMLNode(json: json, place: Place(file: "x")).json == json)
  }

  @Test(arguments: [
    ("tcp://10.0.0.1", "tcp://10.0.0.1"), ("10.0.0.1:1502", "tcp://10.0.0.1:1502"), ("inverter.local", "tcp://inverter.local"),
    ("192.168.1.0/24", "192.168.1.0/24"), ("tcp://192.168.1.0/24:1502", "192.168.1.0/24:1502"),
    ("/dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=9600&parity=none&stop=1&bits=8"),
    ("serial:///dev/ttyS1?baud=19200&parity=even", "serial:///dev/ttyS1?baud=19200&parity=even&stop=1&bits=8"),
    ("tcp://[fd00::1]:502", "tcp://[fd00::1]:502"),
  ])
  func targets(text: String, means: String) throws {
    #expect(try SearchTarget(text).text == means)
  }

  @Test(arguments: [
    "", "tcp://", "http://10.0.0.1", "mqtt:home", "192.168.1.1/24", "192.168.1.0/8", "10.0.0.0/24:0", "10.0.0.0/24:70000",
    "10.0.0.0/24:+5", "10.0.0.0/x", "a b", "serial://",
  ])
  func noTargets(text: String) {
    #expect(throws: ValueError.self) { try SearchTarget(text) }
  }

  @Test func addressesOfARange() throws {
    #expect(try Subnet("192.168.1.0/30").addresses == ["192.168.1.1", "192.168.1.2"])
    #expect(try Subnet("192.168.1.0/31").addresses == ["192.168.1.0", "192.168.1.1"])
    #expect(try Subnet("192.168.1.7/32").addresses == ["192.168.1.7"])
    #expect(try Subnet("10.1.0.0/16").addresses.count == 65_534)
    #expect(try Subnet("255.255.255.0/24").addresses.last == "255.255.255.254")
    #expect(try Subnet("fd00::/126").addresses == ["fd00::", "fd00::1", "fd00::2", "fd00::3"])
    #expect(try Subnet("fd00::/112").addresses.count == 65_536)
  }
}
