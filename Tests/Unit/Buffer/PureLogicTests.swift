// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import Testing

@Suite struct NumberSetTests {
  @Test func adjacentRangesBecomeOne() {
    var set = NumberSet()
    set.insert(1...3)
    set.insert(7...9)
    set.insert(4)
    #expect(set.ranges == [1...4, 7...9])
    set.insert(5...6)
    #expect(set.ranges == [1...9])
    set.remove(4...5)
    #expect(set.ranges == [1...3, 6...9])
    #expect(set.intersection(3...6) == [3...3, 6...6])
  }

  @Test func limitsOfTheNumbersDoNotTrap() {
    var set = NumberSet([.min...(.min), .max...(.max)])
    set.insert(Int64.min...Int64.max)
    #expect(set.ranges == [Int64.min...Int64.max])
    set.remove(Int64.max)
    #expect(!set.contains(.max))
    #expect(set.contains(.min))
  }

  @Test(arguments: 1...20) func agreesWithASet(seed: UInt64) {
    var random = Seeded(state: seed)
    var set = NumberSet()
    var model: Set<Int64> = []
    for _ in 0..<400 {
      let low = Int64.random(in: 0...120, using: &random)
      let range = low...Int64.random(in: low...(low + 9), using: &random)
      if Bool.random(using: &random) {
        set.insert(range)
        model.formUnion(range)
      } else {
        set.remove(range)
        model.subtract(range)
      }
      #expect((Int64(-1)...131).allSatisfy { set.contains($0) == model.contains($0) })
      for (left, right) in zip(set.ranges, set.ranges.dropFirst()) { #expect(left.upperBound + 1 < right.lowerBound) }
    }
  }
}

@Suite struct SequenceBlockTests {
  @Test func numbersGoOnBehindTheBlock() {
    var block = SequenceBlock(after: 0)
    #expect(block.take() == nil)
    block.extend(to: block.next - 1 + SequenceBlock.size)
    #expect((1...100).allSatisfy { block.take() == $0 })
    #expect(block.take() == nil)
    #expect(SequenceBlock(after: 100).next == 101)
  }

  @Test(arguments: [
    (settled: 0, stored: 0, reserved: 100, lost: 1...100), (settled: 40, stored: 0, reserved: 100, lost: 41...100),
    (settled: 40, stored: 60, reserved: 100, lost: 61...100), (settled: 100, stored: 7, reserved: 100, lost: nil),
    (settled: 5, stored: 120, reserved: 100, lost: nil), (settled: 0, stored: 0, reserved: 0, lost: nil),
  ] as [(settled: Int64, stored: Int64, reserved: Int64, lost: ClosedRange<Int64>?)])
  func whatAnUncleanEndMayHaveTaken(
    _ each: (settled: Int64, stored: Int64, reserved: Int64, lost: ClosedRange<Int64>?)
  ) {
    #expect(SequenceBlock.lost(settled: each.settled, stored: each.stored, reserved: each.reserved) == each.lost)
  }
}

@Suite struct GapLedgerTests {
  @Test func touchingGapsOfOneReasonBecomeOne() {
    var ledger = GapLedger()
    ledger.add(stream: 1, numbers: 1...3, reason: .quota)
    ledger.add(stream: 1, numbers: 7...9, reason: .quota)
    ledger.add(stream: 1, numbers: 4...6, reason: .crash)
    ledger.add(stream: 2, numbers: 4...6, reason: .quota)
    #expect(ledger.all.map(\.numbers) == [1...3, 7...9, 4...6, 4...6])
    ledger.add(stream: 1, numbers: 4...6, reason: .quota)
    #expect(ledger.all.map(\.numbers) == [1...9, 4...6, 4...6])
    #expect(ledger.changes.removed == [2])
  }

  @Test func aGapUnderWayIsNotChanged() {
    var ledger = GapLedger()
    ledger.add(stream: 1, numbers: 1...3, reason: .quota)
    let first = ledger.take(unless: { _ in false })
    ledger.add(stream: 1, numbers: 4...5, reason: .quota)
    #expect(first?.numbers == 1...3)
    ledger.acknowledged(first?.id ?? 0)
    #expect(ledger.all.map(\.numbers) == [4...5])
  }

  @Test func aReturnedGapComesAgainAndAHeldStreamWaits() {
    var ledger = GapLedger([GapLedger.Item(id: 4, stream: 1, numbers: 1...3, reason: .crash)])
    #expect(ledger.take(unless: { $0 == 1 }) == nil)
    let taken = ledger.take(unless: { _ in false })
    #expect(ledger.take(unless: { _ in false }) == nil)
    ledger.returned(taken?.id ?? 0)
    #expect(ledger.take(unless: { _ in false }) == taken)
    ledger.allReturned()
    #expect(ledger.take(unless: { _ in false }) == taken)
  }

  @Test func whatChangedSinceTheWriteIsWrittenAgain() {
    var ledger = GapLedger()
    ledger.add(stream: 1, numbers: 1...3, reason: .quota)
    let changes = ledger.changes
    ledger.add(stream: 1, numbers: 4...4, reason: .quota)
    ledger.stored(changes)
    #expect(ledger.changes.written.map(\.numbers) == [1...4])
    ledger.stored(ledger.changes)
    #expect(!ledger.isChanged)
  }
}
