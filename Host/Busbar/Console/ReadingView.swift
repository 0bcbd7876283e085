// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// `busbar read`: one reading as a table, and whether it is one.
package struct ReadingView: Sendable {
  package let table: Table
  /// Why the command failed: a point that was asked for has no value, or nothing has. Nil = it did not fail.
  package let failure: String?

  /// `points` are those that were asked for, none = all; `units` by point.
  package init(_ reading: JSONValue, device: String, points: [String], units: [String: String]) {
    let values = reading["values"]?.object ?? [:]
    let bad = reading["bad"]?.object ?? [:]
    var table = Table([.init("point"), .init("value", .right), .init("unit"), .init("quality")], empty: "no values")
    let names = points.isEmpty ? Set(values.keys).union(bad.keys).sorted() : points
    for name in names {
      let unit = Table.Cell(units[name] ?? "")
      if let value = values[name] {
        let uncertain = reading["uncertain"]?.array?.contains(.string(name)) ?? false
        table.add([
          Table.Cell(name), Table.Cell(Format.value(value)), unit,
          uncertain ? Table.Cell("uncertain", .warning) : "good",
        ])
      } else {
        table.add([Table.Cell(name), "-", unit, Table.Cell(bad[name]?.string ?? "not read", .bad)])
      }
    }
    self.table = table
    let missing = names.filter { values[$0] == nil }
    if missing.isEmpty || (points.isEmpty && !values.isEmpty) {
      failure = nil
    } else {
      let reasons = missing.map { "\($0) (\(bad[$0]?.string ?? "not read"))" }
      failure = "no value of \(device): \(reasons.joined(separator: ", "))"
    }
  }
}
