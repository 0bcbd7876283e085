// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Why a request goes no further.
package struct CommandStop: Error, Sendable, Equatable {
  package var status: CommandResponse.Status
  /// Exactly where the status is `refused`.
  package var reason: RefusalReason?
  /// A sentence for a person.
  package var text: String

  package static func refused(_ reason: RefusalReason, _ text: String) -> CommandStop {
    CommandStop(status: .refused, reason: reason, text: text)
  }

  package static func failed(_ text: String) -> CommandStop { CommandStop(status: .failed, reason: nil, text: text) }
  package static func expired(_ text: String) -> CommandStop { CommandStop(status: .expired, reason: nil, text: text) }
}

/// A request that may be carried out until `expiry`, CLOCK_BOOTTIME nanoseconds.
package struct CheckedCommand: Sendable, Equatable {
  package enum Work: Sendable, Equatable {
    /// A setpoint for a time.
    case lease(PointDescriptor, Lease)
    /// A lasting value.
    case setting(PointDescriptor, Value)
    case release(PointDescriptor)
    case action(name: String, arguments: [String: JSONValue])
  }

  package var work: Work
  package var expiry: Int64
}

/// Checks a request against the rules of interfaces 3.3 and what the device declares. Pure: the clocks are handed in.
package struct CommandCheck: Sendable {
  /// CLOCK_BOOTTIME nanoseconds at receipt.
  package var boot: Int64
  /// Unix milliseconds at receipt.
  package var unix: Int64

  /// Where neither the request nor the point says how long, and the most that a point may say (interfaces 3.3).
  package static let defaultLease: Duration = .seconds(15 * 60)
  /// How long an action may be carried out where the request does not say (interfaces 3.3).
  package static let defaultAction: Duration = .seconds(60)
  /// The longest `valid_for` that is taken.
  package static let longest: Duration = .seconds(24 * 3600)
  /// How far ahead of the host's a requester's clock may be.
  package static let ahead: Duration = .seconds(5 * 60)
  /// 2024-01-01, Unix milliseconds: a clock that shows less was never set.
  package static let clockSet: Int64 = 1_704_067_200_000

  package init(boot: Int64, unix: Int64) {
    self.boot = boot
    self.unix = unix
  }

  /// What can be said without knowing the device: nothing of such a request is worth remembering.
  package static func envelope(_ request: CommandRequest) throws(CommandStop) {
    guard (1...64).contains(request.id.count), request.id.utf8.count <= 256 else {
      throw .refused(.invalid, "'id' has to have 1 to 64 characters")
    }
    guard request.role > .viewer else {
      throw .refused(.notAuthorized, "the role viewer may look, not act; an operator may")
    }
  }

  /// `device` is nil where the host has no such device.
  package func check(_ request: CommandRequest, on device: ControlledDevice?) throws(CommandStop) -> CheckedCommand {
    try Self.envelope(request)
    guard (1...64).contains(request.owner.count), request.owner.utf8.count <= 256 else {
      throw .refused(.invalid, "'owner' has to have 1 to 64 characters")
    }
    guard let device else { throw .refused(.unknownDevice, "there is no device '\(request.device)'") }
    switch request.verb {
    case .action(let name, let arguments):
      let expiry = try expiry(of: request, usual: Self.defaultAction)
      guard device.writable else { throw Self.readOnly(device) }
      guard device.actions.contains(name) else {
        guard device.known else { throw Self.noContact(device) }
        throw .refused(.unsupported, "\(device.id) has no action '\(Self.short(name))'; \(Self.offers(device.actions))")
      }
      // The host lets a device in by its password (SPEC.md section 10): one that the host does not know locks the device out.
      guard request.isOwn || !device.visits || !name.hasSuffix(".password") else {
        throw .refused(
          .unsupported, "the password of \(device.id) is changed by the host, which has to know it: `busbar password rotate \(device.id)`, "
            + "or the action rotate-login on gateways/{id}/commands")
      }
      return CheckedCommand(work: .action(name: name, arguments: arguments), expiry: expiry)
    case .set(let name, let value):
      let point = device.points.first { $0.name == name }
      let expiry = try expiry(of: request, usual: min(point?.lease ?? Self.defaultLease, Self.defaultLease))
      if point == nil, device.known {
        throw .refused(.unknownPoint, "\(device.id) has no point '\(Self.short(name))'")
      }
      guard device.writable else { throw Self.readOnly(device) }
      guard let point else { throw Self.noContact(device) }
      guard point.writable else { throw .refused(.readOnly, "\(name) of \(device.id) can only be read") }
      let work = try work(request, at: point, value: value, expiry: expiry)
      return CheckedCommand(work: work, expiry: expiry)
    }
  }

  private func work(
    _ request: CommandRequest, at point: PointDescriptor, value: Value?, expiry: Int64
  ) throws(CommandStop) -> CheckedCommand.Work {
    guard let value else {
      guard !point.setting else {
        throw .refused(.invalid, "\(point.name) is a lasting setting and has no lease to release: give a value")
      }
      return .release(point)
    }
    let checked = try point.accepts(value, as: "value")
    if point.setting { return .setting(point, checked) }
    let wanted: Value?
    if let safe = request.safe { wanted = try point.accepts(safe, as: "safe") } else { wanted = nil }
    guard let safe = point.declaredSafe ?? wanted else {
      throw .refused(
        .noSafeValue, "nothing says what \(point.name) goes back to: give 'safe' with the request or in the template")
    }
    return .lease(
      point, Lease(owner: request.owner, priority: request.priority, value: checked, expiry: expiry, safe: safe))
  }

  /// When the request ends, on the boot clock.
  private func expiry(of request: CommandRequest, usual: Duration) throws(CommandStop) -> Int64 {
    if let asked = request.validFor {
      guard asked > .zero, asked <= Self.longest else {
        throw .refused(.invalid, "'valid_for' has to be more than 0 and at most 24 h (86400000 ms)")
      }
    }
    let length = request.validFor ?? usual
    guard unix >= Self.clockSet else { return boot + length.nanoseconds }
    guard request.time >= 0, request.time <= unix + Self.ahead.milliseconds else {
      throw .refused(
        .invalid, "'ts' is more than 5 minutes ahead of the host's clock (\(unix)), or no Unix time in milliseconds")
    }
    let left = request.time + length.milliseconds - unix
    guard left > 0 else {
      throw .expired("it was valid until \(request.time + length.milliseconds), now is \(unix)")
    }
    return boot + left * 1_000_000
  }

  private static func readOnly(_ device: ControlledDevice) -> CommandStop {
    .refused(.readOnly, "commands to \(device.id) are off: 'write: true' in its configuration allows them")
  }

  private static func noContact(_ device: ControlledDevice) -> CommandStop {
    .failed("there was no contact with \(device.id) yet, so what it can do is not known: try again when it is online")
  }

  private static func offers(_ actions: [String]) -> String {
    actions.isEmpty ? "it offers none" : "it offers \(actions.sorted().joined(separator: ", "))"
  }

  /// Names from outside are repeated only in part.
  private static func short(_ text: String) -> String { text.count > 64 ? "\(text.prefix(64))…" : text }
}
