// SPDX-License-Identifier: Apache-2.0

/// A factor from the raw number to the unit. Where it is one over a whole number it divides, so that 2312 x 0.1 is
/// 231.2 to the last digit.
package struct Scale: Equatable, Sendable {
  package let factor: Double
  private let divisor: Double?

  /// `factor` is finite and not 0.
  package init(_ factor: Double) {
    self.factor = factor
    let inverse = (1 / factor).rounded()
    divisor = abs(factor) < 1 && 1 / inverse == factor ? inverse : nil
  }

  package static let one = Scale(1)

  package func apply(_ raw: Double) -> Double {
    if let divisor { raw / divisor } else { raw * factor }
  }

  package func undo(_ value: Double) -> Double {
    if let divisor { value * divisor } else { value / factor }
  }
}
