// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

/// Odd ways of devices, as far as they are logic: scales in registers, products, parts of registers, windows, budgets of
/// writes, watchdogs.
@Suite struct QuirkTests {
  private static let power = Field(Address(.holding, 20), .int16, nan: [0x8000])

  private func value(_ terms: [Term], _ words: [[UInt16]?]) -> PointValue {
    Reading.number(terms).value(words.map { $0.map { $0[...] } }, plausible: nil)
  }

  // MARK: Scale registers

  @Test(arguments: [(0, 2312.0), (0xFFFF, 231.2), (0xFFFE, 23.12), (2, 231_200.0), (10, 2312e10), (0xFFF6, 2312e-10)])
  func scaleRegister(word: Int, expected: Double) {
    let term = Term(Field(Address(.holding, 10), .uint16), power: Self.power)
    guard case .number(let number) = value([term], [[2312], [UInt16(word)]]) else {
      Issue.record("no number")
      return
    }
    #expect(abs(number - expected) <= abs(expected) * 1e-12)
  }

  @Test func scaleRegisterThatCannotBe() {
    let term = Term(Field(Address(.holding, 10), .uint16), power: Self.power)
    #expect(value([term], [[1], [11]]) == .bad(.decode))
    #expect(value([term], [[1], [0xFFF5]]) == .bad(.decode))
    #expect(value([term], [[1], [0x8000]]) == .bad(.device))
    #expect(value([term], [[1], nil]) == .bad(.device))
    #expect(value([Term(term.field, power: Self.power, absent: 0)], [[1], nil]) == .number(0))
  }

  @Test func sumOfTermsWithAndWithoutScaleRegister() {
    let plain = Term(Field(Address(.holding, 1), .uint16, scale: 10))
    let scaled = Term(Field(Address(.holding, 10), .uint16, scale: 2), power: Self.power)
    #expect(value([plain, scaled, plain], [[1], [3], [1], [4]]) == .number(10 + 60 + 40))
  }

  @Test func scaleRegisterIsReadAlong() {
    let point = Point("power", .number([Term(Field(Address(.holding, 10), .uint16), power: Field(Address(.holding, 12), .int16))]))
    var map = DeviceMap(points: [point])
    map.limits.maximumGap = 4
    var run = ReadRun(map, due: map.points, memory: .init(), now: 1)
    #expect(run.next() == Block(Address(.holding, 10), count: 3))
    run.answered([500, 9, 0xFFFF])
    #expect(run.values() == [.number(50)])
  }

  @Test func writesTakeTheScaleOfTheDevice() throws {
    let field = Field(Address(.holding, 10), .uint16)
    let rule = WriteRule([.init(.always, [.init(field, .commanded(negated: false), function: 6, power: Self.power)])])
    #expect(rule.powers == [Self.power])
    #expect(rule.scaled([:]) == nil)
    let scaled = try #require(rule.scaled([Self.power.address: -1]))
    #expect(try scaled.steps(for: 231.2).map(\.request) == [.writeRegister(10, 2312)])
    #expect(scaled.value { _ in [2312] } == 231.2)
  }

  // MARK: Products and parts

  @Test func product() {
    let term = Term(
      Field(Address(.holding, 4), .int16, scale: 0.1), times: Field(Address(.holding, 16), .uint16, scale: 0.01))
    #expect(value([term], [[0xFFCE], [41_200]]) == .number(-5 * 412))
    #expect(value([term], [[50], nil]) == .bad(.device))
  }

  @Test func partOfARegister() {
    var field = Field(Address(.holding, 18), .uint16, nan: [1000], scale: 0.06)
    field.bits = 0...11
    #expect(field.decode([0xF064]) == .number(6))
    #expect(field.decode([0x13E8]) == .none)
    var high = Field(Address(.holding, 18), .uint32)
    high.bits = 8...15
    #expect(high.decode([0x0000, 0xAB12]) == .number(0xAB))
    #expect(high.code([0x0000, 0xAB12]) == 0xAB)
    #expect(field.merged(6, into: [0xF000]) == [0xF064])
    #expect(field.merged(300, into: [0xF000]) == nil)
  }

  // MARK: Windows

  @Test func windowIsOneBlockWhateverTheLimits() {
    let window = Window(
      "cells", number: 0, request: .writeRegisters(0x550, [1, 0x8100]), ready: Address(.holding, 0x551), readyValue: 0x8801,
      within: 5_000, every: 200, block: Block(Address(.holding, 0x558), count: 65), times: 4)
    let points = [0, 130, 259].map { Point("p\($0)", .number([Term(Field(Address(.holding, 0x1_0000 + $0), .uint16))])) }
    var map = DeviceMap(points: points)
    map.windows = [window]
    var run = ReadRun(map, due: points, memory: .init(), now: 1)
    let block = run.next()
    #expect(block.flatMap { map.window(of: $0) } == window)
    run.answered((0..<260).map { UInt16($0) })
    #expect(run.next() == nil)
    #expect(run.values() == [.number(0), .number(130), .number(259)])
  }

