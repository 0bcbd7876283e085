// SPDX-License-Identifier: Apache-2.0

import BusbarLinks
import BusbarModel
import Testing

/// What a device has kept while nobody could hear it.
@Suite struct JudgeTests {
  private static let energy = PointDescriptor(name: "energy_total", unit: "Wh", kind: .counter, resolution: 1)
  private static let second: Int64 = 1_000_000_000

  private static func judge() -> DeviceJudge {
    var judge = DeviceJudge(kind: .evcharger)
    judge.declare([(1, energy)])
    return judge
  }

  private static func take(_ value: Double, _ judge: inout DeviceJudge, now: Int64, age: Int64 = 0) -> Quality? {
    judge.take([Reading.Item(energy, .number(value))], now: now * second, taken: (now - age) * second, deviceTime: nil)
      .items.first?.quality
  }

  @Test func aQueueIsJudgedByWhenItsReadingsWereTaken() {
    var judge = Self.judge()
    #expect(Self.take(1_000, &judge, now: 100) == .good)
    // Four hours of a charger at 22 kW, a reading each quarter of an hour, told within a moment.
    for quarter in 1...16 {
      let age = Int64(16 - quarter) * 900
      #expect(Self.take(1_000 + Double(quarter) * 5_500, &judge, now: 14_500, age: age) == .good)
    }
    #expect(Self.take(89_010, &judge, now: 14_502) == .good)
  }

  @Test func anOlderReadingAfterANewerOneIsNoCounterThatFell() {
    var judge = Self.judge()
    #expect(Self.take(90_000, &judge, now: 20_000) == .good)
    for quarter in 1...4 { #expect(Self.take(60_000 + Double(quarter) * 5_500, &judge, now: 20_000, age: 9_000 - Int64(quarter) * 900) == .good) }
    #expect(Self.take(90_050, &judge, now: 20_010) == .good)
    // What is impossible is so at any time.
    #expect(Self.take(-500, &judge, now: 20_020, age: 9_000) == .bad(.range))
  }

  @Test func aJumpBetweenTwoReadingsOfAQueueIsOne() {
    var judge = Self.judge()
    #expect(Self.take(1_000, &judge, now: 100) == .good)
    #expect(Self.take(900_000_000, &judge, now: 14_500, age: 14_300) == .bad(.range))
  }
}
