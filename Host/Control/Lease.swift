// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// One point of one device: what leases are about.
package struct PointKey: Hashable, Sendable, CustomStringConvertible {
  package var device: DeviceID
  package var point: String

  package init(device: DeviceID, point: String) {
    self.device = device
    self.point = point
  }

  package var description: String { "\(device).\(point)" }
}

/// A setpoint for a time: who asked for it, how much it counts, and what follows when it ends.
package struct Lease: Sendable, Equatable {
  package var owner: String
  package var priority: Priority
  package var value: Value
  /// CLOCK_BOOTTIME nanoseconds: from this moment on the lease is over.
  package var expiry: Int64
  /// What is written when no lease is left.
  package var safe: Value
  /// Given by the table, rising: tells the later among equals.
  package internal(set) var sequence: UInt64 = 0

  package init(owner: String, priority: Priority, value: Value, expiry: Int64, safe: Value) {
    self.owner = owner
    self.priority = priority
    self.value = value
    self.expiry = expiry
    self.safe = safe
  }
}

/// A live lease as people see it.
package struct LeaseSnapshot: Sendable, Equatable {
  package var device: DeviceID
  package var point: String
  package var owner: String
  package var priority: Priority
  package var value: Value
  /// Unix milliseconds by the host's clock.
  package var until: Int64
  /// It is the one whose value applies.
  package var applies: Bool

  /// `{"device","point","owner","priority","value","until","applies"}`.
  package var json: JSONValue {
    .object([
      "device": .string(device.rawValue), "point": .string(point), "owner": .string(owner),
      "priority": .string(priority.rawValue), "value": value.json, "until": .integer(until),
      "applies": .boolean(applies),
    ])
  }
}
