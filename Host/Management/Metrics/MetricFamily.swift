// SPDX-License-Identifier: Apache-2.0

/// One metric with all of its series, as the Prometheus text format 0.0.4 knows them.
struct MetricFamily: Sendable, Equatable {
  enum Kind: String, Sendable { case counter, gauge, summary }

  struct Label: Sendable, Equatable {
    var name: String
    var value: String
  }

  struct Series: Sendable, Equatable {
    /// Put behind the metric's name: `_sum` and `_count` of a summary.
    var suffix = ""
    var labels: [Label] = []
    var value: Double
  }

  var name: String
  var kind: Kind
  var help: String
  var series: [Series] = []

  init(_ name: String, _ kind: Kind, _ help: String) {
    self.name = name
    self.kind = kind
    self.help = help
  }

  /// A metric of one series without labels; none where there is no value.
  init(_ name: String, _ kind: Kind, _ help: String, value: Double?) {
    self.init(name, kind, help)
    add(value)
  }

  /// Adds a series; nothing where there is no value. Labels without a value are left out: they mean the same to
  /// Prometheus.
  mutating func add(_ value: Double?, _ labels: KeyValuePairs<String, String?> = [:], suffix: String = "") {
    guard let value else { return }
    let given = labels.compactMap { name, value in
      value.flatMap { $0.isEmpty ? nil : Label(name: name, value: $0) }
    }
    series.append(Series(suffix: suffix, labels: given, value: value))
  }
}
