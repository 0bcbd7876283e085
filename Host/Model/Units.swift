// SPDX-License-Identifier: Apache-2.0

/// Durations and sizes as people write them in configuration (interfaces 1).
package enum Units {
  /// `500ms`, `5s`, `2m`, `1h`, `7d`: a whole number and a unit. Nil where the text is not one.
  package static func duration(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count <= 12, let count = Int64(digits) else { return nil }
    switch text.dropFirst(digits.count) {
    case "ms": return .milliseconds(count)
    case "s": return .seconds(count)
    case "m": return .seconds(count * 60)
    case "h": return .seconds(count * 3600)
    case "d": return .seconds(count * 86400)
    default: return nil
    }
  }

  /// `4096`, `64KiB`, `64MiB`, `2GiB`: bytes. Nil where the text is not a size.
  package static func size(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count <= 12, let count = Int64(digits) else { return nil }
    let shift: Int64
    switch text.dropFirst(digits.count) {
    case "", "B": shift = 0
    case "KiB": shift = 10
    case "MiB": shift = 20
    case "GiB": shift = 30
    case "TiB": shift = 40
    default: return nil
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : product
  }

  /// The shortest way to write a duration: `5s`, `500ms`, `2m`.
  package static func text(_ duration: Duration) -> String {
    let milliseconds = duration.milliseconds
    if milliseconds % 1000 != 0 || milliseconds == 0 { return "\(milliseconds)ms" }
    let seconds = milliseconds / 1000
    if seconds % 86400 == 0 { return "\(seconds / 86400)d" }
    if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    if seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
  }
}

extension Duration {
  /// Whole milliseconds, the rest cut off; saturates.
  package var milliseconds: Int64 { count(perSecond: 1000) }
  /// Whole nanoseconds, the rest cut off; saturates at about 292 years.
  package var nanoseconds: Int64 { count(perSecond: 1_000_000_000) }

  private func count(perSecond: Int64) -> Int64 {
    let (seconds, attoseconds) = components
    let (product, tooMany) = seconds.multipliedReportingOverflow(by: perSecond)
    let (sum, justTooMany) = product.addingReportingOverflow(attoseconds / (1_000_000_000_000_000_000 / perSecond))
    return tooMany || justTooMany ? (seconds < 0 ? .min : .max) : sum
  }
}
