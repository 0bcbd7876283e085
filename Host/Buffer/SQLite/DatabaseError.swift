// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// What SQLite could not do, in words for a person.
package struct DatabaseError: Error, Sendable, Equatable, CustomStringConvertible {
  /// SQLite's extended result code (sqlite.org/rescode.html).
  package let code: Int32
  /// Which file, what is wrong, and what to do about it.
  package let sentence: String

  package init(code: Int32, path: String, detail: String) {
    self.code = code
    self.sentence = Self.sentence(code: code, path: path, detail: detail)
  }

  /// Less is free than has to stay free, so that what is delivered can still be deleted.
  package static func noSpace(path: String) -> DatabaseError {
    DatabaseError(code: SQLITE_FULL, path: path, detail: "")
  }

  package var description: String { sentence }

  /// The file's content is not what SQLite wrote.
  package var isCorrupt: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB }

  /// No space is left on the file system, or the file has reached its limit.
  package var isFull: Bool { primary == SQLITE_FULL }

  private var primary: Int32 { code & 0xff }

  private static func sentence(code: Int32, path: String, detail: String) -> String {
    switch code & 0xff {
    case SQLITE_FULL: "\(path): the disk is full; free some space, writing goes on by itself"
    case SQLITE_READONLY: "\(path): the file or its file system is read-only; mount it writable"
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      "\(path): the database is damaged (\(detail)); it is moved aside at the next start, check the disk"
    case SQLITE_CANTOPEN: "\(path): cannot be opened (\(detail)); check that its directory exists and who owns it"
    case SQLITE_PERM, SQLITE_AUTH: "\(path): no permission (\(detail)); check who owns it"
    case SQLITE_BUSY, SQLITE_LOCKED: "\(path): another program has locked the database; end that program"
    case SQLITE_IOERR: "\(path): the disk failed (\(detail), code \(code)); check the disk and the kernel's log"
    default: "\(path): \(detail) (SQLite code \(code))"
    }
  }
}
