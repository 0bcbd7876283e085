// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

import BusbarPlugins
import BusbarSystem

/// What host and child tell each other comes out as it went in, and nothing else comes in.
@Suite struct MessageTests {
  static let host: [HostMessage] = [
    .load(
      HostMessage.Load(
        sandbox: SandboxRules(user: 61_184, group: 61_184, memory: 1 << 28, landlock: 2, allowWeak: true), id: "org.example.line",
        version: "1.0.0", adapters: ["line-meter", "ä"], path: "/usr/lib/busbar/plugins/line.so")),
    .call(.init(link: 1, id: 1 << 32 | 7, deadline: .max, verb: .open(adapter: "modbus", config: "{}"))),
    .call(.init(link: 2, id: 2, deadline: -1, verb: .add(DeviceSetup(number: 3, name: "sol_x", config: "{}", templateBody: "{\"a\":1}")))),
    .call(.init(link: 2, id: 3, deadline: 0, verb: .remove(3))),
    .call(.init(link: 2, id: 4, deadline: 9, verb: .poll(device: 3, due: [1, 2, .max]))),
    .call(.init(link: 2, id: 5, deadline: 9, verb: .command(command(.set(point: 9, value: .text("grün")))))),
    .call(.init(link: 2, id: 6, deadline: 9, verb: .command(command(.set(point: 9, value: .number(-0.0)))))),
    .call(.init(link: 2, id: 7, deadline: 9, verb: .command(command(.set(point: 9, value: .boolean(false)))))),
    .call(.init(link: 2, id: 8, deadline: 9, verb: .command(command(.action(name: "charge.start", arguments: "{}"))))),
    .call(.init(link: 2, id: 9, deadline: 9, verb: .scan(ScanRequest(documents: "[]", step: 17, everywhere: true)))),
    .call(.init(link: 2, id: 10, deadline: 9, verb: .close)),
    .cancel(link: 4), .retire(link: .max), .answer(request: 1, .done),
    .answer(request: 2, .stream(StreamFacts(kind: 2, baud: 19_200, bitsPerByte: 11))), .answer(request: 3, .value([0, 255])),
    .answer(request: 4, .nothing), .answer(request: 5, .failed(cause: 3, text: "nobody listens")),
  ]

  static let child: [ChildMessage] = [
    .loaded, .refused("it refuses this host"), .result(call: 1 << 32, .done),
    .result(call: 2, CallResult(failure: .transient, reason: .timeout, text: "no answer")),
    .result(call: 3, CallResult(failure: .bug, reason: .other(1024), text: "")), .outcome(call: 4, .done(nil)),
    .outcome(call: 5, .done(.integer(.min))), .outcome(call: 6, .accepted), .outcome(call: 7, .refused("no")),
    .outcome(call: 8, .unknown("?")), .outcome(call: 9, .failed(CallResult(failure: .auth, reason: .refused, text: "key"))),
    .candidate(
      call: 10,
      AdapterCandidate(
        template: "sma", config: .object(["unit": .integer(3)]), identity: DeviceIdentity(vendor: "SMA", serial: "1"), confidence: 0.9)),
    .scanned(call: 11, .done, steps: 4),
    .declared(
      link: 1, device: 1,
      [
        .init(
          number: 1,
          point: PointRecord(
            name: "power", title: "Power", detail: "{\"safe\": 0}", type: 1, kind: 1, unit: 2, flags: 1, period: 1000, minimum: -5,
            maximum: .infinity, resolution: 0.1))
      ]),
    .identified(link: 1, device: 1, DeviceIdentity(vendor: "SMA", model: "STP", serial: "1", firmware: "2")),
    .samples(link: 1, .init(rows: [UInt8](repeating: 7, count: 64), arena: [1, 2, 3])),
    .problem(link: 1, device: 0, name: "DoorOpen", active: true, text: "shut it"), .log(link: 0, level: 4, text: "hm"),
    .frame(link: 1, device: 2, time: 5, .sent([1])), .frame(link: 1, device: 2, time: 6, .received([])),
    .frame(link: 1, device: 2, time: 7, .event(.failed("broken"))), .frame(link: 1, device: 2, time: 8, .event(.cut(9))),
    .released(link: 1), .request(1, link: 1, .stream(endpoint: "device", deadline: 9)), .request(2, link: 1, .storeGet(key: "k")),
    .request(3, link: 1, .storeSet(key: "k", value: [4])),
    .request(4, link: 1, .durable(.init(rows: [], arena: []))), .crashing(peak: 96 << 20),
  ]

  private static func command(_ verb: AdapterCommand.Verb) -> AdapterCommand {
    AdapterCommand(device: 1, verb: verb, id: "6d0c", dryRun: true, refresh: false, safe: true, validUntil: 99)
  }

  private static func bytes(_ message: some MessageField) -> [UInt8] {
    var writer = MessageWriter()
    writer.put(message)
    return writer.bytes
  }

