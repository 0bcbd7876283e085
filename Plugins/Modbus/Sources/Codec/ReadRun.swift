// SPDX-License-Identifier: Apache-2.0

/// One reading of some points of a device, without any I/O: says what to ask for next, takes what came, and gives the
/// points' values. A request that the device refuses as a whole is halved until the missing values are found.
package struct ReadRun: Sendable {
  /// What is kept from one reading to the next.
  package struct Memory: Sendable {
    package var lessons = BlockPlanner.Lessons()
    /// Addresses that the device does not have, and when to ask again.
    package var absent: [Address: Int64] = [:]
    /// When requests were last made, 0 for never: a reading that is cut short goes on with the oldest. Empty while all are made in
    /// every reading.
    fileprivate var asked: [Address: Int64] = [:]
    package init() {}
  }

  /// How long a missing address is left alone, in nanoseconds: firmware updates do add registers.
  package static let absenceTime: Int64 = 60 * 1_000_000_000

  private let plan: ReadPlan
  private let now: Int64
  private var findings: [ReadPlan.Finding]
  /// All that was answered.
  private var words: [UInt16] = []
  private var queue: ArraySlice<ReadPlan.Asked>
  private var learnt: Memory

  /// `now` in nanoseconds, of a clock that does not go back.
  package init(_ plan: ReadPlan, memory: Memory, now: Int64) {
    self.plan = plan
    self.now = now
    findings = plan.findings
    queue = plan.requests[...]
    learnt = memory
    guard !memory.asked.isEmpty else { return }
    let ordered = plan.requests.map { (asked: memory.asked[$0.block.address] ?? 0, request: $0) }
    queue = ordered.sorted { ($0.asked, $0.request.block.address) < ($1.asked, $1.request.block.address) }.map(\.request)[...]
  }

  /// A reading of points that are not read regularly.
  package init(_ map: DeviceMap, due points: [Point], memory: Memory, now: Int64) {
    var memory = memory
    let plan = ReadPlan(map, points, memory: &memory, now: now)
    self.init(plan, memory: memory, now: now)
  }

  /// For the next reading.
  package var memory: Memory {
    var memory = learnt
    if queue.isEmpty {
      // Nobody waits any more where all were asked.
      if !memory.asked.isEmpty, Set(plan.requests.map(\.block.address)).isSuperset(of: memory.asked.keys) { memory.asked = [:] }
    } else {
      let left = Set(queue.map(\.block.address))
      for address in plan.requests.map(\.block.address) {
        memory.asked[address] = left.contains(address) ? memory.asked[address] ?? 0 : now
      }
    }
    return memory
  }

  /// The next request, nil where nothing is left.
  package func next() -> Block? { queue.first?.block }

  /// The answer to the request that `next` gave; `words` are as many as were asked for.
  package mutating func answered(_ words: [UInt16]) {
    guard let asked = pop(), words.count == asked.block.count else { return }
    let start = self.words.count
    if start == 0 { self.words = words } else { self.words += words }
    for member in asked.members where findings[member.field] == .unknown {
      findings[member.field] = .words(start + member.offset)
    }
  }

  /// The device answered with an exception.
  package mutating func refused(code: UInt8) {
    guard let asked = pop() else { return }
    let block = asked.block
    let fields = plan.points.readFields
    let members = asked.members.map(\.field).filter { findings[$0] == .unknown }
    let isAboutTheRange = code == ExceptionCode.illegalAddress || code == ExceptionCode.illegalValue
    if isAboutTheRange, plan.planner.explicitBlocks.contains(block),
      learnt.lessons.refusedBlocks.insert(block.address).inserted
    {
      return ask(members, of: fields, insteadOf: block)
    }
    let starts = Set(members.map { fields[$0].address }).sorted()
    if isAboutTheRange, starts.count > 1, learnt.lessons.cuts.insert(starts[starts.count / 2]).inserted {
      return ask(members, of: fields, insteadOf: block)
    }
    for place in members {
      findings[place] = .bad(.device, code)
      if code == ExceptionCode.illegalAddress { learnt.absent[fields[place].address] = now + Self.absenceTime }
    }
  }

  /// First of all for these, by what has been learnt now.
  private mutating func ask(_ members: [Int], of fields: [Field], insteadOf block: Block) {
    learnt.asked[block.address] = nil
    let blocks = plan.planner.blocks(for: members.map { fields[$0] }, learnt.lessons)
    queue = (blocks.map { ReadPlan.asked($0, fields) } + queue)[...]
  }

  /// No usable answer came.
  package mutating func failed(_ reason: BadReason, code: UInt8 = 0) {
    guard let asked = pop() else { return }
    for member in asked.members where findings[member.field] == .unknown { findings[member.field] = .bad(reason, code) }
  }

  /// Nothing more will be asked; what is left is bad for this reason.
  package mutating func abandon(_ reason: BadReason, code: UInt8 = 0) {
    while !queue.isEmpty { failed(reason, code: code) }
  }

  /// The values so far, in the order of the points; nil where a point has not been asked for yet.
  package func values() -> [PointValue?] {
    let findings = findings
    let words = words
    return plan.points.indices.map { index in
      let places = plan.places[index]..<plan.places[index + 1]
      return plan.points[index].value(findings[places]) { words[$0] }
    }
  }

  private mutating func pop() -> ReadPlan.Asked? {
    let asked = queue.popFirst()
    if let asked, !learnt.asked.isEmpty, let place = learnt.asked.index(forKey: asked.block.address) {
      learnt.asked.values[place] = now
    }
    return asked
  }
}

