// SPDX-License-Identifier: Apache-2.0

import BusbarHistory
import BusbarModel
import Testing

@Suite struct MinuteBookTests {
  private func minutes(_ book: inout MinuteBook, of point: String = "power") -> [Int64: Summary] {
    book.endMinute()
    let series = book.takeEnded().series[point]
    return Dictionary(uniqueKeysWithValues: (series?.minutes ?? []).map { ($0.number, $0.summary) })
  }

  @Test func lowestMeanAndHighestOfEachMinute() {
    var book = MinuteBook()
    for (minute, value) in [(7, 10), (7, -20), (7, 40), (8, 5)] as [(Int64, Double)] { book.take(reading(0, power(value)), minute: minute) }
    #expect(minutes(&book) == [7: numbers(-20, 10, 40, 3), 8: numbers(5, 5, 5, 1)])
  }

  @Test func missingValuesAreNeitherZeroNorARow() {
    var book = MinuteBook()
    book.take(reading(0, power(100)), minute: 1)
    book.take(reading(0, Reading.Item(Points.power, bad: .timeout)), minute: 1)
    book.take(reading(0, Reading.Item(Points.power, bad: .comm)), minute: 2)
    book.take(reading(0, power(300)), minute: 3)
    #expect(minutes(&book) == [1: numbers(100, 100, 100, 1), 3: numbers(300, 300, 300, 1)])
  }

  @Test func uncertainValuesCountAndBooleansAreAShare() {
    var book = MinuteBook()
    let soc = PointDescriptor(name: "soc", unit: "%")
    let on = PointDescriptor(name: "on", type: .boolean, kind: .state)
    for (index, flag) in [true, true, true, false].enumerated() {
      book.take(reading(0, Reading.Item(soc, .number(Double(index)), uncertain: true), Reading.Item(on, .boolean(flag))), minute: 1)
    }
    let block = { () -> Block in
      book.endMinute()
      return book.takeEnded()
    }()
    #expect(block.series["soc"]?.minutes.map(\.summary) == [numbers(0, 1.5, 3, 4)])
    #expect(block.series["on"]?.minutes.map(\.summary) == [numbers(0, 0.75, 1, 4)])
  }

  @Test func aStateIsTheLabelThatMostSamplesHad() {
    var book = MinuteBook()
    for label in ["off", "on", "on", "off", "on"] { book.take(reading(0, state(label)), minute: 1) }
    for label in ["standby", "running"] { book.take(reading(0, state(label)), minute: 2) }
    #expect(
      minutes(&book, of: "state") == [1: Summary(.label("on"), samples: 5), 2: Summary(.label("standby"), samples: 2)])
  }

  @Test func aDeviceThatTellsAnotherTextEachTimeTakesNoMemory() {
    var book = MinuteBook()
    let long = String(repeating: "ä", count: 500)
    for number in 0..<10_000 { book.take(reading(0, state("\(number)\(long)")), minute: 1) }
    guard case .label(let label)? = minutes(&book, of: "state")[1]?.content else {
      Issue.record("no label")
      return
    }
    #expect(label.utf8.count <= 64)
  }

  @Test func pointsBeyondTheBoundAreLeftOut() {
    var book = MinuteBook()
    for number in 0..<6000 {
      book.take(reading(0, Reading.Item(PointDescriptor(name: "p\(number)"), .integer(1))), minute: 1)
    }
    book.endMinute()
    #expect(book.takeEnded().series.count == 4096)
  }

  @Test func aClockThatIsSetBackAddsToTheMinuteThatIsThere() {
    var book = MinuteBook()
    book.take(reading(0, power(10)), minute: 5)
    book.take(reading(0, power(20)), minute: 6)
    book.take(reading(0, power(40)), minute: 5)
    #expect(minutes(&book) == [5: numbers(10, 25, 40, 2), 6: numbers(20, 20, 20, 1)])
  }

  @Test func minutesThatWaitAreBounded() {
    var book = MinuteBook()
    for minute in 0..<1000 as Range<Int64> { book.take(reading(0, power(1)), minute: minute) }
    let kept = minutes(&book)
    #expect(kept.count == 120)
    #expect(kept[999] != nil)
  }

  @Test func pointsMayComeInAnyOrderAndCompany() {
    var book = MinuteBook()
    book.take(reading(0, power(1), state("a")), minute: 1)
    book.take(reading(0, state("a"), power(3)), minute: 1)
    book.take(reading(0, state("a")), minute: 1)
    book.endMinute()
    let block = book.takeEnded()
    #expect(block.series["power"]?.minutes.map(\.summary) == [numbers(1, 2, 3, 2)])
    #expect(block.series["state"]?.minutes.map(\.summary) == [Summary(.label("a"), samples: 3)])
  }
}
