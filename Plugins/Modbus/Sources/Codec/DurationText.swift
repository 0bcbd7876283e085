// SPDX-License-Identifier: Apache-2.0

/// `500ms`, `5s`, `2m`, `1h`, `7d` in milliseconds; nil for anything else and beyond a year.
package func milliseconds(_ text: String) -> Int? {
  let digits = text.prefix { $0.isASCII && $0.isNumber }
  guard let number = Int(digits) else { return nil }
  let factor: Int
  switch text.dropFirst(digits.count) {
  case "ms": factor = 1
  case "s": factor = 1_000
  case "m": factor = 60_000
  case "h": factor = 3_600_000
  case "d": factor = 86_400_000
  default: return nil
  }
  let (product, overflow) = number.multipliedReportingOverflow(by: factor)
  return overflow || product > 366 * 86_400_000 ? nil : product
}
