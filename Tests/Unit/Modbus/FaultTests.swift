// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct FaultTests {
  private func deck(_ texts: String..., seed: UInt64 = 1) throws -> FaultDeck {
    try FaultDeck(texts.map { try FaultRule($0) }, seed: seed) { point in
      point == "power" ? [Address(.holding, 100), Address(.holding, 101)] : nil
    }
  }

  private func facts(_ register: Int = 0, count: Int = 1, function: UInt8 = 3, unit: UInt8 = 1) -> FaultDeck.Facts {
    FaultDeck.Facts(
      unit: unit, pdu: [function, UInt8(register >> 8), UInt8(register & 255), UInt8(count >> 8), UInt8(count & 255)])
  }

  @Test func grammar() throws {
    #expect(try FaultRule("exception=2").kind == .exception(2))
    #expect(try FaultRule("busy").kind == .exception(6))
    #expect(try FaultRule("delay=1s").kind == .delay(1_000))
    #expect(try FaultRule("drip").kind == .drip(20))
    #expect(try FaultRule("truncate=3").kind == .truncate(3))
    #expect(try FaultRule("garbage").kind == .garbage(nil))
    let rule = try FaultRule("drop,probability=0.25,every=3,after=2,times=5,register=40000-40010,function=3,unit=7,point=p")
    #expect(rule.probability == 0.25 && rule.every == 3 && rule.after == 2 && rule.times == 5)
    #expect(rule.registers == 40_000...40_010 && rule.function == 3 && rule.unit == 7 && rule.point == "p")
  }

  @Test(arguments: [
    ("", "known are exception=CODE"), ("explode", "known are exception=CODE"), ("exception", "1 to 255"),
    ("exception=256", "1 to 255"), ("delay=fast", "500ms"), ("delay=2h", "an hour"), ("busy=1", "takes no value"),
    ("drop,", "known are probability"), ("drop,color=red", "known are probability"), ("drop,every=0", "1 to 1000000"),
    ("drop,probability=2", "at most 1"), ("drop,probability=nan", "at most 1"), ("drop,register=5-4", "65535"),
    ("drop,register=1-2-3", "65535"), ("drop,register=70000", "65535"), ("drop,point=", "name of a point"),
    ("single,every=2", "no conditions"), (String(repeating: "x", count: 300), "256 bytes"),
  ])
  func mistakesSayWhatIsKnown(text: String, part: String) {
    do throws(FaultRule.Mistake) {
      _ = try FaultRule(text)
      Issue.record("taken: \(text)")
    } catch {
      #expect(error.description.contains(part), "\(error)")
    }
  }

  @Test func everyAfterTimes() throws {
    var deck = try deck("drop,every=3,after=2,times=2")
    let drops = (1...14).map { _ in deck.plan(for: facts()).drops }
    #expect(drops.enumerated().filter(\.element).map { $0.offset + 1 } == [5, 8])
  }

  @Test func conditionsOnTheRequest() throws {
    var deck = try deck("exception=2,register=100-110", "delay=5ms,function=4", "close,unit=9", "drop,point=power")
    #expect(deck.plan(for: facts(98, count: 2)).exception == nil)
    #expect(deck.plan(for: facts(98, count: 3)).exception == 2)
    #expect(deck.plan(for: facts(98, count: 3)).drops)
    #expect(!deck.plan(for: facts(100, count: 2, function: 4)).drops)
    #expect(deck.plan(for: facts(0, function: 4)).delay == 5)
    #expect(deck.plan(for: facts(0, unit: 9)).closes)
    #expect(deck.plan(for: facts(110, count: 0, function: 6)).exception == 2)
    #expect(deck.plan(for: FaultDeck.Facts(unit: 1, pdu: [17])) == FaultPlan())
    #expect(throws: FaultRule.Mistake.self) { try self.deck("drop,point=nothing") }
  }

  @Test func severalCombine() throws {
    var deck = try deck("delay=10ms", "delay=20ms", "double", "wrong-unit")
    let plan = deck.plan(for: facts())
    #expect(plan.delay == 30 && plan.doubles && plan.wrongUnit)
  }

  @Test func theSameSeedGivesTheSame() throws {
    func draws(_ seed: UInt64) throws -> [Bool] {
      var deck = try deck("drop,probability=0.3", "garbage=4,probability=0.5", seed: seed)
      return (0..<400).map { _ in deck.plan(for: facts()).drops }
    }
    #expect(try draws(7) == draws(7))
    #expect(try draws(7) != draws(8))
    #expect((80...160).contains(try draws(7).count { $0 }))
  }

  @Test func answersAreAltered() throws {
    let reply = WireFraming.mbap.frame(unit: 1, pdu: [3, 2, 0, 5], transaction: 0x0102)
    func altered(_ text: String, _ framing: WireFraming = .mbap, _ reply: [UInt8]? = nil) throws -> [UInt8] {
      var deck = try deck(text)
      let plan = deck.plan(for: facts())
      return deck.altered(reply ?? WireFraming.mbap.frame(unit: 1, pdu: [3, 2, 0, 5], transaction: 0x0102), plan, framing)
    }
    #expect(try altered("double") == reply + reply)
    #expect(try altered("truncate") == Array(reply.prefix(5)))
    #expect(try altered("truncate=0").isEmpty)
    #expect(try altered("wrong-unit") == WireFraming.mbap.frame(unit: 2, pdu: [3, 2, 0, 5], transaction: 0x0102))
    let wrong = try altered("wrong-transaction")
    #expect(wrong.dropFirst(2) == reply.dropFirst(2) && wrong[0] != 1 && wrong[1] != 2)
    #expect(try altered("garbage=30").count == 30)
    // The sum is that of the changed frame: the unit is wrong, not the line disturbed.
    let line = WireFraming.rtu.frame(unit: 1, pdu: [3, 2, 0, 5])
    #expect(try altered("wrong-unit", .rtu, line) == WireFraming.rtu.frame(unit: 2, pdu: [3, 2, 0, 5]))
    #expect(try altered("wrong-transaction", .rtu, line) == line)
  }
}
