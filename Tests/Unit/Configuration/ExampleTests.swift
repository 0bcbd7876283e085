// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

/// The example of interfaces 1, with its files in a folder of the test's.
@Suite struct ExampleTests {
  let folder = Folder()

  /// Word for word, but for the paths of files and what is not available in this release.
  var text: String {
    """
    host:
      id: gw-0001                     # gateway id
      role: gateway                   # gateway | server
      site: { name: "Nordhof", location: "53.55,9.99" }        # optional
      state: /var/lib/busbar          # database, keys
    plugins:
      directories: [/usr/lib/busbar/plugins, /usr/local/lib/busbar/plugins]
      isolation: auto                 # auto (every plugin in a child) | host | child
      overrides: { org.busbar.modbus: host }
      require_signature: false
      trusted_keys: []
    templates: { directories: [/usr/share/busbar/templates, \(folder.path)/templates] }
    uplink:                           # leave out: the host works alone and keeps data up to the buffer's limits
      url: mqtts://broker.example:8883          # mqtt | mqtts
      username: gw-0001
      password: { file: \(folder.path)/secrets/mqtt }            # a secret is { file: } | { env: } | { value: }
      tls: { ca: \(folder.path)/ca.pem, certificate: host, key: host }     # a path, or "host"
      prefix: ""                      # put before every topic
      acknowledge: broker             # broker (PUBACK) | application (see 3.6)
      role: operator                  # viewer | operator | installer | administrator
      rate: { bytes_per_second: 0, bytes_per_day: 0 }         # 0 = no limit
    buffer:
      size: 1GiB
      age: 30d
      commit: 1s
    discovery: { scan: ["192.168.1.0/24"], interval: 0 }
    management: { listen: "127.0.0.1:8480", tls: auto }
    listeners:
      ocpp: { listen: "0.0.0.0:8443", tls: host }
    brokers:
      home: { url: mqtt://127.0.0.1:1883 }
    links:
      - id: bus1
        adapter: modbus
        endpoint: serial:///dev/ttyUSB0?baud=19200&parity=even
    devices:
      - id: sol_sma_3001234567        # optional; see 4
        name: Roof east
        adapter: modbus               # may be left out where the template names it
        template: sma-sunny-tripower
        endpoint: tcp://192.168.1.20:502
        config: { unit: 3 }
        poll: 5s
        write: true
      - { id: met_grid, link: bus1, template: eastron-sdm630, config: { unit: 1 } }
    """
  }

  init() throws {
    folder.write("secrets/mqtt", "hunter2\n", mode: 0o600)
    folder.write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    for (name, new) in [("test-meter", "eastron-sdm630"), ("test-solar", "sma-sunny-tripower")] {
      let template = try String(contentsOfFile: "\(Fixture.cases)/_shared/templates/\(name).yaml", encoding: .utf8)
      folder.write("templates/\(new).yaml", template.replacing("template: \(name)", with: "template: \(new)"))
    }
  }

  @Test func loadsWithoutAWord() throws {
    let (loaded, found) = Fixture.load(text, in: folder)
    #expect(found.map(\.description) == [])
    let configuration = try #require(loaded)
    #expect(configuration.host.id == "gw-0001")
    #expect(configuration.host.site?.name == "Nordhof" && configuration.host.site?.location == "53.55,9.99")
    #expect(configuration.plugins.overrides == ["org.busbar.modbus": .host])
    let uplink = try #require(configuration.uplink)
    #expect(uplink.url.description == "mqtts://broker.example:8883" && uplink.url.tls)
    #expect(try uplink.password?.resolve(environment: [:]) == "hunter2")
    #expect(uplink.tls.certificate == .host && uplink.tls.key == .host && uplink.tls.ca == "\(folder.path)/ca.pem")
    #expect(uplink.role == .operator_ && uplink.acknowledge == .broker && uplink.prefix == "")
    #expect(configuration.buffer.size == 1 << 30 && configuration.buffer.commit == .seconds(1))
    #expect(
      configuration.discovery.interval == nil && configuration.discovery.scan.map(\.description) == ["192.168.1.0/24"])
    #expect(configuration.management.listen?.description == "127.0.0.1:8480")
    #expect(configuration.listeners["ocpp"]?.tls == .host)
    #expect(configuration.brokers["home"]?.url.port == 1883)
  }

  @Test func devicesAndLinksAreResolved() throws {
    let configuration = try #require(Fixture.load(text, in: folder).0)
    #expect(configuration.links.map(\.id) == ["bus1", "modbus-192.168.1.20-502"])
    #expect(configuration.links[0].config == ["gap": 0, "idle": false])
    let meter = configuration.links[0].devices[0]
    #expect(meter.id?.rawValue == "met_grid" && meter.adapter == "modbus" && meter.name == "met_grid")
    #expect(meter.poll.period(of: "power") == .seconds(5) && meter.poll.period(of: "energy_import") == .seconds(60))
    #expect(!meter.write)
    let solar = configuration.links[1].devices[0]
    #expect(solar.name == "Roof east" && solar.write && solar.config == ["unit": 3, "timeout": "1s"])
    #expect(solar.link == "modbus-192.168.1.20-502" && solar.place.line == 37)
  }

  @Test func anEmptyFileHasAllDefaults() throws {
    let folder = Folder()
    let machine = folder.write("machine-id", "0123456789abcdef0123456789abcdef\n")
    let (loaded, found) = Fixture.load(
      "", environment: HostEnvironment(variables: [:], machineIDFile: machine), in: folder)
    #expect(found == [])
    let configuration = try #require(loaded)
    #expect(configuration.uplink == nil && configuration.management.listen == nil && configuration.devices.isEmpty)
    #expect(configuration.host.state == "/var/lib/busbar" && configuration.host.role == .gateway)
    #expect(configuration.buffer.size == 1 << 30 && configuration.buffer.age == .seconds(30 * 86400))
    #expect(configuration.templateDirectories == ["/usr/share/busbar/templates", "/etc/busbar/templates"])
  }

  @Test func theGatewayIsNamedAfterTheMachineWithoutShowingItsId() throws {
    let folder = Folder()
    let id = "0123456789abcdef0123456789abcdef"
    let machine = folder.write("machine-id", id + "\n")
    let name = try #require(HostEnvironment(variables: [:], machineIDFile: machine).gatewayID)
    #expect(name.hasPrefix("gw-") && name.utf8.count == 15)
    #expect(!id.contains(name.dropFirst(3)) && !id.contains(name.dropFirst(3).prefix(5)))
    let other = folder.write("other-id", "1123456789abcdef0123456789abcdef\n")
    #expect(HostEnvironment(variables: [:], machineIDFile: other).gatewayID != name)
    #expect(
      HostEnvironment(variables: [:], machineIDFile: "/nonexistent", hostName: "Box 1.local").gatewayID == "gw-box-1")
    let (configuration, found) = Fixture.load(
      "", environment: HostEnvironment(variables: [:], machineIDFile: "/nonexistent"), in: folder)
    #expect(configuration == nil && found.map(\.key) == ["host.id"])
  }

  @Test func relativePathsAreBelowTheFile() throws {
    let (loaded, found) = Fixture.load(
      """
      host: { id: a, state: state }
      plugins: { directories: [plugins] }
      templates: { directories: [templates] }
      """, in: folder)
    let configuration = try #require(loaded)
    #expect(found == [] && configuration.host.state == "\(folder.path)/state")
    #expect(configuration.plugins.directories == ["\(folder.path)/plugins"])
    #expect(configuration.templates.names == ["eastron-sdm630", "sma-sunny-tripower"])
  }
}
