// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What somebody wants to see of one device.
package struct HistoryQuestion: Sendable, Equatable {
  package var device: DeviceID
  /// Empty = all.
  package var points: [String]
  /// Unix milliseconds; minutes that begin in the range.
  package var time: Range<Int64>
  /// Minutes in a row; nil = so many that the answer stays short.
  package var step: Int64?

  package init(device: DeviceID, points: [String] = [], time: Range<Int64>, step: Int64? = nil) {
    self.device = device
    self.points = points
    self.time = time
    self.step = step
  }

  /// Minutes since the Unix epoch.
  var minutes: Range<Int64> {
    let first = (time.lowerBound + 59_999).floored(to: 60_000) / 60_000
    return first..<max(first, (time.upperBound + 59_999).floored(to: 60_000) / 60_000)
  }
}

/// The answer would have more rows than `HistoryAnswer.mostRows`.
package struct TooManyRows: Error, Sendable {}

/// Rows of each point.
package struct HistoryAnswer: Sendable, Equatable {
  /// In one answer, all points together.
  package static let mostRows = 20_000
  /// Of one point, where the question left the step open.
  static let readable = 1500
  /// What is taken then, minutes.
  static let steps: [Int64] = [1, 5, 15, 60, 360, 1440]

  package struct Row: Sendable, Equatable {
    /// When it begins, Unix milliseconds.
    package var time: Int64
    package var summary: Summary
  }

  package struct Point: Sendable, Equatable {
    package var name: String
    package var unit: String
    package var isCounter: Bool
    /// The smallest step of the numbers; 0 = as they are.
    package var step: Double
    package var rows: [Row]
  }

  package var device: DeviceID
  package var time: Range<Int64>
  /// Minutes in a row.
  package var step: Int64
  /// In order of the name.
  package var points: [Point]

  package init(device: DeviceID, time: Range<Int64>, step: Int64, points: [Point]) {
    self.device = device
    self.time = time
    self.step = step
    self.points = points
  }

  package var json: String {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.key("device")
    writer.string(device.rawValue)
    for (name, number) in [("from", time.lowerBound), ("to", time.upperBound), ("step", step * 60_000)] {
      writer.key(name)
      writer.integer(number)
    }
    writer.key("points")
    writer.beginArray()
    for point in points { Self.write(point, &writer) }
    writer.endArray()
    writer.endObject()
    return writer.text
  }

  private static func write(_ point: Point, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.string(point.name)
    writer.key("unit")
    writer.string(point.unit)
    writer.key("kind")
    writer.string(point.kind)
    writer.key("rows")
    writer.beginArray()
    for row in point.rows {
      writer.beginObject()
      writer.key("ts")
      writer.integer(row.time)
      switch row.summary.content {
      case .number(let low, let mean, let high):
        for (name, number) in [("minimum", low), ("mean", mean), ("maximum", high)] {
          writer.key(name)
          writer.number(number, resolution: point.step)
        }
      case .label(let text):
        writer.key("value")
        writer.string(text)
      }
      writer.key("samples")
      writer.integer(Int64(row.summary.samples))
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }
}

extension HistoryAnswer.Point {
  /// As in interfaces 3.5.
  package var kind: String {
    if isCounter { return "counter" }
    return rows.last.map { if case .label = $0.summary.content { "state" } else { "gauge" } } ?? "gauge"
  }
}

/// Puts minutes together to rows.
struct RowMaker {
  private struct Point {
    var series: Block.Series
    var rows: [Int64: Tally] = [:]
  }

  private let question: HistoryQuestion
  private let minutes: Range<Int64>
  private(set) var step: Int64
  private var points: [String: Point] = [:]
  private var count = 0

  init(_ question: HistoryQuestion) {
    self.question = question
    minutes = question.minutes
    step = question.step ?? HistoryAnswer.steps[0]
  }

  mutating func add(_ block: Block) throws(TooManyRows) {
    for (name, series) in block.series where question.points.isEmpty || question.points.contains(name) {
      var point = points.removeValue(forKey: name) ?? Point(series: series)
      point.series.unit = series.unit
      point.series.isCounter = series.isCounter
      if series.step > 0 { point.series.step = series.step }
      for minute in series.minutes where minutes.contains(minute.number) {
        let row = minute.number.floored(to: step)
        if point.rows[row] == nil { count += 1 }
        point.rows[row, default: Tally()].add(minute.summary)
      }
      let long = point.rows.count
      points[name] = point
      try keepShort(long)
    }
  }

  private mutating func keepShort(_ long: Int) throws(TooManyRows) {
    while count > HistoryAnswer.mostRows || (question.step == nil && long > HistoryAnswer.readable) {
      guard question.step == nil, let next = HistoryAnswer.steps.first(where: { $0 > step }) else {
        guard count > HistoryAnswer.mostRows else { return }
        throw TooManyRows()
      }
      step = next
      count = 0
      for name in points.keys {
        let rows = points[name]?.rows ?? [:]
        var coarser: [Int64: Tally] = [:]
        for (row, tally) in rows {
          if let summary = tally.summary { coarser[row.floored(to: step), default: Tally()].add(summary) }
        }
        count += coarser.count
        points[name]?.rows = coarser
      }
      if points.values.allSatisfy({ $0.rows.count <= HistoryAnswer.readable }), count <= HistoryAnswer.mostRows { return }
    }
  }

  var answer: HistoryAnswer {
    let made = points.sorted { $0.key < $1.key }.compactMap { name, point -> HistoryAnswer.Point? in
      let rows = point.rows.sorted { $0.key < $1.key }.compactMap { number, tally in
        tally.summary.map { HistoryAnswer.Row(time: number * 60_000, summary: $0) }
      }
      guard !rows.isEmpty else { return nil }
      return HistoryAnswer.Point(
        name: name, unit: point.series.unit, isCounter: point.series.isCounter, step: point.series.step, rows: rows)
    }
    return HistoryAnswer(device: question.device, time: question.time, step: step, points: made)
  }
}
