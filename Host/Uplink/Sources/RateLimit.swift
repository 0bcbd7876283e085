// SPDX-License-Identifier: Apache-2.0

/// `uplink.rate`: a bucket of bytes that fills steadily, and a budget for each UTC day. The backlog of an outage is held
/// back first, at half of the bucket and four fifths of the day, so that live readings find room. Everything that is
/// published is counted, only telemetry is held back. What the host sent today before it was started is not known.
package struct RateLimit: Sendable, Equatable {
  /// The bucket holds this many seconds' worth.
  package static let burst = 5

  private let perSecond: Double
  private let perDay: Int
  private var tokens: Double
  private var filled: Int64
  private var day: Int64 = 0
  private var today = 0

  /// 0 = no limit. `boot` is the boot clock.
  package init(bytesPerSecond: Int, bytesPerDay: Int, boot: Int64) {
    perSecond = Double(max(0, bytesPerSecond))
    perDay = max(0, bytesPerDay)
    tokens = perSecond * Double(Self.burst)
    filled = boot
  }

  package enum Allowance: Sendable, Equatable {
    case all
    case live
    case nothing
  }

  /// What may be published now, and when more will be allowed on the boot clock (nil = it is all, or a day has to end).
  package mutating func allowance(boot: Int64, unixMilliseconds: Int64) -> (Allowance, until: Int64?) {
    advance(boot: boot, unixMilliseconds: unixMilliseconds)
    let byDay: Allowance = perDay == 0 || today < perDay / 5 * 4 ? .all : today < perDay ? .live : .nothing
    guard perSecond > 0 else { return (byDay, nil) }
    let half = perSecond * Double(Self.burst) / 2
    if tokens >= half { return (byDay, nil) }
    if tokens > 0 { return (byDay == .nothing ? .nothing : .live, boot + time(toGain: half - tokens)) }
    return (.nothing, boot + time(toGain: 1 - tokens))
  }

  package mutating func published(bytes: Int) {
    tokens -= perSecond > 0 ? Double(bytes) : 0
    today += bytes
  }

  private mutating func advance(boot: Int64, unixMilliseconds: Int64) {
    if perSecond > 0, boot > filled {
      tokens = min(perSecond * Double(Self.burst), tokens + Double(boot - filled) / 1e9 * perSecond)
    }
    filled = max(filled, boot)
    let now = unixMilliseconds / 86_400_000
    // A clock that is set back must not give the day's budget again.
    if now > day {
      day = now
      today = 0
    }
  }

  private func time(toGain bytes: Double) -> Int64 { Int64((bytes / perSecond * 1e9).rounded(.up)) + 1_000_000 }
}
