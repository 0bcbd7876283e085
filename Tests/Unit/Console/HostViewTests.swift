// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import Testing

struct HostViewTests {
  @Test func statusListsFactsOneBelowTheOther() {
    let status: JSONValue = .object([
      "id": "gw-0001", "state": "online", "since": 0, "devices": .object(["online": 4, "offline": 1]),
      "buffer": .object(["bytes": 2048, "oldest": .null]), "alarms": .array([]),
      "plugins": .array([
        .object(["id": "org.busbar.modbus", "state": "loaded"]),
        .object(["id": .null, "file": "/p/a.so", "state": "refused"]),
      ]),
      "leases": .array([.object(["device": "d", "point": "power_limit", "value": 3000, "owner": "ems-1"])]),
      "listeners": .array([.object(["name": "ocpp", "state": "failed"])]),
      "raised": .array([.object(["device": "d", "name": "CommunicationFault"])]),
    ])
    #expect(
      HostView.status(status, now: 5_000).lines == [
        "id\tgw-0001", "state\tonline", "since\t1970-01-01T00:00:00.000Z (5s)", "devices.offline\t1",
        "devices.online\t4",
        "buffer.bytes\t2.0 KiB", "buffer.oldest\t-", "plugins\torg.busbar.modbus loaded, /p/a.so refused",
        "listeners\tocpp failed", "alarms\tnone", "leases\td power_limit=3000 by ems-1",
        "raised\td CommunicationFault",
      ])
  }

  @Test func alarmsOfTheHostSayWhatIsWrong() {
    let status: JSONValue = [
      "alarms": [["name": "ListenerFault", "listener": "ocpp", "text": "ocpp: no"], ["device": "evc", "name": "StorageFailed"]],
    ]
    #expect(HostView.status(status, now: 0).lines == ["alarms\tListenerFault (ocpp: no); evc StorageFailed"])
    let reload: JSONValue = ["added": [], "restart": [], "problems": ["the listener ocpp: no"]]
    #expect(HostView.reload(reload).lines == ["added\tnone", "restart\tnone", "problems\tthe listener ocpp: no"])
  }

  @Test func devicesAreRows() {
    let devices: JSONValue = .array([
      .object([
        "id": "met_grid", "name": "Grid", "type": "meter", "state": "online", "since": 0, "link": "bus1",
        "reason": .null,
        "values": .object(["power": .object(["value": -5, "unit": "W"])]),
      ]),
      .object(["id": "x", "state": "offline", "reason": "no answer"]),
    ])
    #expect(
      ListView.devices(devices, now: 60_000).lines == [
        "met_grid\tGrid\tmeter\tonline\t1m\tbus1\t-5 W\t", "x\t\t\toffline\t\t\t\tno answer",
      ])
    #expect(ListView.devices(.null, now: 0).aligned(width: 80, colour: false) == ["no devices are configured"])
  }

  @Test func pluginsAndLinksAreRows() {
    let plugin: JSONValue = .object([
      "id": "a", "version": "1", "state": "refused", "isolation": "host", "adapters": .array(["modbus"]),
      "file": "/p/a.so",
      "reason": "world-writable",
    ])
    #expect(ListView.plugins(.array([plugin])).lines == ["a\t1\trefused\thost\tmodbus\t/p/a.so\tworld-writable"])
    let link: JSONValue = .object([
      "id": "bus1", "adapter": "modbus", "endpoint": "tcp://h:502", "state": "online", "calls": 7, "overruns": 0,
      "devices": .array(["a", "b"]),
    ])
    #expect(ListView.links(.array([link])).lines == ["bus1\tmodbus\ttcp://h:502\tonline\t7\t0\ta, b\t"])
  }

  @Test func readingFailsWhereAnAskedPointHasNoValue() {
    let reading: JSONValue = .object([
      "values": .object(["power": 1.5, "soc": 40]), "bad": .object(["voltage_l1": "timeout"]),
      "uncertain": .array(["soc"]),
    ])
    let all = ReadingView(reading, device: "d", points: [], units: ["power": "W"])
    #expect(all.table.lines == ["power\t1.5\tW\tgood", "soc\t40\t\tuncertain", "voltage_l1\t-\t\ttimeout"])
    #expect(all.failure == nil)
    let named = ReadingView(reading, device: "d", points: ["voltage_l1", "other"], units: [:])
    #expect(named.failure == "no value of d: voltage_l1 (timeout), other (not read)")
    let none = ReadingView(.object(["bad": .object(["power": "comm"])]), device: "d", points: [], units: [:])
    #expect(none.failure == "no value of d: power (comm)")
  }
}
