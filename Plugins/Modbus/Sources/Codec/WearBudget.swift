// SPDX-License-Identifier: Apache-2.0

/// How often a register in flash may be written. Flash bears some 100,000 writes: ten an hour wear it out within a year.
package struct WearBudget: Equatable, Sendable {
  package var writes: Int
  /// Milliseconds.
  package var within: Int

  package init(writes: Int, within: Int) {
    self.writes = writes
    self.within = within
  }
}

/// What is left of a budget. It fills up evenly, so that what was saved can be spent at once and no more than that.
package struct WearAccount: Equatable, Sendable {
  /// Writes that are left; below 0 after safe values, which are never refused.
  package private(set) var left: Double
  /// Unix time in milliseconds.
  private var at: Int64

  /// Full, as for a device that was never written.
  package init(_ budget: WearBudget, now: Int64) {
    left = Double(budget.writes)
    at = now
  }

  /// As `bytes` kept it; nil where that is no account.
  package init?(_ bytes: [UInt8]) {
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard parts.count == 2, let left = Double(parts[0]), left.isFinite, let at = Int64(parts[1]) else { return nil }
    self.left = left
    self.at = at
  }

  package var bytes: [UInt8] { Array("\(left) \(at)".utf8) }

  /// Milliseconds until the next write is there; 0 where one may go out now.
  package mutating func wait(_ budget: WearBudget, now: Int64) -> Int64 {
    // A clock that was set back gives nothing; one that jumps ahead gives no more than a full budget.
    left = min(Double(budget.writes), left + Double(max(0, now - at)) / Double(budget.within) * Double(budget.writes))
    at = now
    guard left < 1 else { return 0 }
    return Int64(((1 - left) * Double(budget.within) / Double(budget.writes)).rounded(.up))
  }

  /// One write goes out.
  package mutating func spend(_ budget: WearBudget) { left = max(left - 1, -Double(budget.writes)) }
}
