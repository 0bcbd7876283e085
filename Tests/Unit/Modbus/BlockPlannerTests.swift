// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct BlockPlannerTests {
  private func field(_ register: Int, _ type: ValueType = .uint16, _ table: Table = .holding) -> Field {
    Field(Address(table, register), type)
  }

  private func block(_ register: Int, _ count: Int, _ table: Table = .holding) -> Block {
    Block(Address(table, register), count: count)
  }

  private func limits(_ change: (inout ReadLimits) -> Void) -> ReadLimits {
    var limits = ReadLimits()
    change(&limits)
    return limits
  }

  @Test func neighboursJoin() {
    let planner = BlockPlanner(ReadLimits())
    #expect(planner.blocks(for: [field(12), field(10, .uint32), field(20)]) == [block(10, 3), block(20, 1)])
    #expect(planner.blocks(for: []) == [])
  }

  @Test func gapsUpToTheLimitAreReadAlong() {
    let planner = BlockPlanner(limits { $0.maximumGap = 3 })
    #expect(planner.blocks(for: [field(0), field(4), field(9)]) == [block(0, 5), block(9, 1)])
  }

  @Test func tablesStayApart() {
    let planner = BlockPlanner(limits { $0.maximumGap = 10 })
    #expect(planner.blocks(for: [field(0), field(1, .uint16, .input)]) == [block(0, 1), block(1, 1, .input)])
  }

  @Test func longestRequest() {
    let planner = BlockPlanner(limits { ($0.maximumRegisters, $0.maximumGap) = (10, 124) })
    #expect(planner.blocks(for: [field(0), field(9), field(10), field(18, .uint32)]) == [block(0, 10), block(10, 10)])
    let usual = BlockPlanner(limits { $0.maximumGap = 124 })
    #expect(usual.blocks(for: [field(1), field(125), field(126)]) == [block(1, 125), block(126, 1)])
  }

  @Test func oneValueARequest() {
    let planner = BlockPlanner(limits { $0.isSingle = true })
    #expect(
      planner.blocks(for: [field(0), field(1), field(1), field(2, .uint32)]) == [block(0, 1), block(1, 1), block(2, 2)])
  }

  @Test func sharedAndOverlappingRegisters() {
    let planner = BlockPlanner(ReadLimits())
    #expect(planner.blocks(for: [field(5, .uint32), field(5), field(6)]) == [block(5, 2)])
    #expect(planner.blocks(for: [field(5, .uint32), field(6, .uint32)]) == [block(5, 3)])
  }

  @Test func explicitBlocksAreReadWhole() {
    let planner = BlockPlanner(ReadLimits(), explicitBlocks: [block(100, 20)])
    #expect(planner.blocks(for: [field(110), field(120), field(99)]) == [block(99, 1), block(100, 20), block(120, 1)])
    // Half in, half out: on its own.
    #expect(planner.blocks(for: [field(119, .uint32)]) == [block(119, 2)])
  }

  @Test func lessons() {
    let planner = BlockPlanner(limits { $0.maximumGap = 4 }, explicitBlocks: [block(100, 20)])
    var lessons = BlockPlanner.Lessons()
    lessons.cuts = [Address(.holding, 3)]
    lessons.refusedBlocks = [Address(.holding, 100)]
    #expect(
      planner.blocks(for: [field(0), field(3), field(5), field(110)], lessons) == [
        block(0, 1), block(3, 3), block(110, 1),
      ])
    // A cut in the other table does not count.
    #expect(
      planner.blocks(for: [field(0, .uint16, .input), field(3, .uint16, .input)], lessons) == [block(0, 4, .input)])
  }

  /// Whatever is asked for: every field is in a block, and no block is longer than allowed.
  @Test func randomFields() {
    var random = SplitMix(state: 99)
    for _ in 0..<2_000 {
      let maximum = Int(random.next() % 20) + 4
      let planner = BlockPlanner(limits { ($0.maximumRegisters, $0.maximumGap) = (maximum, Int(random.next() % 8)) })
      let fields = (0..<Int(random.next() % 30)).map { _ in
        field(
          Int(random.next() % 200), ValueType.allCases[Int(random.next() % 8)],
          random.next() % 2 == 0 ? .holding : .input)
      }
      var lessons = BlockPlanner.Lessons()
      for _ in 0..<5 { lessons.cuts.insert(Address(.holding, Int(random.next() % 200))) }
      let blocks = planner.blocks(for: fields, lessons)
      for field in fields { #expect(blocks.contains { $0.contains(field) }) }
      for block in blocks { #expect(block.count <= maximum) }
    }
  }
}
