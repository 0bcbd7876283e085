// SPDX-License-Identifier: Apache-2.0

/// When something happened, by our clock, Unix milliseconds, and whether that is certain.
package struct EventTime: Equatable, Sendable {
  package var unix: Int64
  package var isCertain: Bool
  /// It is the charger's stamp as it is, which may have to be corrected once it is known how much the clock is off.
  package var isRaw = false

  package init(_ unix: Int64, isCertain: Bool = true, isRaw: Bool = false) {
    self.unix = unix
    self.isCertain = isCertain
    self.isRaw = isRaw
  }
}

/// How far a charger's clock is off, from the stamps of what it sends.
///
/// A stamp may be old because the message waited while the charger was offline, or because the clock is behind. Three things
/// tell: a stamp in the future is always the clock; a stamp that is right shows that the clock is right; and the same
/// difference in messages that are some time apart is the clock, since those that waited come faster than they were made.
package struct ChargerClock: Equatable, Sendable {
  package enum State: Equatable, Sendable {
    case unknown
    case right
    /// Milliseconds to add to the charger's stamps.
    case off(by: Int64)
  }

  /// Differences within are taken for transport and rounding.
  package static let tolerance: Int64 = 60_000
  private static let agreement: Int64 = 5_000
  private static let apart: Int64 = 20_000
  /// No message waits so long in a charger: its clock was not set.
  private static let longestWait: Int64 = 90 * 86_400_000
  /// A clock that was never set: 2015-01-01.
  private static let never: Int64 = 1_420_070_400_000

  package private(set) var state = State.unknown
  private var earlier: Seen?

  private struct Seen: Equatable, Sendable {
    var difference: Int64
    var at: Int64
  }

  package init() {}

  /// A message with this stamp has come.
  package mutating func observe(_ stamp: Int64, _ now: Moment) {
    guard stamp > Self.never else { return }
    let difference = now.unix - stamp
    guard abs(difference) > Self.tolerance else {
      state = .right
      earlier = nil
      return
    }
    if difference < 0, difference < known {
      // What waited before it came looks less far ahead than the clock is.
      state = .off(by: difference)
      earlier = Seen(difference: difference, at: now.boot)
      return
    }
    guard let earlier, abs(earlier.difference - difference) <= Self.agreement else {
      earlier = Seen(difference: difference, at: now.boot)
      return
    }
    if now.boot - earlier.at >= Self.apart { state = .off(by: difference) }
  }

  private var known: Int64 { if case .off(let difference) = state { difference } else { 0 } }

  /// When something happened, by our clock.
  package func corrected(_ stamp: Int64?, _ now: Moment) -> EventTime {
    guard let stamp, stamp > Self.never else { return EventTime(now.unix, isCertain: false) }
    switch state {
    case .right:
      return stamp <= now.unix + Self.tolerance ? EventTime(min(stamp, now.unix)) : EventTime(now.unix, isCertain: false)
    case .off(let difference): return EventTime(min(stamp + difference, now.unix))
    case .unknown:
      guard stamp <= now.unix, now.unix - stamp <= Self.longestWait else { return EventTime(now.unix, isCertain: false) }
      return now.unix - stamp <= Self.tolerance ? EventTime(stamp) : EventTime(stamp, isCertain: false, isRaw: true)
    }
  }
}
