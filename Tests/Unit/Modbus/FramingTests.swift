// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

/// Framings without transaction ids: frames are found in any stream, and a late answer is not taken for the next one.
@Suite struct FramingTests {
  private static let framings: [WireFraming] = [.rtu, .ascii]
  private static let read = Request.read(Address(.holding, 107), count: 3)
  private static let pdu: [UInt8] = [3, 6, 0x02, 0x2B, 0, 0, 0, 0x64]
  private static let values = Conversation.Step.reply(.values([0x022B, 0, 0x64]))

  private func begun(_ framing: WireFraming, _ request: Request = read, unit: UInt8 = 17) -> Conversation {
    var conversation = Conversation(framing)
    _ = conversation.begin(request, unit: unit)
    return conversation
  }

  private func before(_ conversation: inout Conversation, _ request: Request, unit: UInt8 = 17) -> Request? {
    conversation.probe(before: request, unit: unit)
  }

  /// Serial Line V1.02, and the Modbus over serial line guide's worked examples.
  @Test func requestsAsTheSpecificationHasThem() {
    var rtu = Conversation(.rtu)
    #expect(rtu.begin(.read(Address(.holding, 0), count: 1), unit: 1) == [1, 3, 0, 0, 0, 1, 0x84, 0x0A])
    var ascii = Conversation(.ascii)
    #expect(ascii.begin(.read(Address(.coil, 19), count: 19), unit: 1) == Array(":010100130013D8\r\n".utf8))
  }

  @Test(arguments: framings) func answersInPiecesOfEachSize(framing: WireFraming) throws {
    let frame = framing.frame(unit: 17, pdu: Self.pdu)
    for size in 1...frame.count {
      var conversation = begun(framing)
      var last = Conversation.Step.more
      for start in stride(from: 0, to: frame.count, by: size) {
        #expect(last == .more)
        last = try conversation.receive(Array(frame[start..<min(start + size, frame.count)]))
      }
      #expect(last == Self.values)
    }
  }

  @Test(arguments: framings) func noiseBeforeTheAnswer(framing: WireFraming) throws {
    var conversation = begun(framing)
    #expect(try conversation.receive([0, 0xFF, 0x11, 0x55]) == .more)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: Self.pdu)) == Self.values)
  }

  @Test(arguments: framings) func damagedFrameIsPassedOver(framing: WireFraming) throws {
    var conversation = begun(framing)
    var damaged = framing.frame(unit: 17, pdu: Self.pdu)
    damaged[5] ^= 1
    #expect(try conversation.receive(damaged) == .more)
    #expect(conversation.sawSomethingElse)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: Self.pdu)) == Self.values)
  }

  @Test(arguments: framings) func truncatedFrameIsPassedOver(framing: WireFraming) throws {
    var conversation = begun(framing)
    let frame = framing.frame(unit: 17, pdu: Self.pdu)
    #expect(try conversation.receive(Array(frame.prefix(frame.count / 2))) == .more)
    #expect(try conversation.receive(frame) == Self.values)
  }

  @Test(arguments: framings) func anotherUnitOrFunctionIsNoAnswer(framing: WireFraming) throws {
    var conversation = begun(framing)
    #expect(try conversation.receive(framing.frame(unit: 18, pdu: Self.pdu)) == .more)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: [4] + Self.pdu.dropFirst())) == .more)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: [0x84, 2])) == .more)
    #expect(conversation.foreignFrames == 3)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: [0x83, 2])) == .reply(.exception(2)))
  }

