// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
package import BusbarMosquitto

/// When to try the broker again: the host's back-off, which a connection that does not last does not reset.
package struct ReconnectPause: Sendable, Equatable {
  private var backOff: BackOff
  private var shortLived = 0

  package init(first: Duration = .seconds(1), longest: Duration = .seconds(60)) {
    backOff = BackOff(first: first.nanoseconds, longest: longest.nanoseconds)
  }

  /// The pause after one more failure. `chance` is 0 to 1. A failure that only a person can mend waits for longest.
  package mutating func pause(needsPerson: Bool, chance: Double) -> Duration {
    .nanoseconds(needsPerson ? backOff.nextForPerson(random: chance) : backOff.next(random: chance))
  }

  /// A connection was made.
  package mutating func succeeded() {
    if !isFlapping { backOff.reset() }
  }

  /// A connection that was made is over.
  package mutating func ended(after life: Duration) { shortLived = life < .seconds(10) ? shortLived + 1 : 0 }

  /// No connection could be made. The broker was away, which is no sign of two clients with the same id.
  package mutating func unreachable() { shortLived = 0 }

  /// Three connections in a row ended soon after they were made. Two clients with the same id do that to each other; they
  /// must not do it once a second for ever.
  package var isFlapping: Bool { shortLived >= 3 }
}

/// Which version of MQTT to speak: 5, and 3.1.1 for good once the broker has refused 5.
package struct VersionChoice: Sendable, Equatable {
  package private(set) var version = MQTTVersion.five
  private var unanswered = 0

  package init() {}

  /// The broker does not speak this version. Whether there is another one to try.
  package mutating func refused() -> Bool {
    guard version == .five else { return false }
    version = .three
    unanswered = 0
    return true
  }

  /// The broker ended the connection instead of answering CONNECT. Some do that on a version that they do not know, so
  /// every third time in a row the other one is tried.
  package mutating func unansweredConnect() {
    unanswered += 1
    if unanswered % 3 == 0 { version = version == .five ? .three : .five }
  }

  package mutating func accepted() { unanswered = 0 }
}
