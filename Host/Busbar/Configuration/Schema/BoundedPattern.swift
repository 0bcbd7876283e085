// SPDX-License-Identifier: Apache-2.0

/// A regular expression whose time is bounded by its size times the text's: patterns come from plugins, texts from people.
/// Knows literals, `.`, classes, `\d \w \s`, groups, `|`, `* + ? {m,n}`, `^` and `$`; no look-around, no back-references.
struct BoundedPattern {
  struct Invalid: Error {}

  /// Characters of a pattern, and of a text that is compared with it.
  static let patternLimit = 256
  static let textLimit = 4096
  /// Steps after repetitions are written out.
  static let stepLimit = 2000

  indirect enum Tree {
    case empty, start, end
    case set(Set)
    case sequence([Tree])
    case choice([Tree])
    case repeated(Tree, Int, Int?)
  }

  struct Set {
    var ranges: [ClosedRange<UInt32>]
    var inverted = false

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != inverted }
  }

  private enum Step {
    case set(Set)
    case split(Int, Int)
    case jump(Int)
    case start, end, match
  }

  private var steps: [Step] = []
  /// Also counts what leaves no step, so that repetitions of nothing end too.
  private var work = 0

  init(_ pattern: String) throws(Invalid) {
    guard pattern.unicodeScalars.count <= Self.patternLimit else { throw Invalid() }
    var parser = PatternParser(pattern)
    try emit(try parser.parse())
    steps.append(.match)
  }

  /// Whether the pattern is found anywhere in the text.
  func matches(_ text: String) -> Bool {
    let scalars = text.unicodeScalars.prefix(Self.textLimit + 1).map(\.value)
    guard scalars.count <= Self.textLimit else { return false }
    var current: [Int] = []
    for index in 0...scalars.count {
      var seen = [Bool](repeating: false, count: steps.count)
      var reached: [Int] = []
      for step in current + [0] where follow(step, at: index, of: scalars.count, seen: &seen, into: &reached) {
        return true
      }
      guard index < scalars.count else { return false }
      current = reached.filter { if case .set(let set) = steps[$0] { set.contains(scalars[index]) } else { false } }.map
      { $0 + 1 }
    }
    return false
  }

  /// Adds what can be reached without reading; true where that is the end of the pattern.
  private func follow(_ first: Int, at index: Int, of count: Int, seen: inout [Bool], into reached: inout [Int]) -> Bool
  {
    var stack = [first]
    while let step = stack.popLast() {
      if seen[step] { continue }
      seen[step] = true
      switch steps[step] {
      case .set: reached.append(step)
      case .split(let one, let other): stack += [other, one]
      case .jump(let target): stack.append(target)
      case .start: if index == 0 { stack.append(step + 1) }
      case .end: if index == count { stack.append(step + 1) }
      case .match: return true
      }
    }
    return false
  }

  private mutating func emit(_ tree: Tree) throws(Invalid) {
    work += 1
    guard work < 2 * Self.stepLimit, steps.count < Self.stepLimit else { throw Invalid() }
    switch tree {
    case .empty: break
    case .start: steps.append(.start)
    case .end: steps.append(.end)
    case .set(let set): steps.append(.set(set))
    case .sequence(let parts): for part in parts { try emit(part) }
    case .choice(let parts): try emit(choice: parts[...])
    case .repeated(let part, let low, let high):
      for _ in 0..<low { try emit(part) }
      if let high {
        for _ in low..<high { try optional(part) }
      } else {
        let split = steps.count
        steps.append(.jump(0))
        try emit(part)
        steps.append(.jump(split))
        steps[split] = .split(split + 1, steps.count)
      }
    }
  }

  private mutating func optional(_ part: Tree) throws(Invalid) {
    let split = steps.count
    steps.append(.jump(0))
    try emit(part)
    steps[split] = .split(split + 1, steps.count)
  }

  private mutating func emit(choice parts: ArraySlice<Tree>) throws(Invalid) {
    guard let first = parts.first else { return }
    guard parts.count > 1 else { return try emit(first) }
    let split = steps.count
    steps.append(.jump(0))
    try emit(first)
    let jump = steps.count
    steps.append(.jump(0))
    steps[split] = .split(split + 1, steps.count)
    try emit(choice: parts.dropFirst())
    steps[jump] = .jump(steps.count)
  }
}
