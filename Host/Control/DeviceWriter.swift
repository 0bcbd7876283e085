// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// One write or action on its way to a device.
package struct DeviceWrite: Sendable, Equatable {
  package enum Verb: Sendable, Equatable {
    case set(point: String, value: Value)
    case action(name: String, arguments: [String: JSONValue])
  }

  package enum Purpose: Sendable, Equatable {
    case command, refresh, safe
  }

  package var device: DeviceID
  package var verb: Verb
  package var purpose: Purpose
  /// The request's id, made into the idempotency key; a refresh or safe value has one of its own.
  package var id: String
  package var dryRun: Bool
  /// CLOCK_BOOTTIME nanoseconds: after this the device must not be written to.
  package var validUntil: Int64

  package init(device: DeviceID, verb: Verb, purpose: Purpose, id: String, dryRun: Bool = false, validUntil: Int64) {
    self.device = device
    self.verb = verb
    self.purpose = purpose
    self.id = id
    self.dryRun = dryRun
    self.validUntil = validUntil
  }
}

/// How a write ended.
package enum DeviceWriteResult: Sendable, Equatable {
  /// Took effect; the value as read back, where the device allows it.
  case done(Value?)
  /// Taken, effect not seen.
  case accepted
  case refused(RefusalReason, String)
  /// It was not sent.
  case failed(String)
  /// It left and no answer came.
  case unknown(String)
  /// `validUntil` passed before it could be sent.
  case expired
}

/// What Control needs from below: who is there, and a way to write. Links implement it.
package protocol DeviceWriter: Sendable {
  /// Nil = no such device. `writable` is the configuration's `write`.
  func describe(_ device: DeviceID) async -> ControlledDevice?
  /// Carries out one write. Never throws: what went wrong is in the result.
  func write(_ write: DeviceWrite) async -> DeviceWriteResult
}

package struct ControlledDevice: Sendable, Equatable {
  package var id: DeviceID
  /// Commands are allowed by the configuration.
  package var writable: Bool
  /// Declared points; empty before the first contact.
  package var points: [PointDescriptor]
  /// Names of the actions that the device offers.
  package var actions: [String]
  /// Contact was made at least once, so points and actions are complete.
  package var known: Bool
  /// It connects by itself, and the host lets it in: its password is the host's business.
  package var visits: Bool

  package init(
    id: DeviceID, writable: Bool, points: [PointDescriptor], actions: [String] = [], known: Bool, visits: Bool = false
  ) {
    self.visits = visits
    self.id = id
    self.writable = writable
    self.points = points
    self.actions = actions
    self.known = known
  }
}
