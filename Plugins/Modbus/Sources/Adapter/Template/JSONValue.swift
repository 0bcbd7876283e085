// SPDX-License-Identifier: Apache-2.0

/// A number, a text or a truth value, where a template allows more than one of them.
enum JSONValue: Codable, Equatable, Sendable {
  case boolean(Bool)
  case number(Double)
  case text(String)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .boolean(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }

  var description: String {
    switch self {
    case .boolean(let value): "\(value)"
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    case .text(let value): value
    }
  }
}

/// An integer, also as text in any base (`0xFFFFFFFFFFFFFFFF`), because a JSON number holds 53 bits for sure.
struct Pattern: Decodable, Sendable {
  let bits: UInt64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(UInt64.self) {
      bits = value
    } else if let value = try? container.decode(Int64.self) {
      bits = UInt64(bitPattern: value)
    } else if let value = Self.parse(try container.decode(String.self)) {
      bits = UInt64(bitPattern: value)
    } else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "expected an integer such as 255, \"0xFF\" or -1"))
    }
  }

  static func parse(_ text: String) -> Int64? {
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      return UInt64(text.dropFirst(2), radix: 16).map { Int64(bitPattern: $0) }
    }
    return Int64(text)
  }
}
