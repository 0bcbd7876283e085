// SPDX-License-Identifier: Apache-2.0

/// What is done to one answer. Several faults combine.
package struct FaultPlan: Equatable, Sendable {
  package var exception: UInt8?
  /// Milliseconds.
  package var delay = 0
  package var drops = false
  package var closes = false
  package var wrongTransaction = false
  package var wrongUnit = false
  package var truncates = false
  package var kept: Int?
  package var doubles = false
  package var garbage = false
  package var garbageCount: Int?
  /// Milliseconds between two bytes.
  package var drip: Int?

  package init() {}

  /// The answer as it goes out.
  package func altered(_ reply: [UInt8], _ framing: WireFraming, _ random: inout SplitMix) -> [UInt8] {
    var bytes = reply
    if wrongUnit, let content = framing.content(of: bytes) {
      bytes = framing.frame(unit: content.unit &+ 1, pdu: content.pdu, transaction: content.transaction)
    }
    if wrongTransaction, framing == .mbap, bytes.count > 1 {
      bytes[0] ^= 0x5A
      bytes[1] ^= 0xA5
    }
    if garbage { bytes = (0..<(garbageCount ?? bytes.count)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
    if truncates { bytes = Array(bytes.prefix(kept ?? bytes.count / 2)) }
    if doubles { bytes += bytes }
    return bytes
  }
}

/// The faults of a simulated device: decides for each request, the same way again for the same seed and requests.
package struct FaultDeck: Sendable {
  /// What a request is about, as far as conditions ask.
  package struct Facts: Equatable, Sendable {
    package var unit: UInt8
    package var function: UInt8
    package var registers: Range<Int>
    package var table: Table?

    package init(unit: UInt8, pdu: [UInt8]) {
      self.unit = unit
      function = pdu.first ?? 0
      func word(_ index: Int) -> Int { pdu.count > index + 1 ? Int(pdu[index]) << 8 | Int(pdu[index + 1]) : 0 }
      switch function {
      case 1...4, 15, 16, 23: registers = word(1)..<(word(1) + max(1, word(3)))
      case 5, 6, 22: registers = word(1)..<(word(1) + 1)
      default: registers = 0..<0
      }
      switch function {
      case 1, 5, 15: table = .coil
      case 2: table = .discrete
      case 3, 6, 16, 22, 23: table = .holding
      case 4: table = .input
      default: table = nil
      }
    }
  }

  fileprivate struct Card: Sendable {
    var rule: FaultRule
    /// Registers of the rule's point; nil where it names none.
    var addresses: Set<Address>?
    var meant = 0
    var happened = 0
  }

  fileprivate var cards: [Card] = []
  private(set) package var random: SplitMix

  /// `addresses` are the registers of a point by its name; nil = no such point.
  package init(
    _ rules: [FaultRule], seed: UInt64, addresses: (String) -> Set<Address>?
  ) throws(FaultRule.Mistake) {
    random = SplitMix(seed: seed)
    for rule in rules {
      var card = Card(rule: rule)
      if let point = rule.point {
        guard let found = addresses(point) else { throw FaultRule.Mistake(description: "there is no point \(point)") }
        card.addresses = found
      }
      cards.append(card)
    }
  }

  package var isEmpty: Bool { cards.isEmpty }
  package var isSingle: Bool { cards.contains { $0.rule.kind == .single } }

  package mutating func plan(for facts: Facts) -> FaultPlan {
    var plan = FaultPlan()
    for index in cards.indices where cards[index].means(facts) {
      if cards[index].happens(&random) { plan.add(cards[index].rule.kind) }
    }
    return plan
  }

  package mutating func altered(_ reply: [UInt8], _ plan: FaultPlan, _ framing: WireFraming) -> [UInt8] {
    plan.altered(reply, framing, &random)
  }
}

extension FaultDeck.Card {
  fileprivate func means(_ facts: FaultDeck.Facts) -> Bool {
    if let unit = rule.unit, unit != facts.unit { return false }
    if let function = rule.function, function != facts.function { return false }
    if let wanted = rule.registers, !facts.registers.contains(where: { wanted.contains($0) }) { return false }
    guard let addresses else { return true }
    guard let table = facts.table else { return false }
    return facts.registers.contains { addresses.contains(Address(table, $0)) }
  }

  /// Counts the request, and draws where there is a probability: what is drawn depends on nothing else.
  fileprivate mutating func happens(_ random: inout SplitMix) -> Bool {
    meant += 1
    guard meant > rule.after, (meant - rule.after) % (rule.every ?? 1) == 0 else { return false }
    if let probability = rule.probability, random.share() >= probability { return false }
    if let times = rule.times, happened >= times { return false }
    happened += 1
    return true
  }
}

extension FaultPlan {
  fileprivate mutating func add(_ kind: FaultRule.Kind) {
    switch kind {
    case .exception(let code): exception = code
    case .delay(let time): delay += time
    case .drop: drops = true
    case .close: closes = true
    case .wrongTransaction: wrongTransaction = true
    case .wrongUnit: wrongUnit = true
    case .truncate(let count): (truncates, kept) = (true, count)
    case .double: doubles = true
    case .garbage(let count): (garbage, garbageCount) = (true, count)
    case .drip(let pause): drip = pause
    case .single: break
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere for the same seed.
package struct SplitMix: Equatable, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// From 0 up to 1.
  package mutating func share() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
