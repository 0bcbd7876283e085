// SPDX-License-Identifier: Apache-2.0

/// From the text of a regular expression to its tree.
struct PatternParser {
  private let scalars: [UInt32]
  private var index = 0

  init(_ pattern: String) { scalars = pattern.unicodeScalars.map(\.value) }

  mutating func parse() throws(BoundedPattern.Invalid) -> BoundedPattern.Tree {
    let tree = try choice(level: 0)
    guard index == scalars.count else { throw .init() }
    return tree
  }

  private var peek: Unicode.Scalar? { index < scalars.count ? Unicode.Scalar(scalars[index]) : nil }

  private mutating func next() -> Unicode.Scalar? {
    defer { index += 1 }
    return peek
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == scalar else { return false }
    index += 1
    return true
  }

  private mutating func choice(level: Int) throws(BoundedPattern.Invalid) -> BoundedPattern.Tree {
    guard level < 32 else { throw .init() }
    var parts: [BoundedPattern.Tree] = []
    repeat {
      var sequence: [BoundedPattern.Tree] = []
      while let scalar = peek, scalar != "|", scalar != ")" {
        sequence.append(try repetition(of: try atom(level: level)))
      }
      parts.append(.sequence(sequence))
    } while take("|")
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func repetition(of atom: BoundedPattern.Tree) throws(BoundedPattern.Invalid) -> BoundedPattern.Tree {
    var tree = atom
    while let scalar = peek {
      switch scalar {
      case "*": tree = .repeated(tree, 0, nil)
      case "+": tree = .repeated(tree, 1, nil)
      case "?": tree = .repeated(tree, 0, 1)
      case "{":
        index += 1
        let low = try number()
        let high = take(",") ? (peek == "}" ? nil : try number()) : low
        guard peek == "}", high ?? low >= low else { throw .init() }
        tree = .repeated(tree, low, high)
      default: return tree
      }
      index += 1
      // A lazy repetition finds the same texts.
      _ = take("?")
      guard peek != "*", peek != "+", peek != "{" else { throw .init() }
    }
    return tree
  }

  private mutating func number() throws(BoundedPattern.Invalid) -> Int {
    var value = 0
    let first = index
    while let scalar = peek, ("0"..."9").contains(scalar), index - first < 4 {
      value = value * 10 + Int(scalar.value - 0x30)
      index += 1
    }
    guard index > first else { throw .init() }
    return value
  }

  private mutating func atom(level: Int) throws(BoundedPattern.Invalid) -> BoundedPattern.Tree {
    guard let scalar = next() else { throw .init() }
    switch scalar {
    case "^": return .start
    case "$": return .end
    case ".": return .set(.init(ranges: [0x0A...0x0A, 0x0D...0x0D], inverted: true))
    case "[": return .set(try set())
    case "(":
      if take("?"), !take(":") { throw .init() }
      let tree = try choice(level: level + 1)
      guard take(")") else { throw .init() }
      return tree
    case "\\": return .set(try escape())
    case "*", "+", "?", "{", ")": throw .init()
    default: return .set(.init(ranges: [scalar.value...scalar.value]))
    }
  }

  private mutating func escape() throws(BoundedPattern.Invalid) -> BoundedPattern.Set {
    guard let scalar = next() else { throw .init() }
    let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    let space: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20, 0xA0...0xA0]
    switch scalar {
    case "d": return .init(ranges: [0x30...0x39])
    case "D": return .init(ranges: [0x30...0x39], inverted: true)
    case "w": return .init(ranges: word)
    case "W": return .init(ranges: word, inverted: true)
    case "s": return .init(ranges: space)
    case "S": return .init(ranges: space, inverted: true)
    case "n": return .init(ranges: [0x0A...0x0A])
    case "t": return .init(ranges: [0x09...0x09])
    case "a"..."z", "A"..."Z", "0"..."9": throw .init()
    default: return .init(ranges: [scalar.value...scalar.value])
    }
  }

  private mutating func set() throws(BoundedPattern.Invalid) -> BoundedPattern.Set {
    var set = BoundedPattern.Set(ranges: [], inverted: take("^"))
    while let scalar = next() {
      if scalar == "]" { return set }
      var low = scalar.value
      if scalar == "\\" {
        let inner = try escape()
        guard !inner.inverted else { throw .init() }
        guard inner.ranges.count == 1, let only = inner.ranges.first, only.count == 1 else {
          set.ranges += inner.ranges
          continue
        }
        low = only.lowerBound
      }
      guard peek == "-", index + 1 < scalars.count, scalars[index + 1] != 0x5D else {
        set.ranges.append(low...low)
        continue
      }
      index += 1
      guard let end = next() else { throw .init() }
      let high = end == "\\" ? try escape().ranges.first?.lowerBound ?? 0 : end.value
      guard low <= high else { throw .init() }
      set.ranges.append(low...high)
    }
    throw .init()
  }
}
