// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Makes a request of what came on a command topic (interfaces 3.3). Unknown keys are ignored.
package struct CommandParser: Sendable {
  /// What the writer on this side may do; also the owner where the request names none.
  package let role: Role

  package init(role: Role) { self.role = role }

  package enum Result<Request: Sendable & Equatable>: Sendable, Equatable {
    case request(Request)
    /// Refused here; the answer to give.
    case refusal(CommandResponse)
    /// Not even an id can be read; why.
    case unreadable(String)
  }

  /// `now` in Unix milliseconds. `expiry`: what is left of the message's own life, in seconds (MQTT 5).
  package func command(
    _ payload: [UInt8], device: DeviceID, expiry: UInt32? = nil, now: Int64
  ) -> Result<CommandRequest> {
    parse(payload, now: now) { fields throws(Refusal) in
      let verb = try verb(in: fields)
      let time = try fields.required("ts") { $0.integer.flatMap { Self.times.contains($0) ? $0 : nil } }
      var validFor = try fields.optional("valid_for", "milliseconds, a whole number from 1 to 2678400000 (31 days)") {
        $0.integer.flatMap { (1...2_678_400_000).contains($0) ? Duration.milliseconds($0) : nil }
      }
      if let expiry {
        guard expiry > 0 else { throw .expired }
        if case .action = verb { validFor = shorter(validFor, expiry: expiry, time: time, now: now) }
      }
      let priority =
        try fields.optional("priority", "one of \(Priority.allCases.map(\.rawValue).joined(separator: ", "))") {
          $0.string.flatMap(Priority.init(rawValue:))
        } ?? .schedule
      guard priority.claimable else {
        throw .refused(.notAuthorized, "priority '\(priority.rawValue)' belongs to the host's own controllers")
      }
      let owner = try fields.optional("owner", "text of 1 to 64 characters") { $0.string.flatMap(Self.name) }
      let safe = try fields.optional("safe", "a number, text, true or false") { Value(json: $0) }
      let dryRun = try fields.optional("dry_run", "true or false") { $0.boolean } ?? false
      return CommandRequest(
        id: fields.id, device: device, verb: verb, time: time, validFor: validFor, priority: priority,
        owner: owner ?? role.rawValue, safe: safe, role: role, dryRun: dryRun)
    }
  }

  /// A command for the host itself: an object with an id and the name of an action.
  package func gatewayCommand(_ payload: [UInt8], now: Int64) -> Result<JSONValue> {
    parse(payload, now: now) { fields throws(Refusal) in
      _ = try fields.required("action") { $0.string.flatMap(Self.name) }
      return .object(fields.members)
    }
  }

  // MARK: Parts

  /// Unix milliseconds from 1970 to 9999, so that sums with them cannot overflow.
  private static let times: ClosedRange<Int64> = 0...253_402_300_799_999

  private enum Refusal: Error {
    case refused(RefusalReason, String)
    case expired
  }

  private struct Fields {
    var id: String
    var members: [String: JSONValue]

    func required<T>(_ key: String, _ convert: (JSONValue) -> T?) throws(Refusal) -> T {
      guard let json = members[key] else { throw .refused(.invalid, "'\(key)' is missing") }
      guard let value = convert(json) else { throw .refused(.invalid, "'\(key)' has a value that is not possible") }
      return value
    }

    /// Null is the same as absent.
    func optional<T>(_ key: String, _ expected: String, _ convert: (JSONValue) -> T?) throws(Refusal) -> T? {
      guard let json = members[key], json != .null else { return nil }
      guard let value = convert(json) else { throw .refused(.invalid, "'\(key)' must be \(expected)") }
      return value
    }
  }

  private func parse<Request>(
    _ payload: [UInt8], now: Int64, _ body: (Fields) throws(Refusal) -> Request
  ) -> Result<Request> {
    let members: [String: JSONValue]
    switch MessageReader.read(payload) {
    case .unreadable(let why): return .unreadable(why)
    case .unacceptable(let id, let why): return refusal(id, .invalid, why, now: now)
    case .object(let value): members = value.object ?? [:]
    }
    guard let id = members["id"]?.string, !id.isEmpty else { return .unreadable("it has no 'id'") }
    guard id.unicodeScalars.count <= 64 else {
      return refusal(id, .invalid, "'id' is longer than 64 characters", now: now)
    }
    do throws(Refusal) {
      return .request(try body(Fields(id: id, members: members)))
    } catch {
      switch error {
      case .refused(let reason, let text): return refusal(id, reason, text, now: now)
      case .expired:
        let text = "the message's expiry interval had passed"
        return .refusal(CommandResponse(id: id, time: now, status: .expired, text: text))
      }
    }
  }

  /// An answer carries the id as it was given; one that is too long to be repeated has none.
  private func refusal<Request>(
    _ id: String, _ reason: RefusalReason, _ text: String, now: Int64
  ) -> Result<Request> {
    guard (1...256).contains(id.utf8.count) else { return .unreadable("its 'id' is not usable") }
    return .refusal(CommandResponse(id: id, time: now, status: .refused, reason: reason, text: text))
  }

  private func verb(in fields: Fields) throws(Refusal) -> CommandRequest.Verb {
    switch (fields.members["point"], fields.members["action"]) {
    case (.some, .some): throw .refused(.invalid, "a request has either 'point' or 'action'")
    case (nil, nil): throw .refused(.invalid, "neither 'point' nor 'action' is given")
    case (.some(let point), nil):
      guard let name = point.string.flatMap(Self.name) else {
        throw .refused(.invalid, "'point' must be a name of 1 to 64 characters")
      }
      guard let json = fields.members["value"] else {
        throw .refused(.invalid, "'value' is missing; null releases the point")
      }
      if json == .null { return .set(point: name, value: nil) }
      guard let value = Value(json: json) else {
        throw .refused(.invalid, "'value' must be a number, text, true, false or null")
      }
      return .set(point: name, value: value)
    case (nil, .some(let action)):
      guard let name = action.string.flatMap(Self.name) else {
        throw .refused(.invalid, "'action' must be a name of 1 to 64 characters")
      }
      let arguments = try fields.optional("args", "an object") { $0.object } ?? [:]
      return .action(name: name, arguments: arguments)
    }
  }

  /// An action's life ends with its message's. A setpoint's does not: its `valid_for` is also how long it holds.
  private func shorter(_ validFor: Duration?, expiry: UInt32, time: Int64, now: Int64) -> Duration {
    // 60 s: interfaces 3.3.
    min(validFor ?? .seconds(60), .milliseconds(max(0, now - time) + Int64(expiry) * 1000))
  }

  private static func name(_ text: String) -> String? {
    text.isEmpty || text.unicodeScalars.count > 64 ? nil : text
  }
}

/// What a receiver has safely (interfaces 3.6).
package struct Acknowledgement: Sendable, Equatable {
  package var device: DeviceID
  package var ranges: [ClosedRange<Int64>]

  /// Nil where it is not one.
  package init?(payload: [UInt8]) {
    guard case .object(let value) = MessageReader.read(payload) else { return nil }
    guard let device = value["device"]?.string.flatMap(DeviceID.init(rawValue:)) else { return nil }
    guard let items = value["ranges"]?.array else { return nil }
    var ranges: [ClosedRange<Int64>] = []
    for item in items {
      guard let bounds = item.array, bounds.count == 2, let from = bounds[0].integer, let to = bounds[1].integer,
        from >= 0, from <= to
      else { return nil }
      ranges.append(from...to)
    }
    self.device = device
    self.ranges = ranges
  }
}
