// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Why a text is not taken as JSON.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
  package var description: String

  package init(description: String) { self.description = description }
}

extension JSONValue {
  /// Reads a JSON text from whoever. Nesting is counted before anything is parsed, so that no text can exhaust the stack;
  /// the caller limits the size.
  package init(parsing bytes: [UInt8], depth limit: Int = 16) throws(JSONSyntaxError) {
    guard Self.depth(of: bytes) <= limit else {
      throw JSONSyntaxError(description: "the JSON is nested deeper than \(limit) levels")
    }
    do {
      self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      throw JSONSyntaxError(description: "this is not JSON, or a number in it is out of range")
    }
  }

  /// The greatest number of brackets open at once outside of strings; right for every valid text, an upper bound of what
  /// a parser meets in others.
  private static func depth(of bytes: [UInt8]) -> Int {
    var depth = 0
    var deepest = 0
    var quoted = false
    var escaped = false
    for byte in bytes {
      if quoted {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          quoted = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): quoted = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
    }
    return deepest
  }
}