extension Point {
  /// From what is known of its fields; nil where one has not been asked for. `words` gives registers that were answered.
  fileprivate func value(
    _ findings: ArraySlice<ReadPlan.Finding>, _ words: (Range<Int>) -> ArraySlice<UInt16>
  ) -> PointValue? {
    guard let reading else { return nil }
    for place in findings.indices {
      switch findings[place] {
      case .unknown: return nil
      case .words: break
      case .bad(let reason, let code):
        // A register that this model does not have counts as one without a value.
        guard reason == .device, code == ExceptionCode.illegalAddress, reading.absent(place - findings.startIndex) != nil
        else { return .bad(reason, code: code) }
      }
    }
    return reading.value(plausible: plausible) { index, field in
      guard case .words(let start) = findings[findings.startIndex + index] else { return nil }
      return words(start..<(start + field.count))
    }
  }
}

extension Reading {
  /// What the term with this field counts where it is not there.
  fileprivate func absent(_ index: Int) -> Double? {
    guard case .number(let terms) = self else { return nil }
    return terms.flatMap { term in term.fields.map { _ in term.absent } }[index]
  }

  /// The value from the registers of the fields, in their order; nil for a register that is not there.
  package func value(_ words: [ArraySlice<UInt16>?], plausible: ClosedRange<Double>?) -> PointValue {
    value(plausible: plausible) { index, _ in words[index] }
  }

  /// `words` gives the registers of a field by its place among those of the reading.
  fileprivate func value(plausible: ClosedRange<Double>?, _ words: (Int, Field) -> ArraySlice<UInt16>?) -> PointValue {
    switch self {
    case .number(let terms):
      var sum = 0.0
      var place = 0
      for term in terms {
        switch term.value({ words(place + $0, $1) }) {
        case .number(let number): sum += number
        case .none:
          guard let absent = term.absent else { return .bad(.device) }
          sum += absent
        case .nonsense: return .bad(.decode)
        }
        place += term.fieldCount
      }
      if let plausible, !plausible.contains(sum) { return .bad(.limit) }
      return .number(sum)
    case .label(let field, let codes, let other):
      guard let words = words(0, field), let code = field.code(words) else { return .bad(.device) }
      if let index = codes[code] ?? other { return .label(index) }
      return .bad(.decode)
    case .flag(let field, let bit):
      guard let words = words(0, field), let code = field.code(words) else { return .bad(.device) }
      return .flag(code >> Int64(bit) & 1 == 1)
    case .text(let field):
      guard let words = words(0, field), case .text(let text) = field.decode(words) else { return .bad(.device) }
      return .text(text)
    }
  }
}

extension Term {
  fileprivate enum Decoded {
    case number(Double)
    case none, nonsense
  }

  fileprivate func value(_ words: (Int, Field) -> ArraySlice<UInt16>?) -> Decoded {
    guard let own = words(0, field) else { return .none }
    let decoded: Field.Decoded
    if let power {
      guard let words = words(1, power), let code = power.code(words) else { return .none }
      guard let exponent = Int(exactly: code), Field.powers.contains(exponent) else { return .nonsense }
      decoded = field.scaled(byPowerOfTen: exponent).decode(own)
    } else {
      decoded = field.decode(own)
    }
    guard case .number(let number) = decoded else { return .none }
    guard let times else { return .number(number) }
    guard let words = words(fieldCount - 1, times), case .number(let factor) = times.decode(words) else { return .none }
    return .number(number * factor)
  }
}
