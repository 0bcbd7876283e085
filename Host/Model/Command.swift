// SPDX-License-Identifier: Apache-2.0

/// Who wins among setpoints, first to last (interfaces 3.3).
package enum Priority: String, Sendable, Codable, CaseIterable, Comparable {
  case safety, grid, protection, user, schedule, optimizer

  /// 0 wins.
  package var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }

  /// `a < b`: a loses against b.
  package static func < (left: Priority, right: Priority) -> Bool { left.rank > right.rank }

  /// `safety` and `protection` belong to the host's own controllers.
  package var claimable: Bool { self != .safety && self != .protection }
}

/// What a writer may do (interfaces 1, `uplink.role`).
package enum Role: String, Sendable, Codable, CaseIterable, Comparable {
  case viewer, operator_ = "operator", installer, administrator

  package static func < (left: Role, right: Role) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

/// A request to change something, from whichever side (interfaces 3.3).
package struct CommandRequest: Sendable, Equatable {
  package enum Verb: Sendable, Equatable {
    /// Nil releases the owner's lease.
    case set(point: String, value: Value?)
    case action(name: String, arguments: [String: JSONValue])
  }

  /// Up to 64 characters; makes the request idempotent.
  package var id: String
  package var device: DeviceID
  package var verb: Verb
  /// When it was made, Unix milliseconds.
  package var time: Int64
  /// How long it may be carried out, and how long a setpoint lasts. Nil = the template's default.
  package var validFor: Duration?
  package var priority: Priority
  package var owner: String
  /// What to write when the lease ends, where the template has no safe value.
  package var safe: Value?
  package var role: Role
  package var dryRun: Bool
  /// Of the host itself, not of anybody outside: what only the host may ask of a device.
  package var isOwn = false

  package init(
    id: String, device: DeviceID, verb: Verb, time: Int64, validFor: Duration? = nil, priority: Priority = .schedule,
    owner: String, safe: Value? = nil, role: Role, dryRun: Bool = false
  ) {
    self.id = id
    self.device = device
    self.verb = verb
    self.time = time
    self.validFor = validFor
    self.priority = priority
    self.owner = owner
    self.safe = safe
    self.role = role
    self.dryRun = dryRun
  }
}

/// Why a request was refused (interfaces 3.3).
package enum RefusalReason: String, Sendable, Codable, CaseIterable {
  case invalid
  case unknownDevice = "unknown-device"
  case unknownPoint = "unknown-point"
  case readOnly = "read-only"
  case outOfRange = "out-of-range"
  case noSafeValue = "no-safe-value"
  case overruled
  case unsupported
  case notAuthorized = "not-authorized"
  case wearBudget = "wear-budget"
}

/// The answer to a request (interfaces 3.3).
package struct CommandResponse: Sendable, Equatable {
  package enum Status: String, Sendable, Codable, CaseIterable {
    case accepted, done, refused, expired, failed, unknown
  }

  package var id: String
  /// Unix milliseconds.
  package var time: Int64
  package var status: Status
  /// The value in force, as far as it is known.
  package var value: Value?
  package var reason: RefusalReason?
  /// Overruled: by which owner, and until when (Unix milliseconds).
  package var by: String?
  package var until: Int64?
  /// A sentence for a person.
  package var text: String?

  package init(
    id: String, time: Int64, status: Status, value: Value? = nil, reason: RefusalReason? = nil, by: String? = nil,
    until: Int64? = nil, text: String? = nil
  ) {
    self.id = id
    self.time = time
    self.status = status
    self.value = value
    self.reason = reason
    self.by = by
    self.until = until
    self.text = text
  }

  /// An answer that is more than a value: a text that is a JSON object.
  package var document: JSONValue? {
    guard case .text(let text) = value, text.utf8.first == UInt8(ascii: "{"), let document = try? JSONValue(parsing: Array(text.utf8), depth: 32)
    else { return nil }
    return document
  }

  /// The payload of interfaces 3.3.
  package var json: JSONValue {
    var object: [String: JSONValue] = ["id": .string(id), "ts": .integer(time), "status": .string(status.rawValue)]
    object["value"] = document ?? value?.json
    object["reason"] = reason.map { .string($0.rawValue) }
    object["by"] = by.map { .string($0) }
    object["until"] = until.map { .integer($0) }
    object["text"] = text.map { .string($0) }
    return .object(object)
  }
}
