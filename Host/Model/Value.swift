// SPDX-License-Identifier: Apache-2.0

/// One value of a point. Numbers are finite.
package enum Value: Hashable, Sendable {
  case number(Double)
  case integer(Int64)
  case boolean(Bool)
  case text(String)

  /// The value as a number; booleans are 0 and 1, text has none.
  package var number: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    case .boolean(let value): value ? 1 : 0
    case .text: nil
    }
  }

  package var json: JSONValue {
    switch self {
    case .number(let value): .number(value)
    case .integer(let value): .integer(value)
    case .boolean(let value): .boolean(value)
    case .text(let value): .string(value)
    }
  }

  /// Nil for null, arrays and objects.
  package init?(json: JSONValue) {
    switch json {
    case .number(let value): self = .number(value)
    case .integer(let value): self = .integer(value)
    case .boolean(let value): self = .boolean(value)
    case .string(let value): self = .text(value)
    case .null, .array, .object: return nil
    }
  }
}

extension Value: CustomStringConvertible {
  package var description: String {
    switch self {
    case .number(let value): JSONWriter.text(value, resolution: 0)
    case .integer(let value): String(value)
    case .boolean(let value): value ? "true" : "false"
    case .text(let value): value
    }
  }
}