  // MARK: Wear

  private static let budget = WearBudget(writes: 4, within: 3_600_000)

  @Test func budgetIsSpentAndFillsUp() {
    var account = WearAccount(Self.budget, now: 0)
    for _ in 0..<4 {
      #expect(account.wait(Self.budget, now: 0) == 0)
      account.spend(Self.budget)
    }
    #expect(account.wait(Self.budget, now: 0) == 900_000)
    #expect(account.wait(Self.budget, now: 450_000) == 450_000)
    #expect(account.wait(Self.budget, now: 900_000) == 0)
    account.spend(Self.budget)
    #expect(account.wait(Self.budget, now: 900_000) == 900_000)
  }

  @Test func budgetSurvivesAndBearsClocks() throws {
    var account = WearAccount(Self.budget, now: 1_000)
    account.spend(Self.budget)
    var kept = try #require(WearAccount(account.bytes))
    #expect(kept == account)
    // A clock that is set back gives nothing, one that jumps ahead no more than a full budget.
    _ = kept.wait(Self.budget, now: -1_000_000)
    #expect(kept.left == 3)
    _ = kept.wait(Self.budget, now: 1 << 50)
    #expect(kept.left == 4)
    for text in ["", "1", "x y", "nan 5", "1 2 3", "inf 1"] { #expect(WearAccount(Array(text.utf8)) == nil) }
  }

  @Test func safeValuesGoIntoDebtThatIsBounded() {
    var account = WearAccount(Self.budget, now: 0)
    for _ in 0..<100 { account.spend(Self.budget) }
    #expect(account.left == -4)
  }

  // MARK: Watchdogs

  private func box(_ watchdog: (inout Watchdog) -> Void = { _ in }) -> DeviceMap {
    let field = Field(Address(.holding, 261), .uint16, scale: 0.1)
    var point = Point(
      "current_limit", .number([Term(field)]),
      write: WriteRule([.init(.always, [.init(field, .commanded(negated: false), function: 6)])]))
    var dog = Watchdog(time: 15_000, safe: 6)
    dog.set = .init(Field(Address(.holding, 257), .uint16, scale: 0.001), .commanded(negated: false), function: 6)
    dog.fallback = .init(Field(Address(.holding, 262), .uint16, scale: 0.1), .commanded(negated: false), function: 6)
    watchdog(&dog)
    point.watchdog = dog
    point.simulation.base = 16
    point.simulation.swing = 0
    return DeviceMap(points: [point])
  }

  @Test func watchdogIsProgrammedWithTimeAndSafeValue() throws {
    let watchdog = try #require(box().points[0].watchdog)
    #expect(try watchdog.programmed().map(\.request) == [.writeRegister(257, 15_000), .writeRegister(262, 60)])
  }

  @Test func watchdogWhoseTimeDoesNotFit() throws {
    let watchdog = try #require(box { $0.time = 100_000 }.points[0].watchdog)
    #expect(throws: WriteRule.Failure.range(Address(.holding, 257))) { try watchdog.programmed() }
  }

  @Test func simulatedDeviceFallsBackWhenNobodyRenews() {
    var unit = SimulatedUnit(unit: 1, maps: [box()])
    func limit(at seconds: Double) -> UInt16? {
      unit.pass(to: seconds)
      return unit.image(at: seconds)[Address(.holding, 261)]
    }
    #expect(limit(at: 0) == 160)
    unit.wrote(Address(.holding, 262), [80], seconds: 0)
    unit.wrote(Address(.holding, 261), [100], seconds: 0)
    #expect(limit(at: 14) == 100)
    unit.wrote(Address(.holding, 261), [100], seconds: 14)
    #expect(limit(at: 28) == 100)
    #expect(limit(at: 30) == 80)
  }

  @Test func simulatedWatchdogThatIsSwitchedOff() {
    var unit = SimulatedUnit(unit: 1, maps: [box()])
    unit.wrote(Address(.holding, 257), [0], seconds: 0)
    unit.wrote(Address(.holding, 261), [100], seconds: 0)
    unit.pass(to: 10_000)
    #expect(unit.image(at: 10_000)[Address(.holding, 261)] == 100)
  }
}
