// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What stands behind the device in `busbar command DEVICE POINT=VALUE|ACTION [k=v…]`.
package enum CommandWords: Sendable, Equatable {
  /// `.null` releases.
  case set(point: String, value: JSONValue)
  case action(name: String, arguments: [String: JSONValue])

  package struct Mistake: Error, Equatable, CustomStringConvertible {
    package var description: String
  }

  package init(_ words: [String]) throws(Mistake) {
    guard let first = words.first else { throw Mistake(description: "POINT=VALUE or ACTION is missing") }
    guard first.contains("=") else {
      var arguments: [String: JSONValue] = [:]
      for word in words.dropFirst() {
        let (name, text) = try Self.pair(word)
        let value = Self.argument(text)
        guard arguments.updateValue(value, forKey: name) == nil else {
          throw Mistake(description: "'\(name)' is given twice")
        }
      }
      self = .action(name: first, arguments: arguments)
      return
    }
    guard words.count == 1 else {
      throw Mistake(description: "one POINT=VALUE at a time; '\(words[1])' is too much (k=v belongs to an action)")
    }
    let (point, text) = try Self.pair(first)
    self = .set(point: point, value: Self.value(text))
  }

  /// A number, true, false, null, or else a text.
  package static func value(_ text: String) -> JSONValue {
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "null": return .null
    default: break
    }
    guard let first = text.utf8.first, first.isDigit || first == UInt8(ascii: "-") || first == UInt8(ascii: "+"),
      text.utf8.allSatisfy({ $0.isDigit || "+-.eE".utf8.contains($0) })
    else { return .string(text) }
    if let integer = Int64(text) { return .integer(integer) }
    if let number = Double(text), number.isFinite { return .number(number) }
    return .string(text)
  }

  /// As `value`, where a number is only what reads the same again: 04123456, 12E4 and what has more digits than an integer may be the
  /// tag of a card, and one that is changed belongs to somebody else.
  package static func argument(_ text: String) -> JSONValue {
    switch value(text) {
    case .integer(let integer): String(integer) == text ? .integer(integer) : .string(text)
    case .number(let number):
      text.contains(".") && !text.contains { $0 == "e" || $0 == "E" || $0 == "+" } && !text.trimmingPrefix("-").hasPrefix("00")
        ? .number(number) : .string(text)
    case let other: other
    }
  }

  /// The smallest steps of the points, from the answer of `/devices/{id}`.
  package static func resolutions(_ device: JSONValue) -> [String: Double] {
    var steps: [String: Double] = [:]
    for point in device["points"]?.array ?? [] {
      if let name = point["name"]?.string { steps[name] = point["resolution"]?.number }
    }
    return steps
  }

  /// Whether what was read is what was written, as far as the point can tell.
  package static func agree(_ written: JSONValue, _ read: JSONValue, resolution: Double) -> Bool {
    guard let wanted = written.number, let seen = read.number else { return written == read }
    return abs(wanted - seen) <= max(resolution, 1e-9 * abs(wanted))
  }

  private static func pair(_ word: String) throws(Mistake) -> (String, String) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw Mistake(description: "'\(word)' is not NAME=VALUE") }
    return (String(parts[0]), String(parts[1]))
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
