// SPDX-License-Identifier: Apache-2.0

import BusbarDiscovery
import BusbarModel
import Testing

func found(
  serial: String = "", at endpoint: String = "tcp://10.0.0.1:502", unit: Int64 = 1, kind: DeviceKind? = .solar,
  confidence: Double = 0.9, seen: Int64 = 1000
) -> FoundDevice {
  FoundDevice(
    adapter: "modbus", template: kind == nil ? nil : "some", kind: kind, endpoint: endpoint,
    config: ["unit": .integer(unit)], vendor: "SMA", serial: serial, confidence: confidence, firstSeen: seen,
    lastSeen: seen)
}

func known(
  _ id: String?, serial: String = "", at endpoint: String = "tcp://10.0.0.1:502", unit: Int64 = 1,
  kind: DeviceKind = .solar, answers: Bool = true, registered: Bool = false
) -> KnownDevice {
  KnownDevice(
    id: id.flatMap(DeviceID.init(rawValue:)), name: "name", adapter: "modbus", kind: kind, endpoint: endpoint,
    config: ["unit": .integer(unit), "timeout": "2s"], serial: serial, answers: answers, isRegistered: registered)
}

@Suite struct CandidateTests {
  @Test func theSameDeviceFoundTwiceIsOne() {
    var book = CandidateBook()
    let (first, _) = book.note(found(serial: "7", at: "tcp://10.0.0.1:502", seen: 1000))
    let (second, left) = book.note(found(serial: "7", at: "tcp://10.0.0.9:502", seen: 2000))
    #expect(first.id == second.id && left.isEmpty)
    #expect(book.devices.count == 1)
    #expect(book.devices[0].endpoint == "tcp://10.0.0.9:502")
    #expect((book.devices[0].firstSeen, book.devices[0].lastSeen) == (1000, 2000))
  }

  @Test func withoutASerialNumberTheAddressTellsThemApart() {
    var book = CandidateBook()
    _ = book.note(found(unit: 1))
    _ = book.note(found(unit: 2))
    _ = book.note(found(unit: 2, kind: .battery))
    #expect(book.devices.count == 3)
    #expect(Set(book.devices.map(\.id)).count == 3)
  }

  /// What is at an address now takes the place of what was found there before.
  @Test func anExchangedDeviceTakesThePlace() {
    var book = CandidateBook()
    let (old, _) = book.note(found(serial: "7", seen: 1000))
    let (new, left) = book.note(found(serial: "8", seen: 2000))
    #expect(left == [old.id])
    #expect(book.devices.map(\.id) == [new.id])
    // Something unknown is only what nobody recognises.
    let (_, gone) = book.note(found(kind: nil, confidence: 0.1, seen: 3000))
    #expect(gone == [new.id])
  }

  @Test func theBookIsBounded() {
    var book = CandidateBook()
    for number in 0..<1000 {
      _ = book.note(found(serial: "\(number + 1)", at: "tcp://10.0.0.1:\(number + 1)", seen: Int64(number)))
    }
    #expect(book.devices.count == CandidateBook.capacity)
    #expect(book.devices.map(\.lastSeen).min() == 1000 - Int64(CandidateBook.capacity))
  }

  @Test func whatIsStoredIsReadAgain() throws {
    var device = found(serial: "3001234567")
    device.others = ["other"]
    device.model = "\u{1F50C} \"quoted\""
    let text = JSONValue.object(device.members).text
    #expect(text.utf8.count < 4096)
    #expect(FoundDevice(stored: try JSONValue(parsing: Array(text.utf8))) == device)
    #expect(device.suggestedID?.rawValue == "sol_sma_3001234567")
    #expect(found().suggestedID == nil)
    #expect(FoundDevice(stored: ["adapter": "modbus"]) == nil)
  }
}

@Suite struct StandingTests {
  @Test func aNewOne() {
    #expect(Standing(of: found(serial: "7"), among: [known("sol_a", serial: "8", at: "tcp://10.0.0.2:502")]) == .new)
    // Of another kind at the same place: the battery behind an inverter.
    #expect(Standing(of: found(kind: .battery), among: [known("sol_a")]) == .new)
    #expect(Standing(of: found(unit: 2), among: [known("sol_a")]) == .new)
  }

  @Test func oneInService() {
    let device = known("sol_a", serial: "7")
    #expect(Standing(of: found(serial: "7"), among: [device]) == .known(device))
    // Neither tells a serial number: the place decides, whatever else is set there.
    let nameless = known("sol_b")
    #expect(Standing(of: found(), among: [nameless]) == .known(nameless))
    // It has not been met since the start, and its id names the serial number.
    let unmet = known("sol_sma_7", at: "tcp://10.0.0.1:502", answers: false)
    #expect(Standing(of: found(serial: "7"), among: [unmet]) == .known(unmet))
  }

  @Test func oneThatIsReachableTwice() {
    let device = known("sol_a", serial: "7", at: "tcp://10.0.0.5:502")
    let standing = Standing(of: found(serial: "7"), among: [device])
    #expect(standing == .known(device))
    #expect(standing.note(found(serial: "7"))?.contains("as well") == true)
  }

  @Test func anExchangedOneIsNew() {
    #expect(Standing(of: found(serial: "9"), among: [known("sol_a", serial: "7")]) == .new)
  }

  @Test func oneThatMoved() throws {
    let device = known("sol_sma_7", at: "tcp://10.0.0.5:502", answers: false)
    let standing = Standing(of: found(serial: "7"), among: [device])
    #expect(standing == .moved(device))
    let note = try #require(standing.note(found(serial: "7")))
    // It stands in the file: the person is told what to change.
    #expect(note.contains("tcp://10.0.0.1:502") && note.contains("tcp://10.0.0.5:502") && note.contains("reload"))
  }
}

@Suite struct OnboardingRequestTests {
  @Test func whatIsSaid() throws {
    let request = try OnboardingRequest(
      ["candidate": "c-1", "id": "met_a", "name": "A", "config": ["unit": 3], "poll": "5s", "write": true], id: "id")
    #expect(request.candidate == "c-1" && request.id?.rawValue == "met_a" && request.config == ["unit": 3])
    #expect(request.poll == "5s" && request.write == true)
    let message = try OnboardingRequest(
      ["id": "cmd-1", "action": "approve", "candidate": "c-1", "device": "met_a"], id: "device", beside: ["id", "action"])
    #expect(message.id?.rawValue == "met_a")
  }

  @Test(arguments: [
    ["candidate": 5], ["id": "a b"], ["name": ""], ["name": "a\nb"], ["config": []], ["poll": 5], ["write": "yes"],
    ["colour": "red"], [],
  ] as [JSONValue])
  func mistakes(json: JSONValue) {
    #expect(throws: OnboardingRefusal.self) { try OnboardingRequest(json, id: "id") }
  }
}
