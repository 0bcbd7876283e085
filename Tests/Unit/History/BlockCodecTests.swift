// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

import BusbarHistory

@Suite struct BlockCodecTests {
  private func block(_ step: Double, _ summaries: [Int64: Summary]) -> Block {
    var block = Block()
    let kind = Block.Series(unit: "W", isCounter: false, step: step)
    for (number, summary) in summaries { block.put(number, summary, of: "power", like: kind) }
    return block
  }

  @Test func comesBackAsItWas() throws {
    var block = block(0.1, [60: numbers(-3, 2.4, 9, 60), 61: numbers(-3, 2.4, 9, 60), 75: numbers(7, 7, 7, 12)])
    let counter = Block.Series(unit: "Wh", isCounter: true, step: 0)
    block.put(60, numbers(123_456_789.25, 123_456_790.125, 123_456_791.5, 3), of: "energy_import", like: counter)
    block.put(61, numbers(5, 5, 5, 1), of: "energy_import", like: counter)
    for (number, label) in [(60, "off"), (61, "läuft"), (62, "läuft"), (63, "off")] as [(Int64, String)] {
      block.put(number, Summary(.label(label), samples: 4), of: "state", like: Block.Series())
    }
    let found = try #require(BlockCodec.decode(BlockCodec.encode(block, start: 60), start: 60))
    #expect(found.series["energy_import"] == block.series["energy_import"])
    #expect(found.series["state"] == block.series["state"])
    let power = try #require(found.series["power"])
    #expect(power.unit == "W" && power.step == 0.1 && power.minutes.map(\.number) == [60, 61, 75])
    for (mine, wanted) in zip(power.minutes, block.series["power"]?.minutes ?? []) {
      guard case .number(let low, let mean, let high) = mine.summary.content,
        case .number(let l, let m, let h) = wanted.summary.content
      else {
        Issue.record("no numbers")
        continue
      }
      #expect(abs(low - l) < 1e-9 && abs(mean - m) < 1e-9 && abs(high - h) < 1e-9)
      #expect(mine.summary.samples == wanted.summary.samples)
    }
  }

  @Test func hugeNumbersAreKeptAsTheyAre() throws {
    let block = block(0.001, [60: numbers(-1e300, 0, 1e300, 2)])
    let found = try #require(BlockCodec.decode(BlockCodec.encode(block, start: 60), start: 60))
    #expect(found.series["power"]?.minutes == block.series["power"]?.minutes)
  }

  @Test func aTextThatIsEmptyAtFirst() throws {
    var block = Block()
    for (number, label) in [(60, ""), (61, ""), (62, "on"), (63, "")] as [(Int64, String)] {
      block.put(number, Summary(.label(label), samples: 4), of: "state", like: Block.Series())
    }
    let found = try #require(BlockCodec.decode(BlockCodec.encode(block, start: 60), start: 60))
    #expect(found.series["state"] == block.series["state"])
  }

  @Test func moreSamplesThanAMinuteCanHaveAreWrittenAsTheMost() throws {
    let bytes = BlockCodec.encode(block(1, [60: numbers(1, 2, 3, 3 << 30)]), start: 60)
    #expect(try #require(BlockCodec.decode(bytes, start: 60)).series["power"]?.minutes.first?.summary == numbers(1, 2, 3, 1 << 31))
  }

  @Test func minutesThatRunAwayAreNoBlock() {
    for (number, isBlock) in [(1 << 20, true), (1 << 20 + 1, false)] as [(Int64, Bool)] {
      let bytes = BlockCodec.encode(block(1, [(1 << 20) - 1: numbers(1, 1, 1, 1), number: numbers(1, 1, 1, 1)]), start: 0)
      #expect((BlockCodec.decode(bytes, start: 0) != nil) == isBlock, "minute \(number)")
    }
    // Each of these is only the next one.
    let next = BlockCodec.encode(
      block(1, [1 << 20: numbers(1, 1, 1, 1), 1 << 20 + 1: numbers(1, 1, 1, 1)]), start: 0)
    #expect(BlockCodec.decode(next, start: 0) == nil)
  }

  @Test func numbersWithoutMeasureHaveAMeanBetweenThem() throws {
    var tally = Tally()
    for number in [1.5e308, 1.5e308] { tally.add(numbers(number, number, number, 4)) }
    tally.add(numbers(-1.5e308, -1.5e308, -1.5e308, 4))
    #expect(tally.summary == numbers(-1.5e308, 0, 1.5e308, 12))
  }

  @Test func aPointThatWasNumberAndLabel() throws {
    var block = block(1, [60: numbers(1, 1, 1, 1)])
    block.put(61, Summary(.label("unknown"), samples: 1), of: "power", like: Block.Series())
    let found = try #require(BlockCodec.decode(BlockCodec.encode(block, start: 60), start: 60))
    #expect(found.series["power"]?.minutes == block.series["power"]?.minutes)
  }

  /// What the size limit is worth: a plain row of three doubles takes 24 bytes.
  @Test func anHourOfAPointTakesAFewBytesAMinute() {
    var summaries: [Int64: Summary] = [:]
    var random = SystemRandomNumberGenerator()
    for minute in 0..<60 as Range<Int64> {
      let mean = Double(Int.random(in: -5000...5000, using: &random)) / 10
      summaries[minute] = numbers(mean.rounded() - 50, mean, mean.rounded() + 60, 60)
    }
    #expect(BlockCodec.encode(block(0.1, summaries), start: 0).count < 60 * 9)
  }

  @Test func damagedBytesAreNoBlockAndDoNoHarm() {
    var block = block(0.1, [60: numbers(-3, 2.4, 9, 60), 61: numbers(7, 7, 7, 12)])
    block.put(60, Summary(.label("on"), samples: 4), of: "state", like: Block.Series())
    let good = BlockCodec.encode(block, start: 60)
    for length in 0..<good.count { #expect(BlockCodec.decode(Array(good.prefix(length)), start: 60) == nil) }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      _ = BlockCodec.decode(bytes, start: 60)
    }
  }
}
