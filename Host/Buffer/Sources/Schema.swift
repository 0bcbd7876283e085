// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite

/// The tables, one step a version (`user_version`). A step that was released is never changed.
enum Schema {
  static let version = Int64(steps.count)

  /// Brings the file to the present version.
  static func migrate(_ database: Database) throws {
    let found = try database.integer("PRAGMA user_version") ?? 0
    guard found <= version else { throw NewerStateError(path: database.path, found: found, known: version) }
    for step in steps[Int(max(found, 0))...] {
      try database.transaction {
        let next = try (database.integer("PRAGMA user_version") ?? 0) + 1
        try database.execute(step)
        try database.execute("PRAGMA user_version = \(next)")
      }
    }
  }

  private static let steps = [
    """
    CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('rows', 0), ('bytes', 0), ('sequence_base', 0);
    CREATE TABLE streams(
      id INTEGER PRIMARY KEY, device TEXT NOT NULL, kind TEXT NOT NULL, settled INTEGER NOT NULL,
      reserved INTEGER NOT NULL, UNIQUE(device, kind));
    CREATE TABLE outbox(
      id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
      payload BLOB NOT NULL);
    CREATE UNIQUE INDEX outbox_number ON outbox(stream, seq);
    CREATE TABLE gaps(
      id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
      reason TEXT NOT NULL);
    CREATE TABLE journal(
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, device TEXT NOT NULL, digest TEXT NOT NULL,
      time INTEGER NOT NULL, state INTEGER NOT NULL, answered INTEGER, status TEXT, value, value_kind TEXT, reason TEXT,
      by TEXT, until INTEGER, text TEXT);
    CREATE TABLE debts(
      number INTEGER PRIMARY KEY, device TEXT NOT NULL, point TEXT NOT NULL, value NOT NULL, value_kind TEXT NOT NULL,
      UNIQUE(device, point));
    CREATE TABLE store(
      scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(scope, key)) WITHOUT ROWID;
    """,
    """
    CREATE TABLE tags(
      key TEXT PRIMARY KEY, id TEXT NOT NULL, verdict TEXT NOT NULL, parent TEXT, expires INTEGER) WITHOUT ROWID;
    INSERT INTO meta VALUES ('tags_version', 0);
    CREATE TABLE logins(
      listener TEXT NOT NULL, identity TEXT NOT NULL, secret BLOB, next BLOB, profile INTEGER NOT NULL,
      PRIMARY KEY(listener, identity)) WITHOUT ROWID;
    """,
  ]
}

/// The file was written by a later release, whose tables are not known here.
package struct NewerStateError: Error, Sendable, CustomStringConvertible {
  let path: String
  let found: Int64
  let known: Int64

  package var description: String {
    "\(path): written by a later busbar (tables of version \(found), this one knows \(known)); install that one, "
      + "or set host.state to another directory"
  }
}
