// SPDX-License-Identifier: Apache-2.0

/// How a simulated number moves: a slow wave, or a counter that grows.
package struct Motion: Sendable {
  private let base: Double
  private let swing: Double
  private let period: Double
  private let phase: Double
  private let counts: Bool

  /// What the template does not say follows from the point's name. `phase` is a share of the period.
  package init(_ point: Point, phase: Double) {
    let name = point.name
    counts = name.hasPrefix("energy") || name.contains("_energy")
    let (base, swing): (Double, Double) =
      if counts {
        name.hasSuffix("_today") || name.hasSuffix("_session") ? (5_000, 1_800) : (5_000_000, 1_800)
      } else if name.contains("voltage") {
        name.hasPrefix("dc") ? (600, 10) : (231, 2)
      } else if name.contains("current") {
        (6, 2)
      } else if name.contains("frequency") {
        (50, 0.02)
      } else if name.contains("temperature") {
        (38, 3)
      } else if name == "power_factor" {
        (0.98, 0.01)
      } else if name.contains("power") {
        (1_500, 600)
      } else if name.hasPrefix("so") {
        (60, 5)
      } else {
        (1, 0)
      }
    self.base = point.simulation.base ?? base
    self.swing = point.simulation.swing ?? swing
    period = max(1, point.simulation.period ?? 120)
    self.phase = phase
  }

  package func value(at seconds: Double) -> Double {
    if counts { return base + swing * max(0, seconds) / 3_600 }
    let turn = seconds / period + phase
    let x = 2 * (turn - turn.rounded(.down)) - 1
    // A parabola on each half: close to a sine, and needs no library.
    return base + swing * 4 * x * (1 - abs(x))
  }
}
