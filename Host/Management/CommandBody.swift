// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Reads the body of a command (interfaces 3.3). Here `id` and `ts` may be left out, and a member that nobody knows is an
/// error: a misspelt `dry_run` must not act.
struct CommandBody {
  static let members = [
    "action", "args", "dry_run", "id", "owner", "point", "priority", "safe", "ts", "valid_for", "value",
  ]
  /// Ten years, in milliseconds: a longer lease is a mistake, and sums with it stay far from overflow.
  static let longest: Int64 = 315_360_000_000
  static let name = 64
  static let text = 256

  /// What the request says is wrong.
  struct Mistake: Error, Equatable {
    var text: String
  }

  /// `now` in Unix milliseconds; `newID` is used where the request has no id.
  static func request(
    _ body: JSONValue, device: DeviceID, now: Int64, newID: () -> String
  ) throws(Mistake) -> CommandRequest {
    guard let object = body.object else { throw Mistake(text: "the body has to be a JSON object") }
    for name in object.keys.sorted() where !members.contains(name) {
      throw Mistake(text: "'\(name.prefix(Self.name))' is not known here; known are \(members.joined(separator: ", "))")
    }
    return CommandRequest(
      id: try string("id", in: object, upTo: name) ?? newID(), device: device, verb: try verb(object),
      time: try integer("ts", in: object, 1...longest * 100) ?? now,
      validFor: try integer("valid_for", in: object, 1...longest).map { .milliseconds($0) },
      priority: try priority(object), owner: try string("owner", in: object, upTo: name) ?? "local",
      safe: try value("safe", in: object), role: .administrator, dryRun: try flag("dry_run", in: object))
  }

  private static func verb(_ object: [String: JSONValue]) throws(Mistake) -> CommandRequest.Verb {
    let point = try string("point", in: object, upTo: name)
    let action = try string("action", in: object, upTo: name)
    switch (point, action) {
    case (let point?, nil):
      guard object["args"] == nil else { throw Mistake(text: "'args' belongs to an 'action', not to a 'point'") }
      guard object["value"] != nil else {
        throw Mistake(text: "'value' is missing: a number, true, false, a text, or null to release")
      }
      return .set(point: point, value: try value("value", in: object))
    case (nil, let action?):
      guard object["value"] == nil else { throw Mistake(text: "'value' belongs to a 'point', not to an 'action'") }
      switch object["args"] {
      case nil: return .action(name: action, arguments: [:])
      case .object(let arguments)?: return .action(name: action, arguments: arguments)
      default: throw Mistake(text: "'args' has to be an object")
      }
    default: throw Mistake(text: "exactly one of 'point' and 'action' is needed")
    }
  }

  private static func priority(_ object: [String: JSONValue]) throws(Mistake) -> Priority {
    guard let text = try string("priority", in: object, upTo: name) else { return .schedule }
    let claimable = Priority.allCases.filter { $0 != .safety }
    guard let priority = Priority(rawValue: text), claimable.contains(priority) else {
      throw Mistake(text: "'priority' has to be one of \(claimable.map(\.rawValue).joined(separator: ", "))")
    }
    return priority
  }

  private static func value(_ key: String, in object: [String: JSONValue]) throws(Mistake) -> Value? {
    switch object[key] {
    case nil, .null?: return nil
    case .number(let number)? where !number.isFinite: throw Mistake(text: "'\(key)' has to be finite")
    case .string(let text)? where text.utf8.count > Self.text:
      throw Mistake(text: "'\(key)' is longer than \(Self.text) bytes")
    case let json?:
      guard let value = Value(json: json) else {
        throw Mistake(text: "'\(key)' has to be a number, true, false, a text or null")
      }
      return value
    }
  }

  private static func string(
    _ key: String, in object: [String: JSONValue], upTo limit: Int
  ) throws(Mistake) -> String? {
    guard let member = object[key] else { return nil }
    guard let text = member.string, (1...limit).contains(text.count), text.utf8.count <= limit * 4,
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { throw Mistake(text: "'\(key)' has to be a text of 1 to \(limit) characters") }
    return text
  }

  private static func integer(
    _ key: String, in object: [String: JSONValue], _ range: ClosedRange<Int64>
  ) throws(Mistake) -> Int64? {
    guard let member = object[key] else { return nil }
    guard let number = member.integer, range.contains(number) else {
      throw Mistake(
        text: "'\(key)' has to be a whole number of milliseconds from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func flag(_ key: String, in object: [String: JSONValue]) throws(Mistake) -> Bool {
    guard let member = object[key] else { return false }
    guard let flag = member.boolean else { throw Mistake(text: "'\(key)' has to be true or false") }
    return flag
  }
}
