// SPDX-License-Identifier: Apache-2.0

/// The numbers of one stream. Numbers are taken only from a block whose end is on disk, so that no number is ever given
/// twice, however the host ends: after an unclean start numbering goes on behind the block.
package struct SequenceBlock: Sendable, Equatable {
  /// How many numbers are reserved at once.
  package static let size: Int64 = 100
  /// Fewer left than this, and the next tick reserves more.
  static let low: Int64 = 25

  package private(set) var next: Int64
  /// The last number that may be taken.
  package private(set) var end: Int64
  /// Numbers were taken since the start.
  package private(set) var used = false

  /// Goes on after `reserved`, the last number that an earlier run may have taken.
  package init(after reserved: Int64) {
    next = reserved + 1
    end = reserved
  }

  package var remaining: Int64 { end - next + 1 }
  package var runsLow: Bool { used && remaining < Self.low }

  /// Where the block ends when it is reserved anew, with a full block ahead.
  package var extended: Int64 { max(end, next - 1 + Self.size) }

  /// Nil when the block is used up.
  package mutating func take() -> Int64? {
    guard next <= end else { return nil }
    used = true
    defer { next += 1 }
    return next
  }

  package mutating func extend(to end: Int64) { self.end = max(self.end, end) }

  /// The numbers that an unclean end may have taken with it. Of those up to `settled` each was acknowledged, reported or
  /// on disk at the last write; `stored` is the highest that is on disk; `reserved` the end of the block.
  package static func lost(settled: Int64, stored: Int64, reserved: Int64) -> ClosedRange<Int64>? {
    let from = max(settled, stored) + 1
    return from <= reserved ? from...reserved : nil
  }
}
