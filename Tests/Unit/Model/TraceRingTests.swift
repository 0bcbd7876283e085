// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

@Suite struct TraceRingTests {
  private func frame(_ number: Int, _ length: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
  }

  @Test func whatIsRecordedComesBack() {
    var ring = TraceRing(capacity: 8_192)
    ring.record(.opened, device: 0, time: 1)
    ring.record(.sent, [1, 2, 3], device: 7, time: 2)
    ring.record(.received, [4], device: 7, time: Int64.max)
    ring.record(.failed("nobody there"), device: 0, time: 4)
    ring.record(.discarded(70_000), device: 300, time: 5)
    for event in [TraceEvent.closed, .released, .timeout, .cancelled, .lost(3)] { ring.record(event, device: 1, time: 6) }
    #expect(
      ring.entries.prefix(5) == [
        .init(time: 1, device: 0, .event(.opened)), .init(time: 2, device: 7, .sent([1, 2, 3])),
        .init(time: Int64.max, device: 7, .received([4])), .init(time: 4, device: 0, .event(.failed("nobody there"))),
        .init(time: 5, device: 300, .event(.discarded(70_000))),
      ])
    #expect(
      ring.entries.dropFirst(5).map(\.content) == [
        .event(.closed), .event(.released), .event(.timeout), .event(.cancelled), .event(.lost(3)),
      ])
  }

  /// Against a plain list: the ring holds exactly its last entries, whatever the lengths, and never more than its bytes.
  @Test(arguments: [1, 2, 3, 4, 5])
  func theOldestMakeRoom(seed: Int) {
    var ring = TraceRing(capacity: 8_192)
    var all: [TraceRing.Entry] = []
    var state = UInt64(seed)
    for number in 0..<3_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let bytes = frame(number, 1 + Int(state >> 40) % (number % 50 == 0 ? 4_000 : 200))
      ring.record(.sent, bytes[...], device: UInt32(number), time: Int64(number))
      all.append(.init(time: Int64(number), device: UInt32(number), .sent(bytes)))
      let kept = ring.entries
      #expect(kept == Array(all.suffix(kept.count)))
      let room = all.suffix(kept.count + 1).reduce(0) { sum, entry in
        if case .sent(let bytes) = entry.content { sum + bytes.count + 15 } else { sum }
      }
      #expect(kept.count == all.count || room > 8_192)
    }
  }

  @Test func aSmallRingKeepsTheBeginningsOfItsLastFrames() {
    var ring = TraceRing(capacity: 2_048)
    for number in 0..<10 { ring.record(.received, frame(number, 3_000)[...], device: 1, time: Int64(number)) }
    #expect(
      ring.entries.last == .init(time: 9, device: 1, .event(.cut(3_000 - 1_009))))
    #expect(ring.entries.contains(.init(time: 9, device: 1, .received(Array(frame(9, 3_000).prefix(1_009))))))
  }

  @Test func aLongFrameIsCut() {
    var ring = TraceRing()
    ring.record(.received, frame(1, 5_000)[...], device: 1, time: 9)
    #expect(
      ring.entries == [
        .init(time: 9, device: 1, .received(Array(frame(1, 5_000).prefix(4_096)))),
        .init(time: 9, device: 1, .event(.cut(904))),
      ])
  }
}
