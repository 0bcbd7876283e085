// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct RecordingTests {
  private func request(_ transaction: UInt16, _ register: UInt8 = 0) -> [UInt8] {
    WireFraming.mbap.frame(unit: 1, pdu: [3, 0, register, 0, 1], transaction: transaction)
  }

  private func reply(_ transaction: UInt16, _ value: UInt8) -> [UInt8] {
    WireFraming.mbap.frame(unit: 1, pdu: [3, 2, 0, value], transaction: transaction)
  }

  @Test func theTransactionDoesNotMatter() throws {
    var recording = try #require(Recording([.sent(request(1)), .received(reply(1, 5))]))
    #expect(recording.answer(to: request(77)) == .reply(reply(77, 5)))
    #expect(recording.answer(to: request(77, 9)) == .unknown)
  }

  @Test func answersInTheirOrderThenTheLast() throws {
    var recording = try #require(
      Recording([
        .sent(request(1)), .received(reply(1, 5)), .sent(request(2, 9)), .received(reply(2, 7)), .sent(request(3)), .ended,
        .sent(request(4)), .received(reply(4, 6)),
      ]))
    let answers = (10...13).map { recording.answer(to: request($0)) }
    #expect(answers == [.reply(reply(10, 5)), .silence, .reply(reply(12, 6)), .reply(reply(13, 6))])
    #expect(recording.answer(to: request(14, 9)) == .reply(reply(14, 7)))
    #expect(recording.count == 2)
  }

  /// A late answer stays late, and pieces are put together.
  @Test func wrongTransactionsKeepTheirDistance() throws {
    let (late, own) = (reply(8, 1), reply(9, 2))
    var recording = try #require(
      Recording([.sent(request(9)), .received(late), .received(Array(own.prefix(4))), .received(Array(own.dropFirst(4)))]))
    #expect(recording.answer(to: request(0)) == .reply(reply(0xFFFF, 1) + reply(0, 2)))
  }

  @Test func closesAndGarbage() throws {
    var recording = try #require(
      Recording([.sent(request(1)), .received([1, 2, 3]), .closed, .sent(request(2, 9)), .closed]))
    #expect(recording.answer(to: request(5)) == .close([1, 2, 3]))
    #expect(recording.answer(to: request(6, 9)) == .close([]))
  }

  @Test func whatWasNotWaitedForIsNoSilence() throws {
    var recording = try #require(
      Recording([.received([9]), .sent(request(1)), .abandoned, .sent(request(2)), .received(reply(2, 5)), .sent(request(3))]))
    #expect(recording.answer(to: request(1)) == .reply(reply(1, 5)))
    #expect(recording.answer(to: request(1)) == .reply(reply(1, 5)))
  }

  @Test func otherFramings() throws {
    let rtu = WireFraming.rtu.frame(unit: 17, pdu: [3, 0, 107, 0, 3])
    // The example of the Serial Line guide's own CRC: 11 03 006B 0003 7687.
    #expect(rtu == [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87])
    var line = try #require(Recording([.sent(rtu), .received([0x11, 0x83, 2])]))
    #expect(line.framing == .rtu)
    #expect(line.answer(to: rtu) == .reply([0x11, 0x83, 2]))
    let ascii = WireFraming.ascii.frame(unit: 17, pdu: [3, 0, 107, 0, 3])
    #expect(ascii == Array(":1103006B00037E\r\n".utf8))
    #expect(Recording([.sent(ascii)])?.framing == .ascii)
    #expect(WireFraming.ascii.content(of: ascii)?.pdu == [3, 0, 107, 0, 3])
    #expect(Recording([.sent([1, 2, 3, 4])]) == nil)
    #expect(Recording([.received([1])]) == nil)
  }

  @Test(arguments: [WireFraming.mbap, .rtu, .ascii])
  func requestsAreCut(framing: WireFraming) {
    let pdus: [[UInt8]] = [[3, 0, 1, 0, 2], [16, 0, 1, 0, 1, 2, 0, 9], [6, 0, 1, 0, 9], [17]]
    let frames = pdus.map { framing.frame(unit: 3, pdu: $0, transaction: 5) }
    for size in [1, 3, 100] {
      var cutter = RequestCutter(framing)
      var found: [[UInt8]] = []
      var rest = Array(frames.joined())[...]
      while !rest.isEmpty {
        cutter.append(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
        while let frame = cutter.next() { found.append(frame) }
      }
      #expect(found == frames)
      #expect(cutter.isEmpty)
    }
  }

  @Test func hostileRequestsAreBounded() {
    var state: UInt64 = 3
    for framing in [WireFraming.mbap, .rtu, .ascii] {
      var cutter = RequestCutter(framing)
      for _ in 0..<20_000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        cutter.append((0..<(Int(state >> 60) + 1)).map { UInt8(truncatingIfNeeded: state >> UInt64($0 * 3)) })
        while let frame = cutter.next() { _ = framing.content(of: frame) }
      }
      cutter.reset()
      #expect(cutter.isEmpty)
    }
  }
}
