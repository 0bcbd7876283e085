// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// How much is kept, and how long something may be only in memory (interfaces 1, `buffer`).
package struct BufferLimits: Sendable, Equatable {
  /// Bytes of waiting messages, `OutboxRow.overhead` for each included.
  package var size: Int64
  package var age: Duration
  /// The longest time a live reading may be only in memory.
  package var commit: Duration

  package init(size: Int64, age: Duration, commit: Duration) {
    self.size = size
    self.age = age
    self.commit = commit
  }

  /// A tick every half of `commit`, and what is older than the other half is written; not below 5 ms. Nanoseconds.
  var halfCommit: Int64 { max(commit.nanoseconds / 2, 5_000_000) }
}

/// Whose word removes a message from the buffer (interfaces 3.6).
package enum Acknowledgement: String, Sendable, Codable, CaseIterable {
  /// The broker's PUBACK.
  case broker
  /// The receiver's own acknowledgement. It covers telemetry; alarms and reports of gaps, whose numbers it cannot name,
  /// still leave on PUBACK.
  case application
}
