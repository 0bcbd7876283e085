// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct SimulatedUnitTests {
  private static func number(_ name: String, _ fields: [Field], base: Double? = nil, swing: Double? = nil) -> Point {
    var point = Point(name, .number(fields.map { Term($0) }))
    (point.simulation.base, point.simulation.swing) = (base, swing)
    return point
  }

  private func value(_ unit: SimulatedUnit, _ point: Point, at seconds: Double = 0) throws -> PointValue {
    let image = unit.image(at: seconds)
    let reading = try #require(point.reading)
    return reading.value(reading.fields.map { field in field.addresses.map { image[$0] ?? 0 }[...] }, plausible: nil)
  }

  private static let power = number("power", [Field(Address(.input, 52), .float32)], base: 500, swing: 100)
  private static let energy = number("energy_total", [Field(Address(.input, 60), .uint32)], base: 1_000, swing: 3_600)

  @Test func valuesMoveAndCountersGrow() throws {
    let unit = SimulatedUnit(unit: 1, maps: [DeviceMap(points: [Self.power, Self.energy])])
    var seen: [Double] = []
    for second in 0..<240 {
      guard case .number(let power) = try value(unit, Self.power, at: Double(second)) else {
        Issue.record("no number")
        return
      }
      #expect((400...600).contains(power))
      seen.append(power)
      #expect(try value(unit, Self.energy, at: Double(second)) == .number(1_000 + Double(second)))
    }
    #expect(Set(seen).count > 100)
    #expect(try #require(seen.max()) - #require(seen.min()) > 150)
  }

  @Test func whatASearchLooksForIsThere() throws {
    let model = Field(Address(.holding, 30_000), .string, count: 8)
    let status = Field(Address(.holding, 37_100), .uint16)
    let product = Field(Address(.holding, 1_018), .uint32)
    let checks = [
      ProbeCheck(model, .text(["SUN2000"])), ProbeCheck(status, .code([2, 7])), ProbeCheck(product, .range(10_000...99_999)),
      ProbeCheck(Field(Address(.holding, 9), .uint16), .missing), ProbeCheck(Self.power.reading!.fields[0], .range(0...10)),
    ]
    var map = DeviceMap(points: [Self.power])
    map.identity[.model] = .field(model, labels: [:])
    let unit = SimulatedUnit(unit: 1, maps: [map], checks: checks)
    let image = unit.image(at: 0)
    for check in checks.prefix(3) {
      #expect(check.holds(check.field.addresses.map { image[$0] ?? 0 }[...]))
      #expect(unit.refusal(of: .read(check.field.address, count: check.field.count)) == nil)
    }
    #expect(unit.refusal(of: .read(Address(.holding, 9), count: 1)) == ExceptionCode.illegalAddress)
    // A point has its own value.
    let power = try value(unit, Self.power)
    if case .number(let number) = power { #expect((400...600).contains(number)) } else { Issue.record("no number: \(power)") }
  }

  @Test func aPointCanBeFixed() throws {
    var unit = SimulatedUnit(unit: 1, maps: [DeviceMap(points: [Self.power])])
    try unit.set("power", to: "4210.5")
    #expect(try value(unit, Self.power, at: 50) == .number(4_210.5))
    #expect(throws: SimulatedUnit.Failure.unknownPoint) { try unit.set("soc", to: "1") }
    #expect(throws: SimulatedUnit.Failure.value(expected: "a number")) { try unit.set("power", to: "much") }
  }

  @Test func labelsAndTheirNumbersShareARegister() throws {
    let field = Field(Address(.holding, 1), .uint16)
    var state = Point("state", .label(field, codes: [303: 0, 307: 1, 308: 1], other: nil))
    state.labels = ["off", "running"]
    let code = Self.number("state_code", [field])
    var unit = SimulatedUnit(unit: 1, maps: [DeviceMap(points: [code, state])])
    #expect(try value(unit, state) == .label(1))
    #expect(try value(unit, code) == .number(307))
    try unit.set("state", to: "off")
    #expect(try value(unit, code) == .number(303))
    #expect(throws: SimulatedUnit.Failure.value(expected: "one of off, running")) { try unit.set("state", to: "gone") }
  }

  @Test func aSumTakesWhatOthersLeave() throws {
    let ac = Self.number("ac_power", [Field(Address(.holding, 10), .int32)], base: 3_000, swing: 0)
    let sum = Self.number(
      "power", [Field(Address(.holding, 10), .int32), Field(Address(.holding, 20), .int32)], base: 5_000, swing: 0)
    let battery = Self.number("power", [Field(Address(.holding, 20), .int32, scale: -1)], base: -800, swing: 0)
    #expect(try value(SimulatedUnit(unit: 1, maps: [DeviceMap(points: [sum, ac])]), sum) == .number(5_000))
    let hybrid = SimulatedUnit(unit: 1, maps: [DeviceMap(points: [sum, ac]), DeviceMap(points: [battery])])
    #expect(try value(hybrid, sum) == .number(3_800))
    #expect(try value(hybrid, battery) == .number(-800))
  }

  @Test func aTotalInTwoParts() throws {
    let parts = [Field(Address(.input, 1), .int16, scale: 1_000), Field(Address(.input, 2), .int16, scale: 1_000_000)]
    let total = Self.number("energy_total", parts, base: 41_250_000, swing: 0)
    let unit = SimulatedUnit(unit: 1, maps: [DeviceMap(points: [total])])
    #expect(unit.image(at: 0)[Address(.input, 1)] == 250)
    #expect(unit.image(at: 0)[Address(.input, 2)] == 41)
  }

  @Test func aWriteShowsInThePointsOwnRegister() throws {
    var limit = Self.number(
      "current_limit", [Field(Address(.holding, 1_100), .uint32, scale: 0.001)], base: 16, swing: 0)
    let written = Field(Address(.holding, 5_004), .uint16, scale: 0.001)
    limit.write = WriteRule([WriteRule.Case(.always, [.init(written, .commanded(negated: false), function: 6)])])
    var unit = SimulatedUnit(unit: 255, maps: [DeviceMap(points: [limit])])
    #expect(try value(unit, limit) == .number(16))
    #expect(unit.image(at: 0)[Address(.holding, 5_004)] == 16_000)
    unit.wrote(Address(.holding, 5_004), [10_000], seconds: 0)
    #expect(try value(unit, limit, at: 99) == .number(10))
    #expect(unit.image(at: 99)[Address(.holding, 5_004)] == 10_000)
  }

  @Test func whatIsNotThereIsRefused() {
    var map = DeviceMap(points: [Self.power])
    map.limits.maximumRegisters = 10
    map.limits.writeFunction = 6
    let unit = SimulatedUnit(unit: 1, maps: [map])
    #expect(unit.refusal(of: .read(Address(.input, 52), count: 2)) == nil)
    #expect(unit.refusal(of: .read(Address(.input, 52), count: 3)) == 2)
    #expect(unit.refusal(of: .read(Address(.holding, 52), count: 2)) == 2)
    #expect(unit.refusal(of: .read(Address(.input, 52), count: 11)) == 3)
    #expect(unit.refusal(of: .writeRegister(52, 1)) == 2)
    #expect(unit.refusal(of: .writeRegisters(52, [1])) == 1)
  }
}
