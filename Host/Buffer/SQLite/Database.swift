// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// One connection to an SQLite file. Not for several threads at a time: the owner locks.
@safe package final class Database {
  package enum Access: Sendable {
    case readWrite, readOnly
  }

  package let path: String
  private let handle: OpaquePointer
  private var statements: [String: Statement] = [:]

  /// Opens the file, which a writing connection makes where it is missing. In WAL mode every commit is on disk when it
  /// returns (`synchronous=FULL`). The page cache holds 256 KiB.
  package init(path: String, access: Access) throws(DatabaseError) {
    let flags =
      switch access {
      case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
      case .readOnly: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
      }
    var opened: OpaquePointer?
    let result = unsafe sqlite3_open_v2(path, &opened, flags, nil)
    guard let connection = unsafe opened, result == SQLITE_OK else {
      let error = DatabaseError(code: result, path: path, detail: Self.text(of: result))
      unsafe sqlite3_close_v2(opened)
      throw error
    }
    self.path = path
    unsafe self.handle = connection
    unsafe sqlite3_extended_result_codes(connection, 1)
    unsafe sqlite3_busy_timeout(connection, 5000)
    unsafe busbar_sqlite_small_lookaside(connection)
    try execute("PRAGMA cache_size = -256")
    try execute("PRAGMA foreign_keys = OFF")
    try execute("PRAGMA trusted_schema = OFF")
    guard access == .readWrite else { return }
    try execute("PRAGMA journal_mode = WAL")
    try execute("PRAGMA synchronous = FULL")
    try execute("PRAGMA journal_size_limit = 4194304")
  }

  deinit {
    statements.removeAll()
    unsafe sqlite3_close_v2(handle)
  }

  /// Runs statements without results; more than one may stand in the text.
  package func execute(_ sql: String) throws(DatabaseError) {
    let result = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result) }
  }

  /// The prepared statement for this text, kept for the next time.
  package func prepare(_ sql: String) throws(DatabaseError) -> Statement {
    if let statement = statements[sql] { return statement }
    var prepared: OpaquePointer?
    let result = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard result == SQLITE_OK, let pointer = unsafe prepared else { throw failure(result) }
    let statement = unsafe Statement(owning: pointer, path: path)
    statements[sql] = statement
    return statement
  }

  /// Carries out one statement and returns how many rows it changed.
  @discardableResult
  package func run(_ sql: String, _ values: SQLValue...) throws(DatabaseError) -> Int {
    let statement = try prepare(sql)
    defer { statement.reset() }
    try statement.bind(values)
    while try statement.step() {}
    return Int(unsafe sqlite3_changes(handle))
  }

  /// The rows of a query, one after the other. `body` must not run the same text again.
  package func query(_ sql: String, _ values: SQLValue..., row body: (Statement) throws -> Void) throws {
    let statement = try prepare(sql)
    defer { statement.reset() }
    try statement.bind(values)
    while try statement.step() { try body(statement) }
  }

  /// The first column of a query's first row as a number; nil where there is no row or it is null.
  package func integer(_ sql: String, _ values: SQLValue...) throws(DatabaseError) -> Int64? {
    let statement = try prepare(sql)
    defer { statement.reset() }
    try statement.bind(values)
    return try statement.step() ? statement.optionalInteger(0) : nil
  }

  /// All or nothing: what `body` wrote is on disk when this returns, and undone when it throws.
  package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // A full disk has often ended the transaction already.
      if unsafe sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
      throw error
    }
  }

  private func failure(_ code: Int32) -> DatabaseError {
    DatabaseError(code: code, path: path, detail: unsafe String(cString: sqlite3_errmsg(handle)))
  }

  static func text(of code: Int32) -> String { unsafe String(cString: sqlite3_errstr(code)) }
}
