// SPDX-License-Identifier: Apache-2.0

package import BusbarSQLite
internal import BusbarSystem
package import Logging

/// `busbar.db` in the state directory: one writing connection, one for reading the backlog, both locked here. Every
/// write is a transaction that is on disk when it returns. A damaged file is moved aside, what can be read of it is
/// taken over, and the host starts all the same.
package final class StateDatabase: Sendable {
  package let path: String
  /// What was found damaged at the start and where it lies now; nil where all was well.
  package let notice: String?
  /// Nobody else writes here as long as this lives.
  private let lock: StateLock
  private let writer: SharedDatabase
  private let reader: SharedDatabase

  /// Makes the directory (mode 0700) and the file (mode 0600) where they are missing. `wall` gives Unix milliseconds.
  /// Throws `StateFileError` or `DatabaseError` where the state cannot be kept at all.
  package init(
    directory: String, logger: Logger, wall: @Sendable () -> Int64 = { Clock.unixMilliseconds() }
  ) throws {
    let path = directory + "/busbar.db"
    try StateFiles.makeDirectory(directory)
    lock = try StateLock(path: directory + "/busbar.lock")
    self.path = path
    let damage = try Self.damage(path)
    if let damage {
      let aside = try Self.moveAside(path, directory: directory, wall: wall())
      try Self.prepare(path)
      let kept = try Self.takeOver(from: aside, into: path, wall: wall())
      let text =
        "\(path) was damaged (\(damage)): it is kept as \(aside) and a new one was begun; \(kept), what was waiting "
        + "for the broker in it is lost and reported as gaps. Check the disk."
      logger.error("\(text)")
      notice = text
    } else {
      try Self.prepare(path)
      notice = nil
    }
    writer = try SharedDatabase(path: path, access: .readWrite)
    reader = try SharedDatabase(path: path, access: .readOnly)
  }

  /// All or nothing, on disk when this returns.
  package func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try exclusively { database in try database.transaction { try body(database) } }
  }

  /// With the writing connection alone, to run transactions that depend on what is in memory.
  func exclusively<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try noting { try writer.use(body) }
  }

  /// With the reading connection; never waits for a write.
  package func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try noting { try reader.use(body) }
  }

  /// The database file takes no more than so many pages of 4 KiB; beyond them writing fails as it does on a full disk.
  package func limit(pages: Int) throws {
    try writer.use { try $0.execute("PRAGMA max_page_count = \(pages)") }
  }

  /// Damage that shows while running is remembered for the next start, which moves the file aside.
  private func noting<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DatabaseError where error.isCorrupt {
      try? StateFiles.makePrivate(Self.marker(path))
      throw error
    }
  }

  static func marker(_ path: String) -> String { path + ".damaged" }

  /// Makes the file and its tables.
  private static func prepare(_ path: String) throws {
    try StateFiles.makePrivate(path)
    try Schema.migrate(try Database(path: path, access: .readWrite))
  }
}
