// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite

/// The list of tags in the state database. Every change is on disk when the call returns.
package final class TagStore: Sendable {
  /// A tag as it lies on disk; what the words mean is Control's business.
  package struct Row: Sendable, Equatable {
    /// Under which it is found: one row a key.
    package var key: String
    package var id: String
    package var verdict: String
    package var parent: String?
    /// Unix milliseconds.
    package var expires: Int64?

    package init(key: String, id: String, verdict: String, parent: String?, expires: Int64?) {
      self.key = key
      self.id = id
      self.verdict = verdict
      self.parent = parent
      self.expires = expires
    }
  }

  private let database: StateDatabase

  package init(database: StateDatabase) { self.database = database }

  /// All, and the version of the list.
  package func load() throws -> (version: Int64, rows: [Row]) {
    try database.read { database in
      var rows: [Row] = []
      try database.query("SELECT key, id, verdict, parent, expires FROM tags ORDER BY key") { row in
        rows.append(
          Row(
            key: row.text(0), id: row.text(1), verdict: row.text(2), parent: row.optionalText(3),
            expires: row.optionalInteger(4)))
      }
      return (try database.integer("SELECT value FROM meta WHERE name = 'tags_version'") ?? 0, rows)
    }
  }

  package func set(_ row: Row, version: Int64) throws {
    try database.write { database in
      try database.run(
        "INSERT OR REPLACE INTO tags(key, id, verdict, parent, expires) VALUES (?, ?, ?, ?, ?)", .text(row.key),
        .text(row.id), .text(row.verdict), row.parent.map { .text($0) } ?? .null, row.expires.map { .integer($0) } ?? .null)
      try database.run("UPDATE meta SET value = ? WHERE name = 'tags_version'", .integer(version))
    }
  }

  package func remove(key: String, version: Int64) throws {
    try database.write { database in
      try database.run("DELETE FROM tags WHERE key = ?", .text(key))
      try database.run("UPDATE meta SET value = ? WHERE name = 'tags_version'", .integer(version))
    }
  }
}
