// SPDX-License-Identifier: Apache-2.0

/// How much is kept (interfaces 1, `history`).
package struct HistoryLimits: Sendable, Equatable {
  /// Bytes of the database with its log; 0 = nothing is kept.
  package var size: Int64
  /// 0 = nothing is kept.
  package var age: Duration
  /// The longest time a finished minute may be only in memory.
  package var commit: Duration

  package init(size: Int64, age: Duration, commit: Duration) {
    self.size = size
    self.age = age
    self.commit = commit
  }

  var isOff: Bool { size == 0 || age == .zero }

  /// Pages of 4 KiB that leave room for SQLite's log, which stays below a MiB.
  var pages: Int64 { max(64, (size - (1 << 20)) / 4096) }
}

/// How the history is.
package struct HistoryStatus: Sendable, Equatable {
  /// Of the database and its log.
  package var bytes: Int64 = 0
  /// The first minute that is kept, Unix milliseconds.
  package var oldest: Int64?
  /// Why nothing can be kept; nil = all is well.
  package var problem: String?

  package init(bytes: Int64 = 0, oldest: Int64? = nil, problem: String? = nil) {
    self.bytes = bytes
    self.oldest = oldest
    self.problem = problem
  }
}
