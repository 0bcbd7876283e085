// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarPlugins

/// A plugin that reads a device out of a trace: what a user recorded, seen through the plugin, in processes of their own as for
/// a case of the check.
package struct Replay: Sendable {
  /// One point in one poll.
  package struct Row: Sendable, Equatable {
    package var poll: Int
    package var point: String
    package var unit: String
    /// Nil where it is bad.
    package var value: JSONValue?
    package var bad: String?
  }

  package struct Result: Sendable {
    package var rows: [Row]
    /// Why a poll failed, a sentence; the first one.
    package var failure: String?
  }

  /// Blocks.
  package static func run(_ process: CaseProcess) throws(CheckPlan.Failure) -> Result {
    let outcome = process.run(.replay)
    guard outcome.verdict == .passed, let document = try? JSONValue(parsing: Array(outcome.text.utf8), depth: 64) else {
      throw CheckPlan.Failure(outcome.text)
    }
    let rows = (document["rows"]?.array ?? []).map { row in
      Row(
        poll: Int(row["poll"]?.integer ?? 0), point: row["point"]?.string ?? "", unit: row["unit"]?.string ?? "", value: row["value"],
        bad: row["bad"]?.string)
    }
    return Result(rows: rows, failure: document["failure"]?.string)
  }
}

extension CheckCase {
  /// Not one of the check: its text is what it read, as JSON.
  static let replay = CheckCase("replay", .telemetry, "What the plugin reads out of a trace.", limit: 600) { bench in
    let link = try bench.link(try bench.load(), to: try bench.device())
    try expectDone(await link.open(), "open")
    try expectDone(await link.add(), "device_add")
    var rows: [JSONValue] = []
    var failure: String?
    for poll in 1...max(1, bench.input.polls) {
      let result = await link.poll(points: link.told.readable.map(\.id), within: .seconds(60))
      if result.failure != nil { failure = failure ?? "poll \(poll): \(said(result))" }
      for (_, point) in link.told.readable {
        var row: [String: JSONValue] = [
          "poll": .integer(Int64(poll)), "point": .string(point.name), "unit": .string(point.unit),
        ]
        if let value = link.told.values[point.name] {
          row["value"] = value.json
        } else {
          row["bad"] = .string(link.told.bad[point.name]?.rawValue ?? "comm")
        }
        rows.append(.object(row))
      }
    }
    await link.close()
    var document: [String: JSONValue] = ["rows": .array(rows)]
    if let failure { document["failure"] = .string(failure) }
    throw Finding(verdict: .passed, text: JSONValue.object(document).text)
  }
}