  /// Of a packet whose messages lie in it.
  private static func parts(_ packet: [UInt8]) throws -> [HostMessage] {
    guard case .messages(var parts) = try Packet.parse(packet[...]) else { return [] }
    var found: [HostMessage] = []
    while let part = try parts.next() { found.append(try read(Array(part))) }
    return found
  }

  private static func read<Message: MessageField>(_ bytes: [UInt8], as type: Message.Type = Message.self) throws -> Message {
    var reader = MessageReader(bytes[...])
    return try Message(from: &reader)
  }

  @Test(arguments: host) func ofTheHost(message: HostMessage) throws {
    let bytes = Self.bytes(message)
    #expect(try Self.read(bytes) == message)
    Self.refusesParts(bytes, of: HostMessage.self)
  }

  @Test(arguments: child) func ofTheChild(message: ChildMessage) throws {
    let bytes = Self.bytes(message)
    #expect(try Self.read(bytes) == message)
    Self.refusesParts(bytes, of: ChildMessage.self)
  }

  /// No beginning of a message is one, nor is one with something behind it.
  private static func refusesParts<Message: MessageField>(_ bytes: [UInt8], of type: Message.Type) {
    for count in 0..<bytes.count {
      #expect(throws: MessageError.self) { try read(Array(bytes[..<count]), as: type) }
    }
    #expect(throws: MessageError.self) { try read(bytes + [0], as: type) }
  }

  /// A turned bit is another message or none, never a trap; what is taken is written the same again.
  @Test func turnedBits() throws {
    for bytes in Self.child.map(Self.bytes) {
      for place in bytes.indices {
        for bit in 0..<8 {
          var turned = bytes
          turned[place] ^= 1 << bit
          guard let message = try? Self.read(turned, as: ChildMessage.self) else { continue }
          let again = Self.bytes(message)
          #expect(try Self.bytes(Self.read(again, as: ChildMessage.self)) == again)
        }
      }
    }
  }

  @Test func lengthsAreNotBelieved() {
    // A list of four milliards, a text of as many bytes, half a sample.
    for bytes: [UInt8] in [
      [7, 1, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255], [2, 255, 255, 255, 255, 65], [9, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0],
      [2, 2, 0, 0, 0, 0xFF, 0xFE], [200], [],
    ] {
      #expect(throws: MessageError.self) { try Self.read(bytes, as: ChildMessage.self) }
    }
  }

  @Test func whatIsNoNumberIsNoValue() throws {
    var bytes = Self.bytes(ChildMessage.outcome(call: 1, .done(.number(1))))
    bytes.replaceSubrange((bytes.count - 8)..., with: [0, 0, 0, 0, 0, 0, 0xF0, 0x7F])
    #expect(throws: MessageError.self) { try Self.read(bytes, as: ChildMessage.self) }
  }

  @Test func packets() throws {
    let messages: [HostMessage] = [.cancel(link: 1), .retire(link: 2)]
    var writer = PacketWriter()
    #expect(writer.isEmpty)
    let taken = messages.map { writer.put($0) }
    #expect(taken == [true, true])
    let packet = writer.bytes
    #expect(try Self.parts(packet) == messages)
    guard case .file(70_000) = try Packet.parse(Packet.file(70_000)[...]) else {
      Issue.record("it is the packet of a file")
      return
    }
    for bytes: [UInt8] in [[], [1], packet + [1], Packet.file(70_000) + [0], Packet.file(1 << 30), [9, 9, 9, 9]] {
      #expect(throws: MessageError.self) { try Self.parts(bytes) }
    }
  }

  @Test func aPacketThatWouldBeTooLongLeavesTheMessageToTheNext() {
    let long = HostMessage.answer(request: 1, .value([UInt8](repeating: 7, count: Packet.limit - 64)))
    var writer = PacketWriter()
    var taken = [writer.put(HostMessage.cancel(link: 1)), writer.put(long)]
    #expect(taken == [true, true])
    let packet = writer.bytes
    #expect(packet.count <= Packet.limit)
    taken = [writer.put(long)]
    #expect(taken == [false])
    #expect(writer.bytes == packet)
    writer.clear()
    #expect(writer.isEmpty)
    // One that no packet takes is alone in it, for whoever has another way.
    let longest = HostMessage.answer(request: 1, .value([UInt8](repeating: 7, count: Packet.limit)))
    taken = [writer.put(longest)]
    #expect(taken == [true])
    #expect(Array(writer.onlyMessage) == Self.bytes(longest))
    taken = [writer.put(HostMessage.cancel(link: 1))]
    #expect(taken == [false])
  }

  @Test func aTextIsCutBetweenCharacters() {
    #expect(cut("grün", 3) == "gr")
    #expect(cut("grün", 4) == "grü")
    #expect(cut("grün", 5) == "grün")
    #expect(cut("ü", 1) == "")
  }
}
