// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarUplink
import Foundation
import Testing

struct PayloadsTests {
  private let payloads = Payloads(gateway: "gw-0001", path: .gateway)
  private let power = PointDescriptor(name: "power", unit: "W", resolution: 0.1)
  private let voltage = PointDescriptor(name: "voltage_l1", unit: "V", resolution: 0.1)
  private let temperature = PointDescriptor(name: "temperature", unit: "°C")
  private let state = PointDescriptor(name: "state", type: .enumeration)
  private let soc = PointDescriptor(name: "soc", unit: "%", resolution: 0.5)
  private let time: Int64 = 1_795_378_158_674_999_999

  private func text(_ payload: [UInt8]) -> String { String(decoding: payload, as: UTF8.self) }

  private func object(_ payload: [UInt8]) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any])
  }

  @Test func `telemetry is the example of the interfaces`() {
    let reading = Reading(
      device: .test, time: time,
      items: [
        .init(power, .number(4210.4999)), .init(voltage, .number(231.23)), .init(state, .text("running")),
        .init(temperature, bad: .comm),
      ])
    #expect(
      text(payloads.telemetry(reading, seq: 1042)) == """
        {"ts":1795378158674,"seq":1042,"gateway":"gw-0001","path":"gateway","values":\
        {"power":4210.5,"voltage_l1":231.2,"state":"running"},"bad":{"temperature":"comm"}}
        """)
  }

  @Test func `telemetry with a device's time, uncertain values and nothing good`() {
    let direct = Payloads(gateway: "srv", path: .direct)
    let uncertain = Reading(
      device: .test, time: time, deviceTime: 1_795_378_158_000_000_000,
      items: [.init(soc, .number(63.4), uncertain: true), .init(power, .integer(5))])
    #expect(
      text(direct.telemetry(uncertain, seq: 1)) == """
        {"ts":1795378158674,"device_ts":1795378158000,"seq":1,"gateway":"srv","path":"direct","values":\
        {"soc":63.5,"power":5},"uncertain":["soc"]}
        """)
    let nothing = Reading(device: .test, time: time, items: [.init(power, bad: .timeout)])
    #expect(text(direct.telemetry(nothing, seq: 2)).hasSuffix(#""values":{},"bad":{"power":"timeout"}}"#))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `a number that is not finite is bad, and the payload stays JSON`(_ number: Double) throws {
    let reading = Reading(device: .test, time: time, items: [.init(power, .number(number)), .init(voltage, .number(1))])
    let json = try object(payloads.telemetry(reading, seq: 1))
    #expect((json["values"] as? [String: Any])?.keys.sorted() == ["voltage_l1"])
    #expect(json["bad"] as? [String: String] == ["power": "decode"])
  }

  @Test func `text with quotes, controls and emoji stays JSON`() throws {
    let nasty = "\"\\\u{0}\u{1f}\n\u{1F50B}"
    let reading = Reading(device: .test, time: time, items: [.init(state, .text(nasty))])
    let json = try object(payloads.telemetry(reading, seq: 1))
    #expect((json["values"] as? [String: String])?["state"] == nasty)
  }

  @Test func `alarms and gaps`() {
    let alarm = Alarm(device: .test, name: "CommunicationFault", active: true, text: "no answer", time: time)
    #expect(
      text(payloads.alarm(alarm, seq: 7))
        == #"{"ts":1795378158674,"seq":7,"name":"CommunicationFault","active":true,"text":"no answer"}"#)
    let gap = Gap(device: .test, stream: .telemetry, from: 1043, to: 1051, reason: .crash)
    #expect(text(payloads.gap(gap, time: 5)) == #"{"ts":5,"gap":{"from":1043,"to":1051,"reason":"crash"}}"#)
  }

  @Test func `the same encoder used from many threads keeps payloads apart`() async {
    await withTaskGroup(of: Bool.self) { group in
      for seq in 0..<200 {
        group.addTask {
          let reading = Reading(device: .test, time: time, items: [.init(power, .integer(Int64(seq)))])
          return text(payloads.telemetry(reading, seq: Int64(seq))).contains("\"seq\":\(seq),\"gateway\"")
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func `device status`() throws {
    let quality = LinkQuality(success: 0.99812, p50_ms: 12, p95_ms: 31.04, errors: ["timeout": 3], reconnects: 1)
    let status = DeviceStatus(
      device: .test, state: .needsAttention, reason: "why", since: 17, quality: quality, alarms: ["Fault"])
    let info = DeviceInfo(
      id: .test, kind: .solar, name: "Roof", adapter: "modbus", template: "sma", vendor: "SMA", model: "STP 10.0",
      serial: "3001234567", link: "l")
    #expect(
      text(payloads.deviceStatus(status, info: info, time: 20)) == """
        {"ts":20,"state":"needs-attention","reason":"why","since":17,"adapter":"modbus","template":"sma",\
        "path":"gateway","gateway":"gw-0001","vendor":"SMA","model":"STP 10.0","serial":"3001234567",\
        "quality":{"success":0.998,"p50_ms":12,"p95_ms":31,"errors":{"timeout":3},"reconnects":1},"alarms":["Fault"]}
        """)
  }

  @Test func `device info`() throws {
    let info = DeviceInfo(
      id: .test, kind: .solar, name: "Roof", adapter: "modbus", template: "sma", link: "l",
      points: [
        PointDescriptor(name: "power", unit: "W", resolution: 1),
        PointDescriptor(name: "power_limit", unit: "W", writable: true, minimum: 0, maximum: 10_000, allowed: [0], resolution: 1),
        PointDescriptor(name: "power_limit_percent", unit: "%", writable: true, readable: false, minimum: 0, maximum: 100),
      ], actions: ["reset"])
    let json = try object(payloads.deviceInfo(info, time: 20))
    #expect(json["id"] as? String == "sol_test_1")
    #expect(json["type"] as? String == "solar")
    #expect(json["vendor"] == nil)
    #expect(json["actions"] as? [String] == ["reset"])
    let points = try #require(json["points"] as? [[String: Any]])
    #expect(points[0]["minimum"] == nil)
    #expect(points[0]["writable"] as? Bool == false)
    #expect(points[1]["readable"] == nil)
    #expect(points[2]["readable"] as? Bool == false)
    #expect(points[1]["maximum"] as? Double == 10_000)
    #expect(points[1]["type"] as? String == "number")
    #expect(points[1]["kind"] as? String == "gauge")
    #expect(points[1]["unit"] as? String == "W")
    #expect(points[1]["resolution"] as? Double == 1)
  }

  @Test func `gateway status, online and as a will`() throws {
    let identity = GatewayIdentity(version: "0.1", role: "gateway", siteName: "Nordhof", siteLocation: "53,9", since: 9)
    let buffer = BufferStatus(messages: 3, bytes: 400, oldest: nil, dropped: 0, problem: nil)
    let status = GatewayStatus(devicesOnline: 12, devicesOffline: 1, buffer: buffer, plugins: [["id": "p"]])
    #expect(
      text(payloads.gatewayStatus(online: true, identity: identity, status: status, time: 10)) == """
        {"ts":10,"state":"online","since":9,"version":"0.1","role":"gateway",\
        "site":{"name":"Nordhof","location":"53,9"},"devices":{"online":12,"offline":1},\
        "buffer":{"messages":3,"bytes":400,"oldest":null},"plugins":[{"id":"p"}],"alarms":[]}
        """)
    let will = try object(payloads.gatewayStatus(online: false, identity: identity, time: 10))
    #expect(will["state"] as? String == "offline")
  }

  @Test func `the list of devices is cut at 128 KiB and says so`() throws {
    let few = try object(
      payloads.devices([ListedDevice(id: .test, kind: .solar, state: .online)], discovered: [], time: 1))
    #expect(few["truncated"] as? Bool == false)
    #expect((few["devices"] as? [[String: String]])?.first == ["id": "sol_test_1", "type": "solar", "state": "online"])
    let many = (0..<5000).map {
      ListedDevice(id: DeviceID(rawValue: "met_\($0)")!, kind: .meter, state: .needsAttention)
    }
    let found = DiscoveredDevice(
      candidate: "c", adapter: "modbus", endpoint: "tcp://1.2.3.4:502", vendor: nil, model: nil, serial: nil,
      confidence: 0.9, suggestedID: nil)
    let payload = payloads.devices(many, discovered: [found], time: 1)
    #expect(payload.count <= 128 * 1024)
    #expect(payload.count > 120 * 1024)
    #expect(try object(payload)["truncated"] as? Bool == true)
  }

  @Test func `state of charge and production`() throws {
    let reading = Reading(
      device: .test, time: time, items: [.init(soc, .number(63.4)), .init(power, .number(-1200.04))])
    #expect(payloads.batterySoc(reading).map(text) == #"{"ts":1795378158674,"value":63.5}"#)
    #expect(payloads.solarProduction(reading).map(text) == #"{"ts":1795378158674,"power":-1200}"#)
    #expect(payloads.state(of: reading, kind: .battery)?.topic == .batterySoc(.test))
    #expect(payloads.state(of: reading, kind: .meter) == nil)
    #expect(payloads.batterySoc(Reading(device: .test, time: time, items: [.init(soc, bad: .comm)])) == nil)
  }

  @Test func `responses`() {
    let response = CommandResponse(
      id: "a\"b", time: 3, status: .refused, value: .number(2.5), reason: .overruled, by: "ems", until: 9, text: "no")
    #expect(
      text(payloads.response(response)) == """
        {"id":"a\\"b","ts":3,"status":"refused","value":2.5,"reason":"overruled","by":"ems","until":9,"text":"no"}
        """)
  }

  @Test func `the password shows in no description`() {
    let settings = UplinkSettings(
      host: "::1", port: 8883, tls: .init(), username: "u", password: "geheim", gateway: "g")
    var dumped = ""
    dump(settings, to: &dumped)
    for text in ["\(settings)", String(reflecting: settings), dumped, "\([settings])", "\(Optional(settings) as Any)"] {
      #expect(!text.contains("geheim"))
    }
    #expect("\(settings)" == "mqtts://[::1]:8883")
  }
}
