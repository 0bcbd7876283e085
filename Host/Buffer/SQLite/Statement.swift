// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// A value on its way into a statement.
package enum SQLValue: Sendable, Equatable {
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
  case null
}

/// A prepared statement. Parameters and columns count from 0.
@safe package final class Statement {
  private let handle: OpaquePointer
  private let path: String

  init(owning handle: OpaquePointer, path: String) {
    unsafe self.handle = handle
    self.path = path
  }

  deinit { unsafe sqlite3_finalize(handle) }

  package func bind(_ values: [SQLValue]) throws(DatabaseError) {
    for (index, value) in values.enumerated() { try bind(value, at: index) }
  }

  package func bind(_ value: SQLValue, at index: Int) throws(DatabaseError) {
    let place = Int32(index + 1)
    let result =
      switch value {
      case .integer(let number): unsafe sqlite3_bind_int64(handle, place, number)
      case .real(let number): unsafe sqlite3_bind_double(handle, place, number)
      case .text(let text): unsafe sqlite3_bind_text(handle, place, text, Int32(text.utf8.count), Self.copied)
      case .blob(let bytes) where bytes.isEmpty: unsafe sqlite3_bind_zeroblob(handle, place, 0)
      case .blob(let bytes): unsafe sqlite3_bind_blob64(handle, place, bytes, UInt64(bytes.count), Self.copied)
      case .null: unsafe sqlite3_bind_null(handle, place)
      }
    try check(result)
  }

  /// True = a row is there to be read, false = done.
  package func step() throws(DatabaseError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw failure(code)
    }
  }

  /// Ready for the next run; forgets the parameters.
  package func reset() {
    unsafe sqlite3_reset(handle)
    unsafe sqlite3_clear_bindings(handle)
  }

  package func isNull(_ column: Int) -> Bool { unsafe sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }
  package func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(handle, Int32(column)) }
  package func real(_ column: Int) -> Double { unsafe sqlite3_column_double(handle, Int32(column)) }
  package func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

  package func text(_ column: Int) -> String { String(decoding: blob(column), as: UTF8.self) }
  package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

  /// The bytes of a blob or text; none where it is null.
  package func blob(_ column: Int) -> [UInt8] {
    let place = Int32(column)
    guard let start = unsafe sqlite3_column_blob(handle, place) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(handle, place))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  /// The value as it is stored.
  package func value(_ column: Int) -> SQLValue {
    switch unsafe sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(real(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .blob(blob(column))
    default: .null
    }
  }

  private func check(_ result: Int32) throws(DatabaseError) {
    guard result == SQLITE_OK else { throw failure(result) }
  }

  private func failure(_ code: Int32) -> DatabaseError {
    let connection = unsafe sqlite3_db_handle(handle)
    return DatabaseError(code: code, path: path, detail: unsafe String(cString: sqlite3_errmsg(connection)))
  }

  /// SQLITE_TRANSIENT: SQLite takes a copy at once.
  private static var copied: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
