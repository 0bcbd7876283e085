// SPDX-License-Identifier: Apache-2.0

/// The life of a plugin in children: when one is started, how long a dead one is waited for, and when it is left to a person.
/// A value without clock or processes; times are nanoseconds on the boot clock.
package struct Supervision: Sendable, Equatable {
  /// So many deaths in so long are too many (contract, section 15).
  package static let deaths = 5
  package static let window: Int64 = 600_000_000_000
  /// The first pause; each death within the window doubles it.
  package static let pause: Int64 = 500_000_000

  package enum State: Sendable, Equatable {
    /// Nobody needs it.
    case idle
    case starting
    case running
    /// A newer file, or nobody, takes its place; running calls end first.
    case draining
    /// It died; a new one is started after this time, when somebody needs it.
    case backingOff(until: Int64)
    /// It died too often. A person has to act.
    case quarantined
    /// It will not load. Its file has to change, or a person to act.
    case refused
  }

  package enum Answer: Sendable, Equatable {
    /// Start a child.
    case start
    /// Use the one that is there, or wait for the one that is being started.
    case use
    /// Not before this time.
    case wait(until: Int64)
    /// Not before a person acts; the reason stands in `reason`.
    case never
  }

  package private(set) var state = State.idle
  /// Of the last death, or why it was refused; nil once it runs again for a while.
  package private(set) var reason: String?
  /// When it died lately, oldest first.
  package private(set) var recent: [Int64] = []
  /// All deaths since the host started.
  package private(set) var total = 0

  package init() {}

  /// Somebody needs a link. `start` means that a child is being started from now on.
  package mutating func wanted(now: Int64) -> Answer {
    switch state {
    case .starting, .running: return .use
    case .backingOff(let until) where until > now: return .wait(until: until)
    case .idle, .draining, .backingOff:
      state = .starting
      return .start
    case .quarantined, .refused: return .never
    }
  }

  package mutating func loaded() {
    if state == .starting { state = .running }
  }

  /// It says no, or the system does: not a death.
  package mutating func refused(_ why: String) {
    state = .refused
    reason = why
  }

  /// The child that was being started or ran has ended, not at the host's wish.
  package mutating func died(_ why: String, now: Int64) {
    reason = why
    total += 1
    recent = recent.filter { now - $0 < Self.window } + [now]
    if recent.count >= Self.deaths {
      state = .quarantined
    } else {
      state = .backingOff(until: now + Self.pause << Int64(recent.count - 1))
    }
  }

  /// Its file was replaced: what went wrong with the old one says nothing about the new one. True where a child has to make
  /// room.
  package mutating func replaced() -> Bool {
    let runs = state == .running || state == .starting
    state = runs ? .draining : .idle
    recent = []
    reason = nil
    return runs
  }

  /// A person asks for a new start. True where a child has to make room.
  package mutating func released() -> Bool { replaced() }

  /// Nobody needed it for a while. True where the child is to end.
  package mutating func unneeded() -> Bool {
    guard state == .running else { return false }
    state = .idle
    return true
  }
}
