// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next try: 1 s doubling to 60 s, never longer, with jitter so that what failed together
/// does not come back together. Any success resets it.
package struct BackOff: Sendable, Equatable {
  /// Nanoseconds.
  package static let first: Int64 = 1_000_000_000
  package static let longest: Int64 = 60_000_000_000

  /// Nanoseconds.
  package let first: Int64
  package let longest: Int64
  /// In a row.
  package private(set) var failures = 0

  package init(first: Int64 = BackOff.first, longest: Int64 = BackOff.longest) {
    self.first = first
    self.longest = max(first, longest)
  }

  /// Nanoseconds to wait after one more failure; `random` is 0 to 1 and moves it by up to a fifth downwards.
  package mutating func next(random: Double) -> Int64 {
    failures += 1
    return Self.shortened(pause, by: random)
  }

  /// The longest wait, for what only a person can mend.
  package mutating func nextForPerson(random: Double) -> Int64 {
    failures += 1
    return Self.shortened(longest, by: random)
  }

  package mutating func reset() { failures = 0 }

  /// Doubled by each failure but the first; doubling ends where it would pass the longest, or overflow.
  private var pause: Int64 {
    var pause = first
    for _ in 1..<max(1, min(failures, 64)) {
      guard pause < longest / 2 else { return longest }
      pause *= 2
    }
    return min(pause, longest)
  }

  private static func shortened(_ pause: Int64, by random: Double) -> Int64 {
    pause - Int64(Double(pause) * 0.2 * min(1, max(0, random)))
  }
}
