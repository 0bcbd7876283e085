// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Show what a device's points were: lowest, mean and highest a minute.",
    discussion: """
      On a terminal a line a point, or, where points are named, a line a row. In a pipe always a line a row: time, point, \
      minimum, mean, maximum, unit and samples with tabs between; of a state, the label that most samples had stands in the \
      place of the mean. With --json the answer of the API. A time without a value has no row; the last row may be under way.
      """)

  @Argument(help: "Id of the device.", completion: Completions.devices)
  var device: String

  @Argument(help: "Points; none = all.", completion: Completions.points)
  var points: [String] = []

  @Option(help: "From when on: an age such as 90m, 12h or 7d, or a time such as 2026-11-28T20:00:00Z.")
  var since = "1h"

  @Option(help: "Until when, as --since; default: now.")
  var until: String?

  @Option(help: "Time in a row, whole minutes such as 1m, 15m, 1h or 1d; default: a minute, or more for a long time.")
  var step: String?

  @OptionGroup var options: ClientOptions

  func validate() throws {
    try DeviceArgument.check(device)
    for point in points where !Self.isName(point) {
      throw ValidationError("'\(printable(point))' is no point: 1 to 64 characters of A-Z a-z 0-9 . _ -")
    }
    for (name, text) in [("since", since), ("until", until ?? "0s")] where HistoryView.time(text, now: 0) == nil {
      throw ValidationError("--\(name) \(printable(text)): expected an age such as 2h or 7d, or a time such as 2026-11-28T20:00:00Z")
    }
    if let step, !((Units.duration(step)?.milliseconds).map { $0 > 0 && $0 % 60_000 == 0 } ?? false) {
      throw ValidationError("--step \(printable(step)): expected whole minutes, such as 1m, 15m, 1h or 1d")
    }
  }

  func run() async throws {
    let output = options.output
    let now = options.now
    let to = until.flatMap { HistoryView.time($0, now: now) } ?? now
    let from = max(0, HistoryView.time(since, now: now) ?? now)
    guard from < to else { throw CommandFailure("--since has to be before --until") }
    var query = ["from=\(from)", "to=\(to)"]
    if !points.isEmpty { query.append("points=\(points.joined(separator: ","))") }
    var asOverview = false
    if case .terminal = output.form, points.isEmpty, step == nil {
      asOverview = true
      query.append("step=\(HistoryView.step(to - from))m")
    }
    if let step { query.append("step=\(step)") }
    let history = try await options.client.get("/api/v1/devices/\(device)/history?\(query.joined(separator: "&"))")
    try output.show(asOverview ? HistoryView.overview(history) : HistoryView.rows(history), json: history)
  }

  /// What is none must not become part of an address.
  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
  }
}
