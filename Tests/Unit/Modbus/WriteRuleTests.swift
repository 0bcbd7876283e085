// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct WriteRuleTests {
  private static func set(
    _ register: Int, _ value: WriteRule.Assignment.Value, _ type: ValueType = .uint16, scale: Double = 1,
    function: UInt8 = 16
  ) -> WriteRule.Assignment {
    WriteRule.Assignment(Field(Address(.holding, register), type, scale: scale), value, function: function)
  }

  /// Charge and discharge registers apart, as in some hybrid inverters.
  private static let battery = WriteRule([
    WriteRule.Case(
      .positive, [set(47_249, .commanded(negated: false), .uint32), set(47_100, .constant(2), function: 6)]),
    WriteRule.Case(
      .negative, [set(47_247, .commanded(negated: true), .uint32), set(47_100, .constant(1), function: 6)]),
    WriteRule.Case(.equals(0), [set(47_100, .constant(0), function: 6)]),
  ])

  private func requests(_ rule: WriteRule, _ value: Double) throws -> [Request] {
    try rule.steps(for: value).map(\.request)
  }

  @Test func oneRegister() throws {
    let rule = WriteRule([
      WriteRule.Case(.always, [Self.set(5_004, .commanded(negated: false), scale: 0.001, function: 6)])
    ])
    #expect(try requests(rule, 10.5) == [.writeRegister(5_004, 10_500)])
    #expect(throws: WriteRule.Failure.range(Address(.holding, 5_004))) { try rule.steps(for: 66) }
    #expect(throws: WriteRule.Failure.range(Address(.holding, 5_004))) { try rule.steps(for: -1) }
  }

  @Test func cases() throws {
    #expect(try requests(Self.battery, 70_000) == [.writeRegisters(47_249, [1, 4_464]), .writeRegister(47_100, 2)])
    #expect(try requests(Self.battery, -2_500) == [.writeRegisters(47_247, [0, 2_500]), .writeRegister(47_100, 1)])
    #expect(try requests(Self.battery, 0) == [.writeRegister(47_100, 0)])
  }

  @Test func aValueWithoutCase() {
    let rule = WriteRule([
      WriteRule.Case(.equals(1), [Self.set(1, .constant(0))]), WriteRule.Case(.equals(2), [Self.set(1, .constant(1))]),
    ])
    #expect(throws: WriteRule.Failure.noCase) { try rule.steps(for: 3) }
  }

  @Test func coils() throws {
    let coil = WriteRule.Assignment(Field(Address(.coil, 400), .uint16), .commanded(negated: false), function: 5)
    let rule = WriteRule([WriteRule.Case(.always, [coil])])
    #expect(try requests(rule, 1) == [.writeCoil(400, true)])
    #expect(try requests(rule, 0) == [.writeCoil(400, false)])
  }

  @Test(arguments: [3_000.0, -2_500, 0]) func whatRegistersStandFor(value: Double) throws {
    var registers: [Int: UInt16] = [:]
    for step in try Self.battery.steps(for: value) {
      for (offset, word) in step.words.enumerated() { registers[step.field.address.register + offset] = word }
    }
    let found = Self.battery.value { field in
      (0..<field.count).map { registers[field.address.register + $0] ?? 0 }
    }
    #expect(found == value)
  }

  @Test func registersThatStandForNothing() {
    #expect(Self.battery.value { field in [UInt16](repeating: 9, count: field.count) } == nil)
    #expect(Self.battery.value { _ in nil } == nil)
  }

  @Test func confirmations() {
    #expect(Confirmed(wanted: 10, old: 16, found: 10, tolerance: 0.1) == .inForce(10))
    #expect(Confirmed(wanted: 10, old: 16, found: 10.05, tolerance: 0.1) == .inForce(10.05))
    #expect(Confirmed(wanted: 40, old: 16, found: 32, tolerance: 0.1) == .inForce(32))
    #expect(Confirmed(wanted: 10, old: 16, found: 16, tolerance: 0.1) == .ignored(16))
    #expect(Confirmed(wanted: 10, old: nil, found: 16, tolerance: 0.1) == .inForce(16))
    #expect(Confirmed(wanted: 16, old: 16, found: 16, tolerance: 0.1) == .inForce(16))
  }

  @Test(arguments: [("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("7d", 604_800_000), ("0s", 0)])
  func durations(text: String, value: Int) {
    #expect(milliseconds(text) == value)
  }

  @Test(arguments: ["", "5", "s", "-5s", "5 s", "5S", "1.5s", "5sec", "99999999999999999999s", "9000000d", "٣s"])
  func noDurations(text: String) {
    #expect(milliseconds(text) == nil)
  }
}
