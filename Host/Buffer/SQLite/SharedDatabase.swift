// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A connection that several threads use in turn.
@safe package final class SharedDatabase: @unchecked Sendable {
  // The connection is reached only with the lock held.
  private let lock = Mutex(())
  private let database: Database

  package init(path: String, access: Database.Access) throws(DatabaseError) {
    database = try Database(path: path, access: access)
  }

  /// `body` has the connection for itself and must not keep it. Not to be nested.
  package func use<Result>(_ body: (Database) throws -> Result) rethrows -> Result {
    try lock.withLock { _ in UncheckedResult(try body(database)) }.value
  }

  /// What the caller's own closure made returns to the caller.
  private struct UncheckedResult<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
}
