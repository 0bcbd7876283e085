// SPDX-License-Identifier: Apache-2.0

/// How many lines one cause may put into the log: so many at once, and then one every so often.
package struct LogBudget: Sendable, Equatable {
  /// Lines at once.
  package static let burst = 6
  /// Nanoseconds for one more.
  package static let pause: Int64 = 30_000_000_000

  private var left = burst
  private var filled: Int64?
  private var dropped = 0

  package init() {}

  /// Nil = no line now; else how many were left out before it. `now` on the boot clock, nanoseconds.
  package mutating func admit(now: Int64) -> Int? {
    let since = filled ?? now
    let more = max(0, now - since) / Self.pause
    filled = since + more * Self.pause
    left = Int(min(Int64(Self.burst), Int64(left) + more))
    guard left > 0 else {
      dropped += 1
      return nil
    }
    left -= 1
    defer { dropped = 0 }
    return dropped
  }
}

/// What the log tells of something that is lost and comes back: once when it is lost, once when it is back, with a count
/// in between. What comes and goes all the time is told within `LogBudget`; the log is right in the end.
package struct LossLog: Sendable, Equatable {
  package struct Back: Sendable, Equatable {
    /// Failures since the log said something last.
    package var failures: Int
    /// How often it was lost and back meanwhile; 1 where it was lost once.
    package var losses: Int
  }

  private var budget = LogBudget()
  private var isLost = false
  /// As the log has it; nil = it is there.
  private var told: String?
  private var failures = 0
  private var losses = 0

  package init() {}

  /// True where the log should say so. `kind`: another one is told of too; not a text of the device's own, which may be
  /// another one each time.
  package mutating func failed(_ kind: String, now: Int64) -> Bool {
    failures += 1
    if !isLost { losses += 1 }
    isLost = true
    guard told != kind, budget.admit(now: now) != nil else { return false }
    told = kind
    return true
  }

  /// What the log should say; nil where there is nothing to say.
  package mutating func succeeded(now: Int64) -> Back? {
    isLost = false
    guard told != nil, budget.admit(now: now) != nil else { return nil }
    told = nil
    defer {
      failures = 0
      losses = 0
    }
    return Back(failures: failures, losses: losses)
  }
}
