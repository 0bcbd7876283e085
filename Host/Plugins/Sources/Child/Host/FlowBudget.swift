// SPDX-License-Identifier: Apache-2.0

/// How much a child may tell: what goes beyond it is not read for a while, so that the child waits and the host does not
/// work for it alone. A burst of two seconds is free.
package struct FlowBudget: Sendable {
  private static let burst: Int64 = 2_000_000_000
  // Nanoseconds that each costs: 4 MB, 20,000 messages a second.
  private static let byte: Int64 = 250
  private static let message: Int64 = 50_000
  /// Samples a second, and for each declared point.
  package static let samples = 2_000
  package static let samplesOfPoint = 4

  /// Up to here all is paid for, on the boot clock.
  private var paid: Int64

  package init(now: Int64) { paid = now - Self.burst }

  package mutating func take(bytes: Int, messages: Int, samples: Int, points: Int, now: Int64) {
    let rate = Int64(max(Self.samples, Self.samplesOfPoint * points))
    let cost = max(Int64(bytes) * Self.byte, Int64(messages) * Self.message, Int64(samples) * (1_000_000_000 / rate))
    paid = max(paid, now - Self.burst) + cost
  }

  /// Until when nothing more is read; nil = go on.
  package func pause(now: Int64) -> Int64? { paid > now ? paid : nil }
}
