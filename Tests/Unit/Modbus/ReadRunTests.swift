// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct ReadRunTests {
  private static func point(_ name: String, _ register: Int, _ type: ValueType = .uint16) -> Point {
    Point(name, .number([Term(Field(Address(.holding, register), type))]))
  }

  private func map(_ points: [Point], gap: Int = 0, blocks: [Block] = []) -> DeviceMap {
    var map = DeviceMap(points: points)
    map.limits.maximumGap = gap
    map.explicitBlocks = blocks
    return map
  }

  /// A device that has only these registers, and counts what it is asked.
  private struct FakeDevice {
    var registers: [Int: UInt16]
    var requests: [Block] = []

    mutating func serve(_ run: inout ReadRun) {
      while let block = run.next(), requests.count < 1_000 {
        requests.append(block)
        let words = (block.address.register..<block.end).compactMap { registers[$0] }
        words.count == block.count ? run.answered(words) : run.refused(code: 2)
      }
    }
  }

  @Test func oneRequestForNeighbours() {
    let map = map([Self.point("a", 10), Self.point("b", 11, .int32)])
    var run = ReadRun(map, due: map.points, memory: ReadRun.Memory(), now: 0)
    #expect(run.next() == Block(Address(.holding, 10), count: 3))
    run.answered([7, 0xFFFF, 0xFFFE])
    #expect(run.next() == nil)
    #expect(run.values() == [.number(7), .number(-2)])
  }

  @Test(arguments: 0..<9) func aMissingRegisterIsFound(missing: Int) {
    let points = (0..<9).map { Self.point("p\($0)", $0) }
    let map = map(points)
    var device = FakeDevice(registers: [:])
    for register in 0..<9 where register != missing { device.registers[register] = UInt16(register) + 100 }
    var run = ReadRun(map, due: points, memory: ReadRun.Memory(), now: 1_000)
    device.serve(&run)
    var expected = (0..<9).map { PointValue.number(Double($0) + 100) }
    expected[missing] = .bad(.device, code: 2)
    #expect(run.values() == expected)

    // What was learnt is kept: now no request is refused, and the missing one is not asked for.
    device.requests = []
    var second = ReadRun(map, due: points, memory: run.memory, now: 2_000)
    device.serve(&second)
    #expect(second.values() == expected)
    #expect(device.requests.allSatisfy { $0.address.register > missing || $0.end <= missing })
    #expect(device.requests.count <= 4)

    // After its time it is asked for again, in case the device has learnt it.
    device.registers[missing] = 1
    var third = ReadRun(map, due: points, memory: second.memory, now: 1_000 + ReadRun.absenceTime)
    device.serve(&third)
    expected[missing] = .number(1)
    #expect(third.values() == expected)
  }

  @Test func aGapThatTheDeviceRefuses() {
    let points = [Self.point("a", 0), Self.point("b", 5), Self.point("c", 6)]
    var device = FakeDevice(registers: [0: 1, 5: 2, 6: 3])
    var run = ReadRun(map(points, gap: 8), due: points, memory: ReadRun.Memory(), now: 0)
    device.serve(&run)
    #expect(run.values() == [.number(1), .number(2), .number(3)])
  }

  @Test func anExplicitBlockThatTheDeviceRefuses() {
    let points = [Self.point("a", 10), Self.point("b", 15)]
    let map = map(points, blocks: [Block(Address(.holding, 10), count: 6)])
    var device = FakeDevice(registers: [10: 1, 15: 2])
    var run = ReadRun(map, due: points, memory: ReadRun.Memory(), now: 0)
    device.serve(&run)
    #expect(run.values() == [.number(1), .number(2)])
    device.requests = []
    var second = ReadRun(map, due: points, memory: run.memory, now: 0)
    device.serve(&second)
    #expect(device.requests == [Block(Address(.holding, 10), count: 1), Block(Address(.holding, 15), count: 1)])
  }

  @Test func aDeviceThatRefusesEverythingEnds() {
    let points = (0..<100).map { Self.point("p\($0)", $0) }
    var device = FakeDevice(registers: [:])
    var run = ReadRun(map(points), due: points, memory: ReadRun.Memory(), now: 0)
    device.serve(&run)
    #expect(run.values().allSatisfy { $0 == .bad(.device, code: 2) })
    #expect(device.requests.count < 200)
  }

  @Test func otherExceptionsAreNotSearchedFor() {
    let points = [Self.point("a", 0), Self.point("b", 1)]
    var run = ReadRun(map(points), due: points, memory: ReadRun.Memory(), now: 0)
    run.refused(code: 4)
    #expect(run.next() == nil)
    #expect(run.values() == [.bad(.device, code: 4), .bad(.device, code: 4)])
    #expect(run.memory.absent.isEmpty)
  }

  @Test func silenceAndWhatIsLeft() {
    let points = [Self.point("a", 0), Self.point("b", 10), Self.point("c", 20)]
    var run = ReadRun(map(points), due: points, memory: ReadRun.Memory(), now: 0)
    run.answered([1])
    #expect(run.values() == [.number(1), nil, nil])
    run.failed(.silent)
    run.abandon(.comm)
    #expect(run.values() == [.number(1), .bad(.silent), .bad(.comm)])
  }

  @Test func aReadingCutShortGoesOnWhereItStopped() {
    let points = [Self.point("a", 0), Self.point("b", 10), Self.point("c", 20)]
    var run = ReadRun(map(points), due: points, memory: ReadRun.Memory(), now: 5)
    run.answered([1])
    let second = ReadRun(map(points), due: points, memory: run.memory, now: 6)
    #expect(second.next()?.address.register == 10)
  }

  @Test func eachRequestHasItsTurnWhereEveryReadingIsCutShort() {
    let points = [Self.point("a", 0), Self.point("b", 10), Self.point("c", 20)]
    let map = map(points)
    var memory = ReadRun.Memory()
    var asked: [Int] = []
    for now in 1...6 {
      var run = ReadRun(map, due: points, memory: memory, now: Int64(now))
      asked.append(run.next()?.address.register ?? -1)
      run.answered([1])
      memory = run.memory
    }
    #expect(asked == [0, 10, 20, 0, 10, 20])
  }

  /// How often each register was asked for in so many readings, of all four points each fifth time and otherwise of two, where a reading
  /// comes to so many requests.
  private func asked(readings: Int, requests: (_ ofAll: Bool) -> Int) -> [Int: Int] {
    let points = [0, 10, 20, 30].map { Self.point("p\($0)", $0) }
    let map = map(points)
    var memory = ReadRun.Memory()
    var counts: [Int: Int] = [:]
    for now in 1...readings {
      let isOfAll = now % 5 == 0
      var run = ReadRun(map, due: isOfAll ? points : Array(points.prefix(2)), memory: memory, now: Int64(now))
      for _ in 0..<requests(isOfAll) {
        guard let block = run.next() else { break }
        counts[block.address.register, default: 0] += 1
        run.answered([1])
      }
      memory = run.memory
    }
    return counts
  }

  @Test func whatIsReadSeldomHasItsTurnBesideWhatIsReadOften() {
    let cut = asked(readings: 400) { _ in 1 }
    #expect(cut[20] ?? 0 >= 39 && cut[30] ?? 0 >= 39)
    // The others are read in between anyway.
    let whole = asked(readings: 400) { $0 ? 2 : 4 }
    #expect(whole[20] ?? 0 > 70 && whole[30] ?? 0 > 70)
  }

  @Test func twoRequestsThatBeginAtTheSameRegister() {
    let points = [Self.point("a", 10), Self.point("b", 10, .uint32)]
    var map = map(points)
    map.limits.isSingle = true
    var silent = ReadRun(map, due: points, memory: ReadRun.Memory(), now: 1)
    silent.answered([1])
    var next = ReadRun(map, due: points, memory: silent.memory, now: 2)
    next.answered(next.next()?.count == 1 ? [7] : [0, 7])
    next.answered(next.next()?.count == 1 ? [7] : [0, 7])
    #expect(next.values() == [.number(7), .number(7)])
  }

  @Test func orderIsThatOfAddressesAgainOnceAllWereAsked() {
    let points = [Self.point("a", 0), Self.point("b", 10), Self.point("c", 20)]
    let map = map(points)
    var cut = ReadRun(map, due: points, memory: ReadRun.Memory(), now: 1)
    cut.answered([1])
    var whole = ReadRun(map, due: points, memory: cut.memory, now: 2)
    for register in [10, 20, 0] {
      #expect(whole.next()?.address.register == register)
      whole.answered([1])
    }
    let next = ReadRun(map, due: points, memory: whole.memory, now: 3)
    #expect(next.next()?.address.register == 0)
  }

  @Test func aReadingOfOtherPointsForgetsNothingThatIsLeft() {
    let points = [Self.point("a", 0), Self.point("b", 10), Self.point("c", 20)]
    let map = map(points)
    var all = ReadRun(map, due: points, memory: ReadRun.Memory(), now: 0)
    all.answered([1])
    var first = ReadRun(map, due: [points[0]], memory: all.memory, now: 1)
    first.answered([1])
    #expect(first.next() == nil)
    let next = ReadRun(map, due: points, memory: first.memory, now: 2)
    #expect(next.next()?.address.register == 10)
  }

  @Test func aPlanHoldsUntilSomethingIsLearnt() {
    let points = [Self.point("a", 0), Self.point("b", 1)]
    let map = map(points)
    var memory = ReadRun.Memory()
    let plan = ReadPlan(map, points, memory: &memory, now: 0)
    var run = ReadRun(plan, memory: memory, now: 0)
    run.answered([1, 2])
    #expect(plan.holds(run.memory, now: 1))

    var device = FakeDevice(registers: [0: 7])
    var refused = ReadRun(plan, memory: run.memory, now: 1)
    device.serve(&refused)
    memory = refused.memory
    #expect(!plan.holds(memory, now: 2))

    // The register that is missing is asked for again after its time.
    let without = ReadPlan(map, points, memory: &memory, now: 2)
    #expect(without.holds(memory, now: ReadRun.absenceTime))
    #expect(!without.holds(memory, now: 1 + ReadRun.absenceTime))
    var again = ReadRun(without, memory: memory, now: 3)
    #expect(again.next() == Block(Address(.holding, 0), count: 1))
    again.answered([8])
    #expect(again.next() == nil)
    #expect(again.values() == [.number(8), .bad(.device, code: 2)])
  }

  @Test func readings() {
    let word = Field(Address(.holding, 0), .uint16, nan: [0xFFFF])
    let label = Reading.label(word, codes: [1: 0, 5: 1], other: nil)
    #expect(label.value([[5]], plausible: nil) == .label(1))
    #expect(label.value([[2]], plausible: nil) == .bad(.decode))
    #expect(label.value([[0xFFFF]], plausible: nil) == .bad(.device))
    #expect(Reading.label(word, codes: [1: 0], other: 3).value([[9]], plausible: nil) == .label(3))
    #expect(Reading.flag(word, bit: 15).value([[0x8000]], plausible: nil) == .flag(true))
    #expect(Reading.flag(word, bit: 14).value([[0x8000]], plausible: nil) == .flag(false))
    let sum = Reading.number([
      Term(word), Term(Field(Address(.holding, 1), .int16, nan: [0x8000], scale: -0.1), absent: 2),
    ])
    #expect(sum.value([[10], [5]], plausible: nil) == .number(9.5))
    #expect(sum.value([[10], [0x8000]], plausible: nil) == .number(12))
    #expect(sum.value([[0xFFFF], [5]], plausible: nil) == .bad(.device))
    #expect(sum.value([[10], [5]], plausible: 0...9) == .bad(.limit))
  }
}
