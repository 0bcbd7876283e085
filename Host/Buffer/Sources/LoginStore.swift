// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite

/// What far ends of a listener have to show, in the state database. Every change is on disk when the call returns.
package final class LoginStore: Sendable {
  package struct Login: Sendable, Equatable {
    /// A hashed password; nil = none is set.
    package var secret: [UInt8]?
    /// Another one that the far end was given and has not come with yet; nil = none.
    package var next: [UInt8]?
    /// The least security profile (OCPP 1.6 security whitepaper section 3, OCPP 2.0.1 part 2 A): 0 to 3.
    package var profile: Int

    package init(secret: [UInt8]? = nil, next: [UInt8]? = nil, profile: Int = 0) {
      self.secret = secret
      self.next = next
      self.profile = profile
    }
  }

  private let database: StateDatabase

  package init(database: StateDatabase) { self.database = database }

  /// Nil where nothing was set.
  package func get(_ listener: String, _ identity: String) throws -> Login? {
    try database.read { database in
      var found: Login?
      try database.query(
        "SELECT secret, next, profile FROM logins WHERE listener = ? AND identity = ?", .text(listener), .text(identity)
      ) { row in
        let (secret, next) = (row.blob(0), row.blob(1))
        found = Login(secret: secret.isEmpty ? nil : secret, next: next.isEmpty ? nil : next, profile: Int(row.integer(2)))
      }
      return found
    }
  }

  package func set(_ listener: String, _ identity: String, _ login: Login) throws {
    try database.write { database in
      _ = try database.run(
        "INSERT OR REPLACE INTO logins(listener, identity, secret, next, profile) VALUES (?, ?, ?, ?, ?)", .text(listener),
        .text(identity), .blob(login.secret ?? []), .blob(login.next ?? []), .integer(Int64(login.profile)))
    }
  }

  /// How many of a listener have to use a higher profile than this one.
  package func count(_ listener: String, above profile: Int) throws -> Int {
    try database.read { database in
      var count = 0
      try database.query("SELECT count(*) FROM logins WHERE listener = ? AND profile > ?", .text(listener), .integer(Int64(profile))) { row in
        count = Int(row.integer(0))
      }
      return count
    }
  }

  package func remove(_ listener: String, _ identity: String) throws {
    try database.write { database in
      _ = try database.run("DELETE FROM logins WHERE listener = ? AND identity = ?", .text(listener), .text(identity))
    }
  }
}
