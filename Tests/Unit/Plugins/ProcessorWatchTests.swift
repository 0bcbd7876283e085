// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Testing

@Suite struct ProcessorWatchTests {
  private static let second: Int64 = 1_000_000_000

  /// The sentence after each look, one look every 15 s; `shares` of a core in between.
  private func looks(_ shares: [Double]) -> [String?] {
    var watch = ProcessorWatch(.init())
    var now = Self.second, used: Int64 = 0
    var said = [watch.look(now: now, used: used)]
    for share in shares {
      now += 15 * Self.second
      used += Int64(share * 15 * Double(Self.second))
      said.append(watch.look(now: now, used: used))
    }
    return said
  }

  @Test func aMinuteOfFullUse() {
    let said = looks([1, 1, 1, 1])
    #expect(said.dropLast().allSatisfy { $0 == nil })
    #expect(said.last == "the plugin used 100 % of a processor core for 60 s; 80 % is what it may")
  }

  @Test func severalThreadsCountTogether() { #expect(looks([0, 2, 2, 0]).last??.contains("100 %") == true) }

  @Test func restsAreAllowed() {
    #expect(looks([1, 1, 1, 0]).allSatisfy { $0 == nil })
    #expect(looks([0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]).allSatisfy { $0 == nil })
  }

  @Test func whatWasUsedBeforeDoesNotCount() {
    #expect(looks([0, 0, 0, 0, 1, 1, 1, 0]).allSatisfy { $0 == nil })
  }
}
