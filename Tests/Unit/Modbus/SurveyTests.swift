// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

/// A device as a survey meets it: registers by address, everything else refused.
private struct FakeUnit {
  var registers: [Int: UInt16] = [:]
  var identification: [UInt8: String]?

  func answer(_ request: Request) -> Reply {
    switch request {
    case .read(let address, let count):
      let words = (0..<count).compactMap { registers[address.register + $0] }
      return words.count == count ? .values(words) : .exception(ExceptionCode.illegalAddress)
    case .identification: return identification.map { .identification($0) } ?? .exception(ExceptionCode.illegalFunction)
    default: return .exception(ExceptionCode.illegalFunction)
    }
  }
}

/// Runs a survey to its end. `unit` nil = silence.
private func run(
  _ templates: [ProbedTemplate], units: [UInt8], isBus: Bool, unit: (UInt8) -> FakeUnit?
) -> (findings: [Survey.Finding], asked: [Survey.Question]) {
  var survey = Survey(templates, units: units, isBus: isBus)
  var asked: [Survey.Question] = []
  var found: [Survey.Finding] = []
  while let question = survey.next() {
    asked.append(question)
    #expect(!question.request.isWrite)
    #expect(asked.count < 10_000)
    if let unit = unit(question.unit) { survey.answered(unit.answer(question.request)) } else { survey.silent() }
    found += survey.take()
  }
  return (found + survey.take(), asked)
}

private func text(_ text: String) -> [UInt16] { Field(Address(.holding, 0), .string, count: 8).encode(text: text) }

private let inverter = ProbedTemplate(
  name: "inverter", kind: "solar",
  checks: [ProbeCheck(Field(Address(.holding, 100), .uint16), .code([8001]))],
  identity: [.serial: .field(Field(Address(.holding, 110), .uint32), labels: [:])], unit: 3, vendor: "Maker",
  models: ["INV10"])
private let meter = ProbedTemplate(
  name: "meter", kind: "meter",
  checks: [
    ProbeCheck(Field(Address(.input, 0), .uint16, scale: 0.1), .range(50...500)),
    ProbeCheck(Field(Address(.input, 1), .uint16, scale: 0.1), .range(50...500)),
    ProbeCheck(Field(Address(.input, 2), .uint16, scale: 0.1), .range(45...65)),
  ], unit: 1, vendor: "Other")
private let single = ProbedTemplate(
  name: "single", kind: "meter",
  checks: [
    ProbeCheck(Field(Address(.input, 0), .uint16, scale: 0.1), .range(50...500)),
    ProbeCheck(Field(Address(.input, 1), .uint16), .missing),
  ], unit: 1, vendor: "Other")
private let all = [inverter, meter, single]

private let anInverter = FakeUnit(registers: [100: 8001, 110: 7, 111: 9])
private let aMeter = FakeUnit(registers: [0: 2300, 1: 2310, 2: 500])

@Suite struct SurveyTests {
  @Test func aBusWithGaps() {
    let units = Survey.units(all, isBus: true, everywhere: false)
    #expect(units == Array(1...247))
    let (found, asked) = run(all, units: units, isBus: true) { unit in
      switch unit {
      case 3: anInverter
      case 8: aMeter
      case 9: FakeUnit(registers: [0: 2300])
      case 77: FakeUnit()
      default: nil
      }
    }
    #expect(found.map(\.unit) == [3, 8, 9, 77])
    #expect(found.map(\.template) == ["inverter", "meter", "single", nil])
    #expect(found[0].serial == "\(7 << 16 | 9)")
    #expect(found.map(\.confidence) == [0.95, 0.5, 0.3, 0.1])
    // Who is silent is asked once; only the units that devices have from the factory twice.
    #expect(asked.count { $0.unit == 50 } == 1)
    #expect(asked.count { $0.unit == 1 } == 2)
    #expect(asked.count < 247 + 30)
  }

  @Test func templatesThatLookAtOnePlaceShareARequest() {
    let (_, asked) = run([meter, single], units: [1], isBus: true) { _ in aMeter }
    #expect(asked.count { $0.request == .read(Address(.input, 0), count: 3) } == 1)
  }

  @Test func behindTheNetworkTheUsualUnitsAreAsked() {
    let units = Survey.units(all, isBus: false, everywhere: false)
    #expect(units == [1, 3])
    let everywhere = Survey.units(all, isBus: false, everywhere: true)
    #expect(everywhere.count == 248 && Set(everywhere).count == 248 && everywhere.prefix(2) == [1, 3])
  }

  /// Devices with one network interface often answer for each unit.
  @Test func aDeviceThatAnswersForEachUnitIsOne() {
    let units = Survey.units(all, isBus: false, everywhere: true)
    let (found, asked) = run(all, units: units, isBus: false) { _ in anInverter }
    #expect(found.map(\.template) == ["inverter"])
    #expect(asked.count < 20)
  }

  @Test func aDeviceThatNamesItselfForEachUnitIsOne() {
    let units = Survey.units(all, isBus: false, everywhere: true)
    let named = FakeUnit(identification: [0: "Maker", 1: "INV10", 2: "1"])
    let (found, asked) = run(all, units: units, isBus: false) { _ in named }
    #expect(found.map(\.template) == ["inverter"])
    #expect(asked.count < 20)
  }

