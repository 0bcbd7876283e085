// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import FoundationEssentials

/// How values, times and sizes are written for people.
package enum Format {
  /// A scalar as it is, everything else as JSON; null is a dash.
  package static func value(_ json: JSONValue?) -> String {
    switch json {
    case nil, .null?: "-"
    case .string(let text)?: text
    case .array(let items)?: items.map { value($0) }.joined(separator: ", ")
    case let json?: json.text
    }
  }

  /// `12s`, `3m`, `2h`, `5d`; milliseconds. A time that is still to come is `0s`.
  package static func age(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds) / 1000
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m"
    case ..<86400: return "\(seconds / 3600)h"
    default: return "\(seconds / 86400)d"
    }
  }

  /// `0 B`, `64.0 KiB`, `1.5 GiB`.
  package static func size(_ bytes: Int64) -> String {
    guard bytes >= 1024 else { return "\(bytes) B" }
    var number = Double(bytes)
    var unit = "B"
    for next in ["KiB", "MiB", "GiB", "TiB"] where number >= 1024 {
      number /= 1024
      unit = next
    }
    let tenths = Int64((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }

  /// RFC 3339 in UTC with milliseconds, from Unix milliseconds: `2026-11-22T22:36:01.123Z`.
  package static func time(_ milliseconds: Int64) -> String {
    let fraction = (milliseconds % 1000 + 1000) % 1000
    let seconds = Double((milliseconds - fraction) / 1000)
    let digits = String(1000 + fraction).dropFirst()
    return "\(Date(timeIntervalSince1970: seconds).formatted(.iso8601).dropLast()).\(digits)Z"
  }
}
