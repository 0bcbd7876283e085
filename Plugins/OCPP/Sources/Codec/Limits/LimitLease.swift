// SPDX-License-Identifier: Apache-2.0

/// A limit that someone holds on the charger or on one of its connectors, and when it has to be renewed there.
///
/// The host's arbiter decides which limit applies and until when; it calls again before that. What is here only keeps the charger's
/// copy fresh: a profile is sent when the limit changes, and otherwise when half of what it has left is over, not at every call, since
/// profiles are kept in flash memory.
package struct LimitLease: Equatable, Sendable {
  /// How long the charger keeps a limit without hearing of us, ms; renewed at half.
  package static let longest: Int64 = 900_000

  package var limit: Limit
  /// By the boot clock; nil is until released, `forEver` needs nobody to renew it.
  package var until: Int64?
  /// For what is safe: the charger keeps it without us.
  package static let forEver = Int64.max
  /// When the charger falls back, by the boot clock; nil where it has not got the profile yet.
  package private(set) var heldUntil: Int64?
  private var sentAt: Int64 = 0
  /// The charger was asked and did not answer.
  private var isUnanswered = false

  package init(_ limit: Limit, until: Int64?) {
    self.limit = limit
    self.until = until
  }

  /// When the charger is to fall back if nothing else comes, by the boot clock.
  package func end(_ now: Moment) -> Int64 {
    until == Self.forEver ? Self.forEver : min(until ?? .max, now.boot + Self.longest)
  }

  package mutating func sent(_ now: Moment) {
    sentAt = now.boot
    heldUntil = end(now)
    isUnanswered = false
  }

  /// The charger has to get it anew, as soon as it can.
  package mutating func lost() { (heldUntil, isUnanswered) = (nil, false) }

  /// Nobody knows whether the charger has it. Whether it is sent once more is the host's decision (SPEC.md 9.6), which calls again; or the
  /// charger connects anew.
  package mutating func unanswered() { (heldUntil, isUnanswered) = (nil, true) }

  /// When it is to be sent again, by the boot clock.
  package var renewal: Int64 {
    guard let heldUntil else { return isUnanswered ? .max : .min }
    // What ends anyway is not renewed.
    if let until, heldUntil >= until { return .max }
    return sentAt + (heldUntil - sentAt) / 2
  }

  /// True where the charger has to hear of it.
  package mutating func change(_ limit: Limit, until: Int64?, _ now: Moment) -> Bool {
    let isSame = limit == self.limit && heldUntil != nil
    self.limit = limit
    self.until = until
    guard isSame, let heldUntil else { return true }
    // Later end: at the renewal. Earlier end: at once.
    if let until, until < heldUntil { return true }
    return now.boot >= sentAt + (heldUntil - sentAt) / 2
  }

  package func hasEnded(_ now: Moment) -> Bool { until.map { now.boot >= $0 } ?? false }
}