  @Test func twoDevicesBehindAGatewayAreTwo() {
    let units = Survey.units(all, isBus: false, everywhere: true)
    let (found, _) = run(all, units: units, isBus: false) { unit in
      unit == 4 || unit == 5 ? FakeUnit(registers: [100: 8001, 110: 0, 111: UInt16(unit)]) : nil
    }
    #expect(found.map(\.serial) == ["4", "5"])
  }

  @Test func aGatewaysExceptionIsNobody() {
    var survey = Survey(all, units: [1, 2], isBus: false)
    #expect(survey.next()?.unit == 1)
    survey.answered(.exception(ExceptionCode.gatewayTargetSilent))
    #expect(survey.next()?.unit == 2)
    survey.answered(.exception(ExceptionCode.gatewayPathUnavailable))
    #expect(survey.next() == nil)
    #expect(survey.take() == [])
  }

  @Test func aDeviceThatNamesItself() throws {
    let named = FakeUnit(identification: [0: "Maker GmbH", 1: "INV10-X", 2: "1.2"])
    let (found, _) = run(all, units: [1], isBus: true) { _ in named }
    let finding = try #require(found.first)
    #expect(finding.template == "inverter")
    #expect(finding.confidence == 0.8)
    #expect(finding.firmware == "1.2")
    let stranger = FakeUnit(identification: [0: "Nobody", 1: "X1", 2: "1"])
    let (unknown, _) = run(all, units: [1], isBus: true) { _ in stranger }
    #expect(unknown.map(\.template) == [nil])
    #expect(unknown.map(\.vendor) == ["Nobody"] && unknown.map(\.model) == ["X1"] && unknown.map(\.confidence) == [0.2])
  }

  /// Two kinds of device at one unit are two, two templates of one kind are one with a second choice.
  @Test func kindsAndChoices() throws {
    var second = inverter
    second.name = "second"
    var battery = inverter
    battery.name = "battery"
    battery.kind = "battery"
    let (found, _) = run([inverter, second, battery, meter], units: [3], isBus: true) { _ in
      FakeUnit(registers: anInverter.registers.merging(aMeter.registers) { first, _ in first })
    }
    #expect(Set(found.compactMap(\.template)) == ["battery", "inverter"])
    #expect(found.first { $0.template == "inverter" }?.others == ["second"])
  }

  @Test func aSerialNumberOfZeroesIsNone() throws {
    let (found, _) = run(all, units: [3], isBus: true) { _ in FakeUnit(registers: [100: 8001, 110: 0, 111: 0]) }
    #expect(found.first?.serial == "" && found.first?.confidence == 0.8)
  }

  @Test func whoGoesSilentInTheMiddleIsLeftAlone() {
    var asked = 0
    let (found, questions) = run(all, units: [3], isBus: true) { _ in
      asked += 1
      return asked == 1 ? anInverter : nil
    }
    #expect(questions.count <= 4)
    #expect(found.count <= 1)
  }

  @Test func whatSpacingAUnitNeeds() {
    var slow = inverter
    slow.spacing = 500
    slow.connectDelay = 1000
    var survey = Survey([slow, meter], units: [3, 1], isBus: false)
    #expect(survey.next()?.spacing == 500)
    survey.silent()
    #expect(survey.next()?.connectDelay == 1000)
    survey.silent()
    #expect(survey.next()?.spacing == 0)
  }

  @Test(arguments: [
    ("text", [0x5355, 0x4E32], true), ("other", [0x4142, 0x4344], false), ("empty", [0, 0], false),
  ] as [(String, [UInt16], Bool)])
  func texts(name: String, words: [UInt16], holds: Bool) {
    let check = ProbeCheck(Field(Address(.holding, 0), .string, count: 2), .text(["SUN", "XYZ"]))
    #expect(check.holds(words[...]) == holds)
    #expect(!check.holds(nil))
    #expect(check.isSignature)
  }

  @Test func whatIsProof() {
    let field = Field(Address(.holding, 0), .uint32)
    #expect(ProbeCheck(field, .code([8001, 8007])).isSignature)
    #expect(!ProbeCheck(field, .code([8001, 2])).isSignature)
    #expect(!ProbeCheck(field, .range(0...5)).isSignature)
    #expect(!ProbeCheck(field, .text([""])).isSignature)
    #expect(ProbeCheck(field, .missing).holds(nil))
  }

  @Test func identificationIsRead() {
    let pdu: [UInt8] = [0x2B, 0x0E, 1, 1, 0, 0, 2, 0, 3] + Array("ABC".utf8) + [1, 1] + Array("X".utf8)
    #expect(Reply(pdu, to: .identification) == .identification([0: "ABC", 1: "X"]))
    #expect(Reply(pdu.dropLast(), to: .identification) == nil)
    #expect(Reply(pdu + [0], to: .identification) == nil)
    #expect(Reply([0x2B, 0x0E, 1, 1, 0, 0, 255], to: .identification) == nil)
    #expect(Reply([0xAB, 1], to: .identification) == .exception(1))
    #expect(Request.identification.pdu == [0x2B, 0x0E, 1, 0])
  }
}
