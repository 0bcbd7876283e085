// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import FoundationEssentials

/// What the host kept of a device, from the answer of `/devices/{id}/history`.
package enum HistoryView {
  /// A line a row of each point: time, point, lowest, mean, highest, unit, samples; of a state its label instead of the mean.
  package static func rows(_ history: JSONValue) -> Table {
    var table = Table(
      [
        .init("time"), .init("point"), .init("minimum", .right), .init("mean", .right), .init("maximum", .right),
        .init("unit"), .init("samples", .right),
      ], empty: "nothing was kept of this time")
    for point in history["points"]?.array ?? [] {
      for row in point["rows"]?.array ?? [] {
        table.add([
          Table.Cell(row["ts"]?.integer.map { Format.time($0) } ?? "-"), Table.Cell(point["name"]?.string ?? ""),
          Table.Cell(Format.value(row["minimum"])), Table.Cell(Format.value(row["value"] ?? row["mean"])),
          Table.Cell(Format.value(row["maximum"])), Table.Cell(point["unit"]?.string ?? ""),
          Table.Cell(Format.value(row["samples"])),
        ])
      }
    }
    return table
  }

  /// A line a point: lowest, mean and highest of all the time, and how it went.
  package static func overview(_ history: JSONValue) -> Table {
    var table = Table(
      [
        .init("point"), .init("minimum", .right), .init("mean", .right), .init("maximum", .right), .init("unit"),
        .init("course"),
      ], empty: "nothing was kept of this time")
    for (name, trend) in Trend.all(history).sorted(by: { $0.key < $1.key }) {
      table.add([Table.Cell(name)] + trend.cells + [Table.Cell(trend.unit), Table.Cell(trend.course)])
    }
    return table
  }

  /// Bars in a course.
  package static let bars: Int64 = 24

  /// Whole minutes in a bar of a course over so many milliseconds.
  package static func step(_ span: Int64) -> Int64 { max(1, (span + bars * 60_000 - 1) / (bars * 60_000)) }

  /// `2h`, or `2026-11-28T20:00:00Z`, as Unix milliseconds. Nil where it is neither.
  package static func time(_ text: String, now: Int64) -> Int64? {
    if let age = Units.duration(text) { return now - age.milliseconds }
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    return Int64(date.timeIntervalSince1970 * 1000)
  }
}

/// How a point went.
package struct Trend: Sendable, Equatable {
  package var low: Double?
  package var mean: Double?
  package var high: Double?
  /// The label that most samples had.
  package var label: String?
  package var unit: String
  /// A bar for each step, a space where there was no value; empty for labels.
  package var course: String

  /// By point.
  package static func all(_ history: JSONValue) -> [String: Trend] {
    guard let from = history["from"]?.integer, let to = history["to"]?.integer, let step = history["step"]?.integer,
      step > 0, to >= from
    else { return [:] }
    var trends: [String: Trend] = [:]
    for point in history["points"]?.array ?? [] {
      guard let name = point["name"]?.string else { continue }
      trends[name] = Trend(point, first: from - from % step, step: step)
    }
    return trends
  }

  private init(_ point: JSONValue, first: Int64, step: Int64) {
    let rows = point["rows"]?.array ?? []
    unit = point["unit"]?.string ?? ""
    low = rows.compactMap { $0["minimum"]?.number }.min()
    high = rows.compactMap { $0["maximum"]?.number }.max()
    course = ""
    var sum = 0.0
    var samples = 0.0
    var labels: [String: Double] = [:]
    var means: [Int: Double] = [:]
    for row in rows {
      let weight = row["samples"]?.number ?? 1
      if let label = row["value"]?.string { labels[label, default: 0] += weight }
      guard let mean = row["mean"]?.number else { continue }
      sum += mean * weight
      samples += weight
      if let time = row["ts"]?.integer { means[Int((time - first) / step)] = mean }
    }
    mean = samples > 0 ? sum / samples : nil
    label = labels.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    course = Self.course(means)
  }

  /// Bars between the lowest and the highest of the means; all the same is half way up.
  private static func course(_ means: [Int: Double]) -> String {
    guard let last = means.keys.max(), (0..<1000).contains(last), let low = means.values.min(), let high = means.values.max()
    else { return "" }
    let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    return String(
      (0...last).map { place in
        guard let mean = means[place] else { return " " }
        guard high > low else { return "▄" }
        return bars[min(7, max(0, Int((mean - low) / (high - low) * 8)))]
      })
  }

  /// Lowest, mean and highest; of a state its label alone.
  var cells: [Table.Cell] {
    [low, mean, high].map { number in Table.Cell(number.map(Self.short) ?? "-") }.enumerated().map { place, cell in
      place == 1 ? label.map { Table.Cell($0) } ?? cell : cell
    }
  }

  /// Four digits that matter, or all that stand before the point.
  private static func short(_ number: Double) -> String {
    let size = abs(number)
    let resolution = size >= 1000 ? 1 : size >= 100 ? 0.1 : size >= 10 ? 0.01 : 0.001
    return JSONWriter.text(number, resolution: resolution)
  }
}
