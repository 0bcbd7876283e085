// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite

/// Small values that have to last, by scope and key. Every change is on disk when the call returns; a value that is set
/// again unchanged costs no write.
package final class KeyValueStore: Sendable {
  /// Bytes of a value, of a key, of a scope.
  package static let maximumValue = 4096
  package static let maximumName = 128
  /// Keys in a scope.
  package static let maximumKeys = 64

  private let database: StateDatabase
  private let keys: Int

  /// `keys` = how many a scope may have.
  package init(database: StateDatabase, keys: Int = KeyValueStore.maximumKeys) {
    self.database = database
    self.keys = keys
  }

  /// Nil where there is none.
  package func get(_ scope: String, _ key: String) throws -> [UInt8]? {
    try database.read { try Self.find($0, scope, key) }
  }

  /// All of a scope, in the order of their keys.
  package func all(_ scope: String) throws -> [(key: String, value: [UInt8])] {
    try database.read { database in
      var found: [(key: String, value: [UInt8])] = []
      try database.query("SELECT key, value FROM store WHERE scope = ? ORDER BY key", .text(scope)) { row in
        found.append((row.text(0), row.blob(1)))
      }
      return found
    }
  }

  /// Throws `KeyValueStoreError` where a limit is met, `DatabaseError` where the disk refuses.
  package func set(_ scope: String, _ key: String, _ value: [UInt8]) throws {
    guard value.count <= Self.maximumValue else { throw KeyValueStoreError.valueTooLong(value.count) }
    for name in [scope, key] where !(1...Self.maximumName).contains(name.utf8.count) {
      throw KeyValueStoreError.badName
    }
    // Without waiting for what others write: thousands of devices that come again say what they said before.
    guard try get(scope, key) != value else { return }
    try database.write { database in
      let known = try Self.find(database, scope, key)
      guard known != value else { return }
      if known == nil {
        let count = try database.integer("SELECT count(*) FROM store WHERE scope = ?", .text(scope)) ?? 0
        guard count < keys else { throw KeyValueStoreError.tooManyKeys(keys) }
      }
      try database.run(
        "INSERT OR REPLACE INTO store(scope, key, value) VALUES (?, ?, ?)", .text(scope), .text(key), .blob(value))
    }
  }

  package func remove(_ scope: String, _ key: String) throws {
    try database.write { database in
      _ = try database.run("DELETE FROM store WHERE scope = ? AND key = ?", .text(scope), .text(key))
    }
  }

  /// What a scope holds in the state directory of a host that may be running: nothing is locked, changed or made. Empty
  /// where there is no database.
  package static func peek(directory: String, scope: String) throws -> [(key: String, value: [UInt8])] {
    let path = directory + "/busbar.db"
    guard StateFiles.exists(path) else { return [] }
    let database = try Database(path: path, access: .readOnly)
    guard try database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'store'") ?? 0 > 0 else { return [] }
    var found: [(key: String, value: [UInt8])] = []
    try database.query("SELECT key, value FROM store WHERE scope = ? ORDER BY key", .text(scope)) { row in
      found.append((row.text(0), row.blob(1)))
    }
    return found
  }

  private static func find(_ database: Database, _ scope: String, _ key: String) throws -> [UInt8]? {
    var found: [UInt8]?
    try database.query("SELECT value FROM store WHERE scope = ? AND key = ?", .text(scope), .text(key)) {
      found = $0.blob(0)
    }
    return found
  }
}

package enum KeyValueStoreError: Error, Sendable, Equatable, CustomStringConvertible {
  case valueTooLong(Int)
  case badName
  case tooManyKeys(Int)

  package var description: String {
    switch self {
    case .valueTooLong(let count): "a stored value has \(KeyValueStore.maximumValue) bytes at most, this one \(count)"
    case .badName: "a scope or key has 1 to \(KeyValueStore.maximumName) bytes"
    case .tooManyKeys(let count): "a scope has \(count) keys at most; remove one first"
    }
  }
}
