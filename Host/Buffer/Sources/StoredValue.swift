// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSQLite

/// A value in two columns, the second of which tells its kind apart: SQLite has no booleans, and stores a whole number in
/// a column of reals as it likes.
struct StoredValue {
  let column: SQLValue
  let kind: SQLValue

  init(_ value: Value?) {
    switch value {
    case .number(let number): (column, kind) = (.real(number), .text("number"))
    case .integer(let number): (column, kind) = (.integer(number), .text("integer"))
    case .boolean(let flag): (column, kind) = (.integer(flag ? 1 : 0), .text("boolean"))
    case .text(let text): (column, kind) = (.text(text), .text("text"))
    case nil: (column, kind) = (.null, .null)
    }
  }

  static func read(_ row: Statement, value: Int, kind: Int) -> Value? {
    switch row.optionalText(kind) {
    case "number": .number(row.real(value))
    case "integer": .integer(row.integer(value))
    case "boolean": .boolean(row.integer(value) != 0)
    case "text": .text(row.text(value))
    default: nil
    }
  }
}
