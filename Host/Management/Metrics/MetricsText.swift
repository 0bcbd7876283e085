// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Writes metrics as Prometheus text, format 0.0.4. Metric and label names are the host's own; label values may come from
/// devices and plugins, and so are bounded and escaped.
struct MetricsText {
  static let type = "text/plain; version=0.0.4; charset=utf-8"
  /// Series of one answer. What is beyond is left out and counted in `busbar_metrics_dropped_series`.
  static let limit = 10_000
  /// Characters of a label's value.
  static let labelLimit = 128

  private(set) var text = ""
  private var known: Set<String> = []
  private var left: Int
  private var dropped = 0

  static func text(_ families: [MetricFamily], limit: Int = limit) -> String {
    // One place is for the count of what is left out.
    var writer = MetricsText(left: max(0, limit - 1))
    for family in families { writer.add(family) }
    var count = MetricFamily(
      "busbar_metrics_dropped_series", .gauge, "Series that this answer leaves out, over its limit of \(limit).")
    count.add(Double(writer.dropped))
    writer.left = 1
    writer.add(count)
    return writer.text
  }

  private init(left: Int) { self.left = left }

  /// A summary's series belong together: where one has no room, the ones after it may still stand, which is valid.
  private mutating func add(_ family: MetricFamily) {
    guard !family.series.isEmpty else { return }
    var lines = ""
    for series in family.series {
      let name = family.name + series.suffix + Self.labels(series.labels)
      // The same series twice makes the whole answer invalid.
      guard known.insert(name).inserted else { continue }
      guard left > 0 else {
        dropped += 1
        continue
      }
      left -= 1
      lines += "\(name) \(Self.number(series.value))\n"
    }
    guard !lines.isEmpty else { return }
    text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
    text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
    text += lines
  }

  private static func labels(_ labels: [MetricFamily.Label]) -> String {
    guard !labels.isEmpty else { return "" }
    let pairs = labels.map { "\($0.name)=\"\(escaped(String($0.value.prefix(labelLimit)), quotes: true))\"" }
    return "{\(pairs.joined(separator: ","))}"
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return JSONWriter.text(value, resolution: 0)
  }

  /// The format escapes backslash, line feed and, in labels, the quote. Other control characters have no business in
  /// what ends on terminals and pages.
  static func escaped(_ text: String, quotes: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
