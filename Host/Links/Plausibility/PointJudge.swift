// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Judges the values of one point, one after the other. A value type without I/O; times are nanoseconds of one clock.
///
/// A counter that falls or jumps is at first taken for a glitch: that reading has no value. When it stays where it is, or
/// grows from there as a counter can, for `patience` readings, it is the new count. A count that comes back to where the
/// old one would be by now, within an hour, proves the glitch although it was believed.
package struct PointJudge: Sendable {
  /// Consistent readings until a new level counts.
  package static let patience = 3
  /// How long a counter that never is 0 has to stay at exactly 0 until that counts: devices that start say 0 for a while.
  package static let zeroPatience: Int64 = 600_000_000_000
  /// How long the count before a new start is remembered.
  private static let memory: Int64 = 3_600_000_000_000
  /// Readings further apart than this are not compared by `jump` alone.
  private static let longGap: Int64 = 300_000_000_000

  package enum Verdict: Sendable, Equatable {
    case good
    /// A counter starts over, or goes on from further ahead.
    case accepted(from: Double, to: Double, fell: Bool)
    case implausible(Implausibility)
    /// A counter a rounding error below its last count: the difference is not worth a name.
    case blurred
  }

  /// The last value that was accepted, and when.
  private struct Base {
    var value: Double
    /// When the value was last seen, and when it last became another one.
    var time: Int64
    var changed: Int64
  }

  /// A level that may become the new one.
  private struct Candidate {
    var value: Double
    var since: Int64
    var time: Int64
    var count: Int
  }

  package var rules: PlausibilityRules { shared.rules }
  private let shared: SharedRules
  private var base: Base?
  /// What most points never have, and thousands of devices need no room for.
  private var doubt: Doubt?

  private var candidate: Candidate? {
    get { doubt?.content.candidate }
    set { if newValue != nil || doubt != nil { doubt = Doubt(newValue, former) } }
  }

  /// The count before the counter started over; when it comes back there, the new start was none.
  private var former: Base? {
    get { doubt?.content.former }
    set { if newValue != nil || doubt != nil { doubt = Doubt(candidate, newValue) } }
  }

  private indirect enum Doubt {
    case content(candidate: Candidate?, former: Base?)

    init?(_ candidate: Candidate?, _ former: Base?) {
      guard candidate != nil || former != nil else { return nil }
      self = .content(candidate: candidate, former: former)
    }

    var content: (candidate: Candidate?, former: Base?) {
      switch self {
      case .content(let candidate, let former): (candidate, former)
      }
    }
  }

  package init(_ rules: PlausibilityRules) { shared = SharedRules.of(rules) }

  package var isEmpty: Bool { base == nil }
  /// When the value last became another one.
  package var changed: Int64? { base?.changed }

  /// The count from before the host's start; `time` may be negative.
  package mutating func restore(_ value: Double, time: Int64) {
    guard base == nil, value.isFinite else { return }
    base = Base(value: value, time: time, changed: time)
  }

  /// Something newer than this was judged already.
  package func isPast(_ time: Int64) -> Bool { base.map { time < $0.time } ?? false }

  package func isPossible(_ value: Double) -> Bool { value >= rules.minimum && value <= rules.maximum }

  package mutating func judge(_ value: Double, at now: Int64) -> Verdict {
    guard isPossible(value) else { return .implausible(.range) }
    guard let base else {
      self.base = Base(value: value, time: now, changed: now)
      return .good
    }
    return rules.isCounter ? count(value, base, now) : measure(value, base, now)
  }

  private mutating func accept(_ value: Double, _ now: Int64) {
    let changed = base.map { $0.value == value ? $0.changed : now } ?? now
    base = Base(value: value, time: now, changed: changed)
    candidate = nil
  }

  // MARK: Counters

  private mutating func count(_ value: Double, _ base: Base, _ now: Int64) -> Verdict {
    let growth = value - base.value
    // Devices update counters in their own time: what counts is how long it has stood still.
    let allowance = rules.allowance(after: now - base.changed)
    if growth >= 0 {
      if growth <= allowance {
        accept(value, now)
        return .good
      }
      if let former, now - former.time <= Self.memory, value >= former.value,
        value - former.value <= rules.allowance(after: now - former.changed)
      {
        self.former = nil
        accept(value, now)
        return .accepted(from: base.value, to: value, fell: false)
      }
      return waits(value, base, now, as: .jump)
    }
    if rules.falls {
      if -growth <= allowance {
        accept(value, now)
        return .good
      }
      return waits(value, base, now, as: .jump)
    }
    // A sum of several registers, or a number of 24 bits, trembles by its last digit.
    if -growth <= max(rules.step * 1.001, base.value * 2e-7) {
      self.base?.time = now
      candidate = nil
      return .blurred
    }
    // From 0 on it can have grown no more than this since it was read last.
    if rules.restarts, value <= rules.allowance(after: now - base.time) {
      former = base
      accept(value, now)
      return .good
    }
    return waits(value, base, now, as: .fall)
  }

  /// The value is not taken, until it has been where it is for long enough.
  private mutating func waits(_ value: Double, _ base: Base, _ now: Int64, as reason: Implausibility) -> Verdict {
    if let candidate, follows(value, candidate, now) {
      self.candidate = Candidate(value: value, since: candidate.since, time: now, count: candidate.count + 1)
    } else {
      candidate = Candidate(value: value, since: now, time: now, count: 1)
    }
    guard let candidate, candidate.count >= Self.patience,
      !rules.isCounter || rules.restarts || value != 0 || now - candidate.since >= Self.zeroPatience
    else { return .implausible(reason) }
    let fell = value < base.value
    former = fell ? base : nil
    accept(value, now)
    return .accepted(from: base.value, to: value, fell: fell)
  }

  private func follows(_ value: Double, _ candidate: Candidate, _ now: Int64) -> Bool {
    let allowance = rules.allowance(after: now - candidate.time)
    let growth = value - candidate.value
    let floor = rules.isCounter && !rules.falls ? -max(rules.step * 1.001, abs(candidate.value) * 2e-7) : -allowance
    return growth >= floor && growth <= allowance
  }

  // MARK: Measured values

  private mutating func measure(_ value: Double, _ base: Base, _ now: Int64) -> Verdict {
    let elapsed = now - base.time
    let comparable = rules.rate > 0 || elapsed <= Self.longGap
    if comparable, abs(value - base.value) > rules.allowance(after: elapsed) {
      if case .implausible = waits(value, base, now, as: .rate) { return .implausible(.rate) }
      former = nil
      return .good
    }
    accept(value, now)
    return .good
  }
}

/// Rules that many points have in common.
private final class SharedRules: Sendable {
  private static let known = Mutex<[PlausibilityRules: SharedRules]>([:])
  private static let mostKnown = 1_024

  let rules: PlausibilityRules

  private init(_ rules: PlausibilityRules) { self.rules = rules }

  static func of(_ rules: PlausibilityRules) -> SharedRules {
    known.withLock { known in
      if let shared = known[rules] { return shared }
      if known.count >= mostKnown { known = [:] }
      let shared = SharedRules(rules)
      known[rules] = shared
      return shared
    }
  }
}
