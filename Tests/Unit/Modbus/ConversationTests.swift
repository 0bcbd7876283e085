// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

/// Frames as the specification prints them, written out by hand.
@Suite struct ConversationTests {
  private static let request = Request.read(Address(.holding, 0x006B), count: 3)
  private static let reply: [UInt8] = [0x00, 0x01, 0, 0, 0, 9, 0x11, 0x03, 6, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64]
  private static let values = Conversation.Step.reply(.values([0x022B, 0, 0x64]))

  private func begun() -> Conversation {
    var conversation = Conversation()
    #expect(conversation.begin(Self.request, unit: 0x11) == [0, 1, 0, 0, 0, 6, 0x11, 0x03, 0x00, 0x6B, 0x00, 0x03])
    return conversation
  }

  @Test func wholeReply() throws {
    var conversation = begun()
    #expect(try conversation.receive(Self.reply) == Self.values)
    #expect(!conversation.isInsideFrame)
  }

  @Test(arguments: 1..<15) func replyInTwoPieces(cut: Int) throws {
    var conversation = begun()
    #expect(try conversation.receive(Array(Self.reply[..<cut])) == .more)
    #expect(conversation.isInsideFrame)
    #expect(try conversation.receive(Array(Self.reply[cut...])) == Self.values)
  }

  @Test func replyByteByByte() throws {
    var conversation = begun()
    for byte in Self.reply.dropLast() { #expect(try conversation.receive([byte]) == .more) }
    #expect(try conversation.receive([0x64]) == Self.values)
  }

  @Test func lateAnswersAreDiscardedAndCounted() throws {
    var conversation = begun()
    _ = conversation.begin(Self.request, unit: 0x11)
    _ = conversation.begin(Self.request, unit: 0x11)
    var second = Self.reply
    second[1] = 2
    second[10] = 0x99
    var third = Self.reply
    third[1] = 3
    #expect(try conversation.receive(Self.reply) == .more)
    #expect(try conversation.receive(second + third) == Self.values)
    #expect(conversation.foreignFrames == 2)
  }

  @Test func anotherUnitIsNoAnswer() throws {
    var conversation = begun()
    var other = Self.reply
    other[6] = 0x12
    #expect(try conversation.receive(other) == .more)
    #expect(conversation.foreignFrames == 1)
    #expect(try conversation.receive(Self.reply) == Self.values)
  }

  @Test func exception() throws {
    var conversation = begun()
    #expect(try conversation.receive([0, 1, 0, 0, 0, 3, 0x11, 0x83, 2]) == .reply(.exception(2)))
  }

  @Test(
    arguments: [
      [0, 1, 0, 0, 0, 3, 0x11, 0x84, 2],  // exception of another function
      [0, 1, 0, 0, 0, 3, 0x11, 0x83, 0],  // no exception code
      [0, 1, 0, 0, 0, 9, 0x11, 0x04, 6, 0, 1, 0, 2, 0, 3],  // another function
      [0, 1, 0, 0, 0, 7, 0x11, 0x03, 4, 0, 1, 0, 2],  // too few registers
      [0, 1, 0, 0, 0, 9, 0x11, 0x03, 4, 0, 1, 0, 2, 0, 3],  // byte count and length disagree
      [0, 1, 0, 0, 0, 2, 0x11, 0x03],  // nothing
    ] as [[UInt8]]) func answersThatDoNotFit(bytes: [UInt8])
  {
    var conversation = begun()
    #expect(throws: Conversation.Failure.mismatch) { try conversation.receive(bytes) }
  }

  @Test func garbage() {
    var conversation = begun()
    #expect(throws: Conversation.Failure.garbage(.protocolID(0x5450))) {
      try conversation.receive(Array("HTTP/1.1 400 Bad Request".utf8))
    }
    conversation = begun()
    #expect(throws: Conversation.Failure.garbage(.length(255))) { try conversation.receive([0, 1, 0, 0, 0, 255]) }
    conversation = begun()
    #expect(throws: Conversation.Failure.garbage(.length(1))) { try conversation.receive([0, 1, 0, 0, 0, 1]) }
  }

  @Test func endlessForeignFramesEnd() {
    var conversation = begun()
    let foreign: [UInt8] = [0x77, 0x77, 0, 0, 0, 3, 0x11, 0x83, 2]
    #expect(throws: Conversation.Failure.flood) {
      for _ in 0..<1_000 { _ = try conversation.receive(foreign) }
    }
  }

  @Test func transactionsDifferAndWrap() {
    var conversation = Conversation()
    var seen: Set<[UInt8]> = []
    for _ in 0..<65_536 { seen.insert(Array(conversation.begin(Self.request, unit: 1)[..<2])) }
    #expect(seen.count == 65_536)
  }

  @Test func writes() throws {
    var conversation = Conversation()
    #expect(
      conversation.begin(.writeRegister(1, 3), unit: 0xFF) == [0, 1, 0, 0, 0, 6, 0xFF, 6, 0, 1, 0, 3])
    #expect(try conversation.receive([0, 1, 0, 0, 0, 6, 0xFF, 6, 0, 1, 0, 3]) == .reply(.written))
    #expect(
      conversation.begin(.writeRegisters(1, [0x000A, 0x0102]), unit: 1)
        == [0, 2, 0, 0, 0, 11, 1, 16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2])
    #expect(try conversation.receive([0, 2, 0, 0, 0, 6, 1, 16, 0, 1, 0, 2]) == .reply(.written))
    #expect(conversation.begin(.writeCoil(0x00AC, true), unit: 1) == [0, 3, 0, 0, 0, 6, 1, 5, 0, 0xAC, 0xFF, 0])
    #expect(try conversation.receive([0, 3, 0, 0, 0, 6, 1, 5, 0, 0xAC, 0xFF, 0]) == .reply(.written))
    // Another value comes back than was sent.
    _ = conversation.begin(.writeRegister(1, 3), unit: 1)
    #expect(throws: Conversation.Failure.mismatch) { try conversation.receive([0, 4, 0, 0, 0, 6, 1, 6, 0, 1, 0, 4]) }
  }

  @Test func bits() throws {
    var conversation = Conversation()
    _ = conversation.begin(.read(Address(.coil, 19), count: 10), unit: 1)
    #expect(
      try conversation.receive([0, 1, 0, 0, 0, 5, 1, 1, 2, 0b1100_1101, 0b10])
        == .reply(.values([1, 0, 1, 1, 0, 0, 1, 1, 0, 1])))
  }

  /// Nothing that comes may crash, and what is taken as an answer fits the question.
  @Test func randomBytes() {
    var random = SplitMix(state: 0xB05BA2)
    for round in 0..<200_000 {
      var conversation = Conversation()
      let count = Int(random.next() % 6) + 1
      _ = conversation.begin(.read(Address(.input, 10), count: count), unit: 1)
      var bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Every second string has a good head, so that the inner checks are reached as well.
      if round % 2 == 0, bytes.count > 8 {
        bytes.replaceSubrange(0..<8, with: [0, 1, 0, 0, 0, UInt8(bytes.count - 6), 1, round % 4 == 0 ? 4 : 0x84])
      }
      if case .reply(.values(let values))? = try? conversation.receive(bytes) { #expect(values.count == count) }
    }
  }
}

/// A generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
