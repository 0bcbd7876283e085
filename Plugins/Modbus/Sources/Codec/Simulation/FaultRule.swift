// SPDX-License-Identifier: Apache-2.0

/// One fault of a simulated device, and when it happens: `delay=500ms,every=10`, `exception=2,register=40000-40010`.
package struct FaultRule: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// Exception code instead of the answer; the request is not carried out.
    case exception(UInt8)
    /// Milliseconds before the answer.
    case delay(Int)
    /// The request is carried out, the answer does not come.
    case drop
    /// The connection is closed instead of the answer.
    case close
    case wrongTransaction
    case wrongUnit
    /// Only so many bytes of the answer; nil = half of them.
    case truncate(Int?)
    /// The answer twice.
    case double
    /// So many random bytes instead of the answer; nil = as many as it has.
    case garbage(Int?)
    /// The answer byte by byte, so many milliseconds between them.
    case drip(Int)
    /// One client at a time; further connections are closed at once.
    case single
  }

  package var kind: Kind
  /// 0 to 1; nil = always.
  package var probability: Double?
  /// Each so many-th of the requests that are meant; nil = each.
  package var every: Int?
  /// Not for so many of the requests that are meant, counted from the first.
  package var after = 0
  /// At most so often; nil = without end.
  package var times: Int?
  /// Requests that touch one of these, in any table.
  package var registers: ClosedRange<Int>?
  /// Requests that touch the registers of this point.
  package var point: String?
  package var function: UInt8?
  package var unit: UInt8?

  package static let faults = [
    "exception=CODE", "busy", "delay=TIME", "drop", "close", "wrong-transaction", "wrong-unit", "truncate[=BYTES]",
    "double", "garbage[=BYTES]", "drip[=TIME]", "single",
  ]
  package static let conditions = [
    "probability=0.1", "every=N", "after=N", "times=N", "register=N or FROM-TO", "point=NAME", "function=N", "unit=N",
  ]

  package struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String
  }

  package init(_ text: String) throws(Mistake) {
    guard text.utf8.count <= 256 else { throw Mistake(description: "longer than 256 bytes") }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (name: sides[0], value: sides.count > 1 ? sides[1] : nil)
    }
    kind = try Self.kind(parts[0].name, parts[0].value)
    for part in parts.dropFirst() { try take(part.name, part.value) }
    if kind == .single, parts.count > 1 { throw Mistake(description: "single takes no conditions") }
  }

  private static func kind(_ name: String, _ value: String?) throws(Mistake) -> Kind {
    switch name {
    case "exception": return .exception(UInt8(try number(name, value, 1...255)))
    case "delay": return .delay(try time(name, value))
    case "drip": return .drip(value == nil ? 20 : try time(name, value))
    case "truncate": return .truncate(value == nil ? nil : try number(name, value, 0...600))
    case "garbage": return .garbage(value == nil ? nil : try number(name, value, 1...4_096))
    default: break
    }
    let plain: [String: Kind] = [
      "busy": .exception(6), "drop": .drop, "close": .close, "wrong-transaction": .wrongTransaction,
      "wrong-unit": .wrongUnit, "double": .double, "single": .single,
    ]
    guard let kind = plain[name] else {
      throw Mistake(description: "unknown fault \"\(name.prefix(40))\"; known are \(faults.joined(separator: ", "))")
    }
    guard value == nil else { throw Mistake(description: "\(name) takes no value") }
    return kind
  }

  private mutating func take(_ name: String, _ value: String?) throws(Mistake) {
    switch name {
    case "every": every = try Self.number(name, value, 1...1_000_000)
    case "after": after = try Self.number(name, value, 0...1_000_000_000)
    case "times": times = try Self.number(name, value, 1...1_000_000_000)
    case "function": function = UInt8(try Self.number(name, value, 1...127))
    case "unit": unit = UInt8(try Self.number(name, value, 0...255))
    case "probability":
      guard let share = value.flatMap(Double.init), share > 0, share <= 1 else {
        throw Mistake(description: "probability is \"\(value ?? "")\"; expected a number above 0, at most 1")
      }
      probability = share
    case "point":
      guard let value, !value.isEmpty else { throw Mistake(description: "point= without the name of a point") }
      point = value
    case "register":
      let ends = (value ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
      guard (1...2).contains(ends.count), let first = ends.first, let last = ends.last, first >= 0, last >= first,
        last <= 65_535
      else {
        throw Mistake(description: "register is \"\(value ?? "")\"; expected 0 to 65535, or a range such as 40000-40010")
      }
      registers = first...last
    default:
      throw Mistake(
        description: "unknown condition \"\(name.prefix(40))\"; known are \(Self.conditions.joined(separator: ", "))")
    }
  }

  private static func number(_ name: String, _ value: String?, _ range: ClosedRange<Int>) throws(Mistake) -> Int {
    guard let number = value.flatMap({ Int($0) }), range.contains(number) else {
      throw Mistake(
        description: "\(name) is \"\(value ?? "")\"; expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func time(_ name: String, _ value: String?) throws(Mistake) -> Int {
    guard let time = value.flatMap({ milliseconds($0) }), time <= 3_600_000 else {
      throw Mistake(description: "\(name) is \"\(value ?? "")\"; expected a time up to an hour such as 500ms or 5s")
    }
    return time
  }
}