  /// Home Assistant core #138077, Telegraf #14317, on a framing that has nothing to tell answers apart by.
  @Test(arguments: framings) func lateAnswerIsNotTakenForTheNextQuestion(framing: WireFraming) throws {
    var conversation = begun(framing)
    // No answer. The next question has an answer of the same form: something else is asked first.
    let next = Request.read(Address(.holding, 200), count: 3)
    let asked = conversation.probe(before: next, unit: 17)
    let probe = try #require(asked)
    #expect(probe == .read(Address(.holding, 200), count: 1))
    _ = conversation.begin(probe, unit: 17)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: Self.pdu)) == .more)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: [3, 2, 0, 9])) == .reply(.values([9])))
    #expect(before(&conversation, next) == nil)
    _ = conversation.begin(next, unit: 17)
    #expect(try conversation.receive(framing.frame(unit: 17, pdu: [3, 6, 0, 1, 0, 2, 0, 3])) == .reply(.values([1, 2, 3])))
  }

  @Test(arguments: framings) func aDeviceThatStaysLateIsNeverBelieved(framing: WireFraming) throws {
    var conversation = begun(framing)
    var owed = [Self.pdu]
    for _ in 0..<40 {
      // Each answer comes after the next question: to whatever is asked, the one before is answered.
      let question = conversation.probe(before: Self.read, unit: 17) ?? Self.read
      guard case .read(_, let count) = question else { return }
      _ = conversation.begin(question, unit: 17)
      #expect(try conversation.receive(framing.frame(unit: 17, pdu: owed.removeFirst())) == .more)
      owed.append([3, UInt8(count * 2)] + [UInt8](repeating: 7, count: count * 2))
      if question.function != 3 { owed[0][0] = question.function }
    }
  }

  @Test(arguments: framings) func otherUnitsAreAskedAsEver(framing: WireFraming) {
    var conversation = begun(framing)
    #expect(before(&conversation, Self.read, unit: 18) == nil)
    #expect(before(&conversation, .read(Address(.input, 107), count: 3)) == nil)
    #expect(before(&conversation, .writeRegister(1, 2)) == nil)
    #expect(before(&conversation, Self.read) != nil)
    conversation.forget(17)
    #expect(before(&conversation, Self.read) == nil)
  }

  @Test(arguments: framings) func doubledAnswerIsNotTakenForTheNext(framing: WireFraming) throws {
    var conversation = begun(framing)
    let frame = framing.frame(unit: 17, pdu: Self.pdu)
    #expect(try conversation.receive(frame + frame) == Self.values)
    #expect(before(&conversation, Self.read) != nil)
    // Also where the second one comes a little later.
    conversation = begun(framing)
    #expect(try conversation.receive(frame) == Self.values)
    #expect(before(&conversation, Self.read) == nil)
    conversation.excess(frame)
    #expect(before(&conversation, Self.read) != nil)
  }

  @Test func modbusTCPNeedsNoProbe() {
    var conversation = begun(.mbap)
    #expect(before(&conversation, Self.read) == nil)
  }

  @Test(arguments: framings) func endlessBytesEnd(framing: WireFraming) {
    var conversation = begun(framing)
    #expect(throws: Conversation.Failure.flood) {
      for _ in 0..<1_000 { _ = try conversation.receive([UInt8](repeating: 0x3A, count: 64)) }
    }
    conversation = begun(framing)
    #expect(throws: Conversation.Failure.flood) {
      for _ in 0..<100 { _ = try conversation.receive(framing.frame(unit: 9, pdu: [3, 2, 0, 1])) }
    }
  }

  @Test func readIdentificationInRTU() throws {
    var reader = RTUFrameReader()
    let pdu: [UInt8] = [43, 14, 1, 1, 0, 0, 2, 0, 2, 65, 66, 1, 1, 67]
    reader.append(WireFraming.rtu.frame(unit: 3, pdu: pdu))
    #expect(reader.next(unit: 3, function: 43)?.pdu == pdu)
  }

  @Test func asciiTakesSmallLettersAndNothingElse() {
    func frames(_ text: String) -> Int {
      var reader = ASCIIFrameReader()
      reader.append(Array(text.utf8))
      var count = 0
      while reader.next() != nil { count += 1 }
      return count
    }
    #expect(frames(":010302000AF0\r\n") == 1)
    #expect(frames(":010302000af0\r\n") == 1)
    #expect(frames(":010302000AF0\n") == 0)
    #expect(frames(":010302000AF1\r\n") == 0)
    #expect(frames(":01030200G0F0\r\n") == 0)
    #expect(frames(":0103020:010302000AF0\r\n") == 1)
    #expect(frames(":\r\n::\r\n:01\r\n") == 0)
  }

  /// Nothing that comes may crash, and what is taken as an answer fits the question.
  @Test(arguments: framings) func randomBytes(framing: WireFraming) {
    var random = SplitMix(state: 0xB05BA3)
    for round in 0..<50_000 {
      var conversation = Conversation(framing)
      let count = Int(random.next() % 6) + 1
      _ = conversation.begin(.read(Address(.input, 10), count: count), unit: 1)
      var bytes = (0..<Int(random.next() % 60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if round % 2 == 0 {
        let length = UInt8(truncatingIfNeeded: random.next() % 16)
        bytes += framing.frame(unit: 1, pdu: [4, length] + (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      }
      guard case .reply(let reply)? = try? conversation.receive(bytes) else { continue }
      if case .values(let words) = reply { #expect(words.count == count) }
    }
  }
}
