// SPDX-License-Identifier: Apache-2.0

/// A look at the text before the YAML parser sees it: what would cost it memory or time out of proportion. The parser
/// builds every node, copies what aliases stand for, and hashes keys; a key made of nested aliases would take for ever.
struct YAMLGuard {
  /// Each node needs a separator of its own.
  static let separators = 150_000
  /// Brackets that are open at once. Real files stay below 10; texts in quotes may hold some that never close.
  static let brackets = 100
  /// With fewer aliases than this a nested key stays small.
  static let aliases = 8

  struct Finding {
    var line: Int
    var column: Int
    var message: String
    var expectation: String
  }

  static func check(_ bytes: [UInt8]) -> Finding? {
    var scan = YAMLGuard()
    for (index, byte) in bytes.enumerated() {
      if let finding = scan.step(byte, next: index + 1 < bytes.count ? bytes[index + 1] : 0x0A) { return finding }
    }
    guard scan.aliasCount > aliases, let key = scan.compoundKey else { return nil }
    return compound(line: key.line, column: key.column)
  }

  private var line = 1
  private var column = 1
  private var separatorCount = 0
  private var aliasCount = 0
  private var open = 0
  /// The byte before, and the last one that was no blank; a line end stands for "nothing before".
  private var before: UInt8 = 0x0A
  private var solid: UInt8 = 0x0A
  /// The first byte of the word before.
  private var wordStart: UInt8 = 0x0A
  /// The word that is being read is an alias.
  private var inAlias = false
  private var compoundKey: (line: Int, column: Int)?

  private mutating func step(_ byte: UInt8, next: UInt8) -> Finding? {
    let blankBefore = before == 0x20 || before == 0x09 || before == 0x0A || before == 0x0D
    switch byte {
    case 0..<0x09, 0x0B, 0x0C, 0x0E..<0x20, 0x7F:
      return Finding(
        line: line, column: column, message: "a control character (byte \(byte))", expectation: "readable text")
    case 0x0A, UInt8(ascii: ","): separatorCount += 1
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      separatorCount += 1
      open += 1
      if open > Self.brackets {
        return Finding(
          line: line, column: column, message: "too many brackets are open",
          expectation: "at most \(YAMLReader.depth) levels")
      }
    case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(0, open - 1)
    case UInt8(ascii: ":"):
      separatorCount += 1
      if inAlias || solid == UInt8(ascii: "]") || solid == UInt8(ascii: "}"), compoundKey == nil {
        compoundKey = (line, column)
      }
    case UInt8(ascii: "?"):
      if opensToken, next == 0x20 || next == 0x09 || next == 0x0A || next == 0x0D || flow || solid == 0x0A {
        return Self.compound(line: line, column: column)
      }
    case UInt8(ascii: "*"):
      if blankBefore || opensToken, Self.isName(next) { aliasCount += 1 }
    default: break
    }
    if separatorCount > Self.separators {
      return Finding(
        line: line, column: column, message: "too many entries",
        expectation: "a file with at most \(YAMLReader.nodes) values")
    }
    note(byte, blankBefore: blankBefore)
    return nil
  }

  private mutating func note(_ byte: UInt8, blankBefore: Bool) {
    let blank = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    if !blank {
      if blankBefore || Self.opens(before) {
        wordStart = byte
        inAlias = byte == UInt8(ascii: "*")
      }
      solid = byte
    }
    if byte == 0x0A {
      line += 1
      column = 1
      solid = 0x0A
      wordStart = 0x0A
      inAlias = false
    } else if byte & 0xC0 != 0x80 {
      column += 1
    }
    before = byte
  }

  private var flow: Bool { solid == UInt8(ascii: "[") || solid == UInt8(ascii: "{") || solid == UInt8(ascii: ",") }

  /// Whether a token can begin here: nothing, an indicator, an anchor or a tag before it.
  private var opensToken: Bool {
    solid == 0x0A || Self.opens(solid) || wordStart == UInt8(ascii: "&") || wordStart == UInt8(ascii: "!")
  }

  private static func opens(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: ":"),
      UInt8(ascii: "?"):
      true
    default: false
    }
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static func compound(line: Int, column: Int) -> Finding {
    Finding(
      line: line, column: column, message: "a key that is a list, a map or an alias",
      expectation: "a key that is a text")
  }
}
