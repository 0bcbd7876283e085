// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// When a charger is asked things that nobody told us to ask.
///
/// What it can do: when it has started. A charger that only connects anew is left alone for a while: it has enough to tell, and
/// whoever commissions or tests it expects the messages that were asked for and no others. A limit needs to know what the charger can
/// do (its unit, its periods), so it waits for that where it is not known.
extension Station {
  /// True where the command waits for what the charger can do, which is to be asked now.
  mutating func parks(_ command: Command, ticket: UInt64) -> Bool {
    guard case .limit = command, !hasLearned, isConnected, registration.mayCall, parked.count < Self.mostWaiting else { return false }
    parked.append((command, ticket))
    return true
  }

  /// Those that waited, where what the charger can do is known now, or will not be.
  mutating func takeParked() -> [(command: Command, ticket: UInt64)] {
    guard hasLearned || !isConnected else { return [] }
    defer { parked = [] }
    return parked
  }

  /// True once, when it is time.
  mutating func introduces(_ now: Moment) -> Bool {
    guard isConnected, let time = introduction, now.boot >= time else { return false }
    introduction = nil
    isIntroduced = true
    return registration.mayCall
  }
}
