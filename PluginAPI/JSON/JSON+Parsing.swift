// SPDX-License-Identifier: Apache-2.0

extension JSON {
  /// What a text from a stranger may cost. Memory is bounded by `values`, the stack by `depth`.
  public struct Limits: Sendable {
    public var bytes: Int
    public var depth: Int
    /// Values of any kind in the whole text.
    public var values: Int

    public init(bytes: Int = 1 << 18, depth: Int = 24, values: Int = 20_000) {
      self.bytes = bytes
      self.depth = depth
      self.values = values
    }
  }

  public struct SyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
      case unexpected, ended, number, utf8, escape, trailing
      case tooLong, tooDeep, tooMany
    }

    public var kind: Kind
    /// Where in the text, in bytes from its start.
    public var offset: Int

    public init(kind: Kind, offset: Int) {
      self.kind = kind
      self.offset = offset
    }

    public var description: String {
      switch kind {
      case .unexpected: "not JSON at byte \(offset)"
      case .ended: "the JSON ends in the middle"
      case .number: "the number at byte \(offset) is none, or out of range"
      case .utf8: "the text at byte \(offset) is not UTF-8"
      case .escape: "the escape at byte \(offset) is none"
      case .trailing: "something follows the JSON at byte \(offset)"
      case .tooLong: "the JSON is too long"
      case .tooDeep: "the JSON is nested too deeply at byte \(offset)"
      case .tooMany: "the JSON has too many values"
      }
    }
  }

  /// Reads one JSON text (RFC 8259). A byte order mark before it is skipped; half a surrogate pair becomes U+FFFD.
  public init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(SyntaxError) {
    guard bytes.count <= limits.bytes else { throw SyntaxError(kind: .tooLong, offset: limits.bytes) }
    var parser = JSONParser(bytes, limits)
    self = try parser.document()
  }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var valuesLeft: Int
  private var depthLeft: Int

  init(_ bytes: [UInt8], _ limits: JSON.Limits) {
    self.bytes = bytes
    valuesLeft = limits.values
    depthLeft = limits.depth
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func document() throws(JSON.SyntaxError) -> JSON {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw error(.trailing) }
    return value
  }

  private func error(_ kind: JSON.SyntaxError.Kind) -> JSON.SyntaxError {
    JSON.SyntaxError(kind: kind == .unexpected && position >= bytes.count ? .ended : kind, offset: position)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func value() throws(JSON.SyntaxError) -> JSON {
    skipSpace()
    valuesLeft -= 1
    guard valuesLeft >= 0 else { throw error(.tooMany) }
    switch current {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return try number()
    default: throw error(.unexpected)
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
    for byte in "\(text)".utf8 {
      guard current == byte else { throw error(.unexpected) }
      position += 1
    }
    return value
  }

  private mutating func descend() throws(JSON.SyntaxError) {
    depthLeft -= 1
    guard depthLeft >= 0 else { throw error(.tooDeep) }
    position += 1
    skipSpace()
  }

  /// After an item: true where another follows.
  private mutating func another(before end: UInt8) throws(JSON.SyntaxError) -> Bool {
    skipSpace()
    switch current {
    case UInt8(ascii: ","):
      position += 1
      return true
    case end:
      position += 1
      depthLeft += 1
      return false
    default: throw error(.unexpected)
    }
  }

  private mutating func array() throws(JSON.SyntaxError) -> JSON {
    try descend()
    var items: [JSON] = []
    if current == UInt8(ascii: "]") {
      position += 1
      depthLeft += 1
      return .array(items)
    }
    repeat { items.append(try value()) } while try another(before: UInt8(ascii: "]"))
    return .array(items)
  }

  private mutating func object() throws(JSON.SyntaxError) -> JSON {
    try descend()
    var members: [JSON.Member] = []
    if current == UInt8(ascii: "}") {
      position += 1
      depthLeft += 1
      return .object(members)
    }
    repeat {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error(.unexpected) }
      let name = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw error(.unexpected) }
      position += 1
      members.append(JSON.Member(name, try value()))
    } while try another(before: UInt8(ascii: "}"))
    return .object(members)
  }

  private mutating func number() throws(JSON.SyntaxError) -> JSON {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let first = current
    let whole = digits()
    guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw error(.number) }
    var isWhole = true
    if current == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      guard digits() > 0 else { throw error(.number) }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw error(.number) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    guard position - start <= 320, let value = Double(text), value.isFinite else { throw error(.number) }
    return .number(value)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position - start
  }

  private mutating func string() throws(JSON.SyntaxError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
          throw JSON.SyntaxError(kind: .utf8, offset: start)
        }
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw error(.unexpected) }
      position += 1
    }
    throw error(.unexpected)
  }

  /// The rest of a string in which an escape was met.
  private mutating func escapedString(from start: Int) throws(JSON.SyntaxError) -> String {
    var unescaped = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: unescaped, as: UTF8.self) else {
          throw JSON.SyntaxError(kind: .utf8, offset: start)
        }
        return text
      case UInt8(ascii: "\\"): try unescape(into: &unescaped)
      case 0..<0x20:
        position -= 1
        throw error(.unexpected)
      default: unescaped.append(byte)
      }
    }
    throw error(.unexpected)
  }

  private mutating func unescape(into out: inout [UInt8]) throws(JSON.SyntaxError) {
    guard let byte = current else { throw error(.unexpected) }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var unit = UInt32(try hexadecimal())
      if (0xD800..<0xDC00).contains(unit), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        let before = position
        position += 2
        let low = UInt32(try hexadecimal())
        if (0xDC00..<0xE000).contains(low) {
          unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        } else {
          position = before
        }
      }
      out.append(contentsOf: String(Character(Unicode.Scalar(unit) ?? "\u{FFFD}")).utf8)
    default:
      position -= 1
      throw error(.escape)
    }
  }

  private mutating func hexadecimal() throws(JSON.SyntaxError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error(.escape) }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
