// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// How often a device is read: a period for all points, and others for some.
package struct Poll: Hashable, Sendable {
  /// The period where neither configuration nor template has one.
  package static let fallback = Duration.seconds(10)
  /// Shorter or longer ones are mistakes.
  package static let range: ClosedRange<Duration> = .milliseconds(100) ... .seconds(86400)

  package var period: Duration?
  package var points: [String: Duration]

  package init(period: Duration? = nil, points: [String: Duration] = [:]) {
    self.period = period
    self.points = points
  }

  package func period(of point: String) -> Duration { points[point] ?? period ?? Self.fallback }

  /// `5s`, or `{ power: 1s, energy_total: 60s, default: 5s }`. Other points than `points` are reported.
  static func read(_ node: YAMLNode, key: String, sink: DiagnosticSink, points: [String]?) -> Poll {
    guard let members = node.members else {
      if let period = MapReader.duration(node, in: range) { return Poll(period: period) }
      sink.error(
        node.place, key, "found \(node.found)",
        expected: MapReader.expected(range) + ", or a map of points and durations")
      return Poll()
    }
    var poll = Poll()
    for member in members {
      let path = "\(key).\(member.key)"
      guard let period = MapReader.duration(member.value, in: range) else {
        sink.error(member.value.place, path, "found \(member.value.found)", expected: MapReader.expected(range))
        continue
      }
      if member.key == "default" {
        poll.period = period
      } else if let points, !points.contains(member.key) {
        let question = Suggestion.question(member.key, in: points)
        sink.error(
          member.place, path, "the template has no such point\(question)", expected: Suggestion.list(points.sorted()))
      } else {
        poll.points[member.key] = period
      }
    }
    return poll
  }

  /// These periods, where there are any, over those.
  func over(_ lower: Poll) -> Poll {
    Poll(period: period ?? lower.period, points: lower.points.merging(points) { _, own in own })
  }
}
