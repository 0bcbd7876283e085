// SPDX-License-Identifier: Apache-2.0

/// Whether a child takes more of the processor than a plugin may: a thread that spins behind calls that return in time is no
/// hang, and yet would warm a cellar for years. A value without clock or processes; times are nanoseconds.
package struct ProcessorWatch: Sendable {
  /// How much is too much.
  package struct Limit: Sendable, Equatable {
    /// Of one core.
    package var share: Double
    /// For so long without a rest.
    package var window: Int64

    package init(share: Double = 0.8, window: Int64 = 60_000_000_000) {
      self.share = share
      self.window = window
    }
  }

  private let limit: Limit
  private var start: (now: Int64, used: Int64)?

  package init(_ limit: Limit) { self.limit = limit }

  /// `used` is all that it has used since its start. The sentence for a person once it is too much.
  package mutating func look(now: Int64, used: Int64) -> String? {
    guard let begin = start else {
      start = (now, used)
      return nil
    }
    let passed = now - begin.now
    guard passed >= limit.window else { return nil }
    start = (now, used)
    let share = Double(used - begin.used) / Double(passed)
    guard share > limit.share else { return nil }
    return "the plugin used \(Int(share * 100)) % of a processor core for \(passed / 1_000_000_000) s; "
      + "\(Int(limit.share * 100)) % is what it may"
  }
}
