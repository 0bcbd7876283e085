// SPDX-License-Identifier: Apache-2.0

/// One reading of some points of a device, without any I/O: says what to ask for next, takes what came, and gives the
/// points' values. A request that the device refuses as a whole is halved until the missing values are found.
package struct ReadRun: Sendable {
  /// What is kept from one reading to the next.
  package struct Memory: Sendable {
    package var lessons = BlockPlanner.Lessons()
    /// Addresses that the device does not have, and when to ask again.
    package var absent: [Address: Int64] = [:]
    /// When a block was last asked for, so that a reading cut short goes on where it stopped.
    package var asked: [Address: Int64] = [:]
    package init() {}
  }

  /// How long a missing address is left alone, in nanoseconds: firmware updates do add registers.
  package static let absenceTime: Int64 = 60 * 1_000_000_000

  private enum Result {
    case words(ArraySlice<UInt16>)
    case bad(BadReason, UInt8)
  }

  private let planner: BlockPlanner
  private let now: Int64
  private let points: [Point]
  private var fields: [Field] = []
  private var results: [Int: Result] = [:]
  private var queue: [Block] = []
  package private(set) var memory: Memory

  /// `now` in nanoseconds, of a clock that does not go back.
  package init(_ map: DeviceMap, due points: [Point], memory: Memory, now: Int64) {
    planner = BlockPlanner(map.limits, explicitBlocks: map.explicitBlocks + map.windows.map(\.content))
    self.now = now
    self.points = points
    self.memory = memory
    fields = points.flatMap { $0.reading?.fields ?? [] }
    for (index, field) in fields.enumerated() {
      guard let until = memory.absent[field.address] else { continue }
      if now < until {
        results[index] = .bad(.device, ExceptionCode.illegalAddress)
      } else {
        self.memory.absent[field.address] = nil
      }
    }
    queue = planner.blocks(for: fields.indices.filter { results[$0] == nil }.map { fields[$0] }, memory.lessons)
      .sorted { (memory.asked[$0.address] ?? 0, $0.address) < (memory.asked[$1.address] ?? 0, $1.address) }
  }

  /// The next request, nil where nothing is left.
  package func next() -> Block? { queue.first }

  /// The answer to the request that `next` gave; `words` are as many as were asked for.
  package mutating func answered(_ words: [UInt16]) {
    guard let block = pop(), words.count == block.count else { return }
    for index in members(of: block) {
      let start = fields[index].address.register - block.address.register
      results[index] = .words(words[start..<(start + fields[index].count)])
    }
  }

  /// The device answered with an exception.
  package mutating func refused(code: UInt8) {
    guard let block = pop() else { return }
    let members = members(of: block)
    let isAboutTheRange = code == ExceptionCode.illegalAddress || code == ExceptionCode.illegalValue
    if isAboutTheRange, planner.explicitBlocks.contains(block),
      memory.lessons.refusedBlocks.insert(block.address).inserted
    {
      queue.insert(contentsOf: planner.blocks(for: members.map { fields[$0] }, memory.lessons), at: 0)
      return
    }
    let starts = Set(members.map { fields[$0].address }).sorted()
    if isAboutTheRange, starts.count > 1, memory.lessons.cuts.insert(starts[starts.count / 2]).inserted {
      queue.insert(contentsOf: planner.blocks(for: members.map { fields[$0] }, memory.lessons), at: 0)
      return
    }
    for index in members {
      results[index] = .bad(.device, code)
      if code == ExceptionCode.illegalAddress { memory.absent[fields[index].address] = now + Self.absenceTime }
    }
  }

  /// No usable answer came.
  package mutating func failed(_ reason: BadReason, code: UInt8 = 0) {
    guard let block = pop() else { return }
    for index in members(of: block) { results[index] = .bad(reason, code) }
  }

  /// Nothing more will be asked; what is left is bad for this reason.
  package mutating func abandon(_ reason: BadReason, code: UInt8 = 0) {
    while !queue.isEmpty { failed(reason, code: code) }
  }

  /// The values so far, in the order of the points; nil where a point has not been asked for yet.
  package func values() -> [PointValue?] {
    var first = 0
    return points.map { point in
      guard let reading = point.reading else { return nil }
      defer { first += reading.fields.count }
      return value(of: point, reading, (first..<(first + reading.fields.count)).map { results[$0] })
    }
  }

  private mutating func pop() -> Block? {
    guard !queue.isEmpty else { return nil }
    let block = queue.removeFirst()
    memory.asked[block.address] = now
    return block
  }

  private func members(of block: Block) -> [Int] {
    fields.indices.filter { results[$0] == nil && block.contains(fields[$0]) }
  }

  private func value(of point: Point, _ reading: Reading, _ results: [Result?]) -> PointValue? {
    var words: [ArraySlice<UInt16>?] = []
    for (index, result) in results.enumerated() {
      switch result {
      case nil: return nil
      case .words(let slice): words.append(slice)
      case .bad(let reason, let code):
        // A register that this model does not have counts as one without a value.
        guard reason == .device, code == ExceptionCode.illegalAddress, reading.absent(index) != nil else {
          return .bad(reason, code: code)
        }
        words.append(nil)
      }
    }
    return reading.value(words, plausible: point.plausible)
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
    switch self {
    case .number(let terms):
      var sum = 0.0
      var rest = words[...]
      for term in terms {
        let own = rest.prefix(term.fields.count)
        rest = rest.dropFirst(own.count)
        switch term.value(Array(own)) {
        case .number(let number): sum += number
        case .none:
          guard let absent = term.absent else { return .bad(.device) }
          sum += absent
        case .nonsense: return .bad(.decode)
        }
      }
      if let plausible, !plausible.contains(sum) { return .bad(.limit) }
      return .number(sum)
    case .label(let field, let codes, let other):
      guard let words = words[0], let code = field.code(words) else { return .bad(.device) }
      if let index = codes[code] ?? other { return .label(index) }
      return .bad(.decode)
    case .flag(let field, let bit):
      guard let words = words[0], let code = field.code(words) else { return .bad(.device) }
      return .flag(code >> Int64(bit) & 1 == 1)
    case .text(let field):
      guard let words = words[0], case .text(let text) = field.decode(words) else { return .bad(.device) }
      return .text(text)
    }
  }
}

extension Term {
  fileprivate enum Decoded {
    case number(Double)
    case none, nonsense
  }

  fileprivate func value(_ words: [ArraySlice<UInt16>?]) -> Decoded {
    guard let own = words[0] else { return .none }
    var field = field
    if let power {
      guard let words = words[1], let code = power.code(words) else { return .none }
      guard let exponent = Int(exactly: code), Field.powers.contains(exponent) else { return .nonsense }
      field = field.scaled(byPowerOfTen: exponent)
    }
    guard case .number(let number) = field.decode(own) else { return .none }
    guard let times else { return .number(number) }
    guard let words = words[fields.count - 1], case .number(let factor) = times.decode(words) else { return .none }
    return .number(number * factor)
  }
}
