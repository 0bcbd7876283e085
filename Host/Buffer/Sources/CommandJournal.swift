// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSQLite

/// The journal in the state database. A request is remembered for 7 days, the last 10,000 of them at most; one that is
/// being carried out is never forgotten.
package final class CommandJournal: CommandJournaling {
  private enum State: Int64 {
    case entered, sent, finished
  }

  private static let days: Int64 = 7 * 86_400_000
  private static let rows: Int64 = 10_000

  private let database: StateDatabase

  /// Requests that an earlier run had entered and not sent did nothing: they may come again.
  package init(database: StateDatabase) throws {
    self.database = database
    try database.write { database in
      _ = try database.run("DELETE FROM journal WHERE state = ?", .integer(State.entered.rawValue))
    }
  }

  /// `time` in Unix milliseconds.
  package func enter(id: String, device: DeviceID, digest: String, time: Int64) throws -> JournalEntry {
    try database.write { database in
      if let known = try Self.find(id, device: device, digest: digest, database) { return known }
      let number = (try database.integer("SELECT max(number) FROM journal") ?? 0) + 1
      try database.run(
        "INSERT INTO journal(number, id, device, digest, time, state) VALUES (?, ?, ?, ?, ?, ?)", .integer(number),
        .text(id), .text(device.rawValue), .text(digest), .integer(time), .integer(State.entered.rawValue))
      try database.run(
        "DELETE FROM journal WHERE state = ? AND (number <= ? OR time < ?)", .integer(State.finished.rawValue),
        .integer(number - Self.rows), .integer(time - Self.days))
      return .new
    }
  }

  private static func find(
    _ id: String, device: DeviceID, digest: String, _ database: Database
  ) throws -> JournalEntry? {
    var found: JournalEntry?
    try database.query(
      """
      SELECT device, digest, state, answered, status, value, value_kind, reason, by, until, text
      FROM journal WHERE id = ?
      """, .text(id)
    ) { row in
      guard row.text(0) == device.rawValue, row.text(1) == digest else {
        found = .different
        return
      }
      guard row.integer(2) == State.finished.rawValue, let status = CommandResponse.Status(rawValue: row.text(4)) else {
        found = .running
        return
      }
      found = .finished(
        CommandResponse(
          id: id, time: row.integer(3), status: status, value: StoredValue.read(row, value: 5, kind: 6),
          reason: row.optionalText(7).flatMap { RefusalReason(rawValue: $0) }, by: row.optionalText(8),
          until: row.optionalInteger(9), text: row.optionalText(10)))
    }
    return found
  }

  package func sent(id: String) throws {
    try change(id) { database in
      try database.run("UPDATE journal SET state = ? WHERE id = ?", .integer(State.sent.rawValue), .text(id))
    }
  }

  package func finish(id: String, response: CommandResponse) throws {
    let value = StoredValue(response.value)
    try change(id) { database in
      try database.run(
        """
        UPDATE journal SET state = ?, answered = ?, status = ?, value = ?, value_kind = ?, reason = ?, by = ?,
          until = ?, text = ? WHERE id = ?
        """, .integer(State.finished.rawValue), .integer(response.time), .text(response.status.rawValue), value.column,
        value.kind, Self.optional(response.reason?.rawValue), Self.optional(response.by),
        response.until.map { .integer($0) } ?? .null, Self.optional(response.text), .text(id))
    }
  }

  private func change(_ id: String, _ body: (Database) throws -> Int) throws {
    try database.write { guard try body($0) > 0 else { throw JournalError(id: id) } }
  }

  private static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }

  package func unfinished() throws -> [UnfinishedCommand] {
    try database.read { database in
      var commands: [UnfinishedCommand] = []
      try database.query(
        "SELECT id, device FROM journal WHERE state = ? ORDER BY number", .integer(State.sent.rawValue)
      ) { row in
        guard let device = DeviceID(rawValue: row.text(1)) else { return }
        commands.append(UnfinishedCommand(id: row.text(0), device: device))
      }
      return commands
    }
  }

  /// Repeating a debt costs no write.
  package func owe(_ debt: SafeValueDebt) throws {
    let value = StoredValue(debt.safe)
    let place: (SQLValue, SQLValue) = (.text(debt.device.rawValue), .text(debt.point))
    try database.write { database in
      var known: Value?
      try database.query(
        "SELECT value, value_kind FROM debts WHERE device = ? AND point = ?", place.0, place.1
      ) { known = StoredValue.read($0, value: 0, kind: 1) }
      guard known != debt.safe else { return }
      try database.run(
        """
        INSERT INTO debts(device, point, value, value_kind) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT(device, point) DO UPDATE SET value = ?3, value_kind = ?4
        """, place.0, place.1, value.column, value.kind)
    }
  }

  package func settled(device: DeviceID, point: String) throws {
    try database.write { database in
      _ = try database.run(
        "DELETE FROM debts WHERE device = ? AND point = ?", .text(device.rawValue), .text(point))
    }
  }

  package func debts() throws -> [SafeValueDebt] {
    try database.read { database in
      var debts: [SafeValueDebt] = []
      try database.query("SELECT device, point, value, value_kind FROM debts ORDER BY number") { row in
        guard let device = DeviceID(rawValue: row.text(0)), let safe = StoredValue.read(row, value: 2, kind: 3)
        else { return }
        debts.append(SafeValueDebt(device: device, point: row.text(1), safe: safe))
      }
      return debts
    }
  }
}

/// A command was to be sent or finished that was never entered.
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  package let id: String

  package var description: String { "command \"\(id)\" is not in the journal" }
}
