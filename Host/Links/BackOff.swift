// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next try: 1 s doubling to 60 s, never longer, with jitter so that what failed together
/// does not come back together. Any success resets it.
package struct BackOff: Sendable, Equatable {
  package static let first: Int64 = 1_000_000_000
  package static let longest: Int64 = 60_000_000_000

  private var step = 0

  package init() {}

  /// Nanoseconds to wait after one more failure; `random` is 0 to 1 and moves it by up to a fifth downwards.
  package mutating func next(random: Double) -> Int64 {
    let full = min(Self.longest, Self.first << min(step, 6))
    step += 1
    return full - Int64(Double(full) * 0.2 * min(1, max(0, random)))
  }

  package mutating func reset() { step = 0 }
}
