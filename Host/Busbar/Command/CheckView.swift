// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import BusbarValidator

/// How `busbar plugin check` shows its verdicts: a line each while it goes on, or one JSON object at the end.
struct CheckView {
  struct Row {
    var check: CheckCase
    var outcome: CheckOutcome
    /// Where several were asked for.
    var template: String?
  }

  let plan: CheckPlan
  let output: Output

  static func list(_ output: Output) throws {
    var table = Table([.init("case"), .init("group"), .init("what has to be so")])
    for check in CheckCase.all { table.add([.init(check.name), .init(check.group.rawValue), .init(check.sentence)]) }
    let json = JSONValue.array(
      CheckCase.all.map {
        ["case": .string($0.name), "group": .string($0.group.rawValue), "sentence": .string($0.sentence)]
      })
    try output.show(table, json: json)
  }

  func heading(_ template: String) throws {
    if case .json = output.form { return }
    try output.lines(["template \(printable(template))"])
  }

  func show(_ row: Row) throws {
    if case .json = output.form { return }
    let outcome = row.outcome
    let text = outcome.text.isEmpty ? "" : "  \(printable(outcome.text))"
    let verdict = outcome.verdict.rawValue
    let padded = verdict + String(repeating: " ", count: max(0, 8 - verdict.count))
    try output.lines(["\(paint(padded, outcome.verdict)) \(row.check.name)\(text)"])
  }

  func finish(_ rows: [Row]) throws {
    guard case .json = output.form else {
      try output.lines([summary(rows.map(\.outcome))])
      return
    }
    let list = rows.map { row -> JSONValue in
      var entry: [String: JSONValue] = [
        "case": .string(row.check.name), "group": .string(row.check.group.rawValue), "sentence": .string(row.check.sentence),
        "verdict": .string(row.outcome.verdict.rawValue), "text": .string(row.outcome.text),
      ]
      if let template = row.template { entry["template"] = .string(template) }
      return .object(entry)
    }
    let whole: [String: JSONValue] = [
      "plugin": .string(plan.id), "version": .string(plan.version), "sha256": .string(plan.hash),
      "adapter": .string(plan.input.adapter), "good": .boolean(!rows.contains { $0.outcome.verdict.isBad }), "cases": .array(list),
      "waivers": .object(plan.waivers.mapValues { .string($0) }),
    ]
    try output.lines([JSONValue.object(whole).text])
  }

  private func summary(_ outcomes: [CheckOutcome]) -> String {
    let order: [Verdict] = [.passed, .failed, .crashed, .stuck, .warning, .waived, .skipped]
    let counts = order.compactMap { verdict -> String? in
      let count = outcomes.count { $0.verdict == verdict }
      return count > 0 || verdict == .passed || verdict == .failed ? "\(count) \(verdict.rawValue)" : nil
    }
    return counts.joined(separator: ", ")
  }

  private func paint(_ text: String, _ verdict: Verdict) -> String {
    guard case .terminal(let terminal) = output.form, terminal.colour else { return text }
    switch verdict {
    case .passed: return "\u{1B}[32m\(text)\u{1B}[0m"
    case .failed, .crashed, .stuck: return "\u{1B}[31m\(text)\u{1B}[0m"
    case .warning, .waived: return "\u{1B}[33m\(text)\u{1B}[0m"
    case .skipped: return "\u{1B}[2m\(text)\u{1B}[0m"
    }
  }
}
