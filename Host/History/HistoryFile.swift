// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSQLite

/// `history.db`: one connection, for one thread at a time.
///
/// Minutes that ended come every few minutes as a small block a device (`recent`); when their hour is over they become one
/// block (`hours`). Both tables are in order of time, so that writing appends and dropping cuts off the front: a thousand
/// points cost about 20 MB of flash a day.
package final class HistoryFile {
  /// The number of a row is the minute that its block begins with, then the device's number.
  private static let deviceBits: Int64 = 20
  /// Devices in one transaction, so that SQLite's log stays small.
  private static let together = 16
  private static let version: Int64 = 1

  private let database: Database
  private let path: String
  private var numbers: [String: Int64] = [:]

  /// Makes the file where it is missing. Throws `DatabaseError` or `StateFileError`; `isCorrupt` of the first tells that it
  /// has to be moved aside.
  package init(path: String) throws {
    self.path = path
    try StateFiles.makePrivate(path)
    database = try Database(path: path, access: .readWrite)
    let found = try database.integer("PRAGMA user_version") ?? 0
    guard found <= Self.version else { throw NewerHistoryError() }
    if found == 0 { try makeTables() }
    // Small, so that what is on disk stays below the limit.
    try database.execute("PRAGMA wal_autocheckpoint = 100; PRAGMA journal_size_limit = 524288")
    try database.query("SELECT number, id FROM devices") { numbers[$0.text(1)] = $0.integer(0) }
  }

  private func makeTables() throws {
    // The first page is there already, with the mode of the log.
    try database.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    try database.transaction {
      try database.execute(
        """
        CREATE TABLE devices(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
        CREATE TABLE hours(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE recent(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        PRAGMA user_version = \(Self.version);
        """)
    }
  }

  /// A file up to this size is checked whole; of a larger one damage shows when it is read.
  private static let checkedWhole: Int64 = 16 << 20

  /// What is wrong with the file; nil where it is sound.
  package func damage() throws -> String? {
    guard StateFiles.size(path) <= Self.checkedWhole else { return nil }
    var verdict = "ok"
    try database.query("PRAGMA quick_check(1)") { verdict = $0.text(0) }
    return verdict == "ok" ? nil : verdict
  }

  /// Gives a file that cannot be used a name of its own, which is returned. Only the latest one is kept.
  package static func moveAside(_ path: String, wall: Int64) throws -> String {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let name = path[slash...].drop { $0 == "/" }
    let directory = slash == path.startIndex ? "." : String(path[..<slash])
    for old in StateFiles.names(in: directory, prefix: "\(name).corrupt-") { StateFiles.remove("\(directory)/\(old)") }
    let aside = "\(path).corrupt-\(wall / 1000)"
    for suffix in ["", "-wal"] { try StateFiles.move(path + suffix, to: aside + suffix) }
    StateFiles.remove(path + "-shm")
    return aside
  }

  // MARK: Writing

  /// Writes minutes that ended; on disk when it returns.
  package func write(_ blocks: [DeviceID: Block]) throws {
    try database.transaction {
      for (device, block) in blocks {
        for (_, part) in block.byHour() {
          guard let first = part.first else { continue }
          try put(part, start: first, number: try number(of: device), table: "recent")
        }
      }
    }
  }

  /// Makes the minutes of hours before this one into blocks of an hour.
  package func compact(before hour: Int64) throws {
    while let first = try database.integer("SELECT min(id) FROM recent"), first >> Self.deviceBits < hour {
      let start = (first >> Self.deviceBits).hour
      let end = (start + 60) << Self.deviceBits
      var whole: [Int64: Block] = [:]
      try database.query("SELECT id, data FROM recent WHERE id < ?", .integer(end)) { row in
        let number = row.integer(0) & Self.deviceMask
        guard whole.count < Self.together || whole[number] != nil else { return }
        let part = BlockCodec.decode(row.blob(1), start: row.integer(0) >> Self.deviceBits) ?? Block()
        whole[number, default: Block()].merge(part)
      }
      try database.transaction {
        for (number, block) in whole {
          for (hour, part) in block.byHour() { try put(part, start: hour, number: number, table: "hours") }
          try database.run(
            "DELETE FROM recent WHERE id < ? AND (id & \(Self.deviceMask)) = ?", .integer(end), .integer(number))
        }
      }
    }
  }

  /// Whatever is there already is kept.
  private func put(_ block: Block, start: Int64, number: Int64, table: String) throws {
    let id = SQLValue.integer(start << Self.deviceBits | number)
    var whole = Block()
    try database.query("SELECT data FROM \(table) WHERE id = ?", id) { row in
      whole = BlockCodec.decode(row.blob(0), start: start) ?? Block()
    }
    whole.merge(block)
    try database.run(
      "INSERT OR REPLACE INTO \(table)(id, data) VALUES (?, ?)", id, .blob(BlockCodec.encode(whole, start: start)))
  }

  private func number(of device: DeviceID) throws -> Int64 {
    if let number = numbers[device.rawValue] { return number }
    try database.run("INSERT OR IGNORE INTO devices(id) VALUES (?)", .text(device.rawValue))
    let number = try database.integer("SELECT number FROM devices WHERE id = ?", .text(device.rawValue)) ?? 0
    guard number <= Self.deviceMask else { throw DatabaseError.noSpace(path: path) }
    numbers[device.rawValue] = number
    return number
  }

  /// A transaction that was undone took back the numbers it gave.
  package func forgetNumbers() throws {
    numbers = [:]
    try database.query("SELECT number, id FROM devices") { numbers[$0.text(1)] = $0.integer(0) }
  }

  // MARK: Limits

  /// Drops the oldest hours until the file takes at most so many pages, and then lets it take no more.
  package func limit(pages: Int64) throws {
    if try used() > pages - pages / 16 {
      // An eighth at a time, not a little with each writing.
      while try used() > pages - pages / 8, let first = try first() {
        try drop(before: first.hour + 60)
      }
      let free = try database.integer("PRAGMA page_count") ?? 0
      if free > pages { try database.execute("PRAGMA incremental_vacuum(\(free - pages))") }
    }
    try database.execute("PRAGMA max_page_count = \(pages)")
  }

  /// Drops what is before this minute, hour by hour.
  package func drop(before minute: Int64) throws {
    let end = SQLValue.integer(minute.hour << Self.deviceBits)
    try database.transaction {
      try database.run("DELETE FROM hours WHERE id < ?", end)
      try database.run("DELETE FROM recent WHERE id < ?", end)
    }
  }

  private func used() throws -> Int64 {
    try (database.integer("PRAGMA page_count") ?? 0) - (database.integer("PRAGMA freelist_count") ?? 0)
  }

  /// The first minute that is kept.
  package func first() throws -> Int64? {
    let hours = try database.integer("SELECT min(id) FROM hours")
    let recent = try database.integer("SELECT min(id) FROM recent")
    return [hours, recent].compactMap { $0 }.min().map { $0 >> Self.deviceBits }
  }

  package var bytes: Int64 { StateFiles.size(path) + StateFiles.size(path + "-wal") }

  // MARK: Reading

  /// True where something of this device is, or was, kept.
  package func knows(_ device: DeviceID) -> Bool { numbers[device.rawValue] != nil }

  /// Hands over the blocks of a device that may hold minutes of the range, in no order. A block that cannot be read is left out.
  package func read(_ device: DeviceID, _ range: Range<Int64>, _ body: (Block) throws -> Void) throws {
    guard let number = numbers[device.rawValue], !range.isEmpty else { return }
    func each(_ table: String, from: Int64) throws {
      try database.query(
        "SELECT id, data FROM \(table) WHERE id >= ? AND id < ? AND (id & \(Self.deviceMask)) = ?",
        .integer(from << Self.deviceBits), .integer(range.upperBound << Self.deviceBits), .integer(number)
      ) { row in
        guard let block = BlockCodec.decode(row.blob(1), start: row.integer(0) >> Self.deviceBits) else { return }
        try body(block)
      }
    }
    try each("hours", from: range.lowerBound.hour)
    // A block of minutes may begin before the range, within the same hour.
    try each("recent", from: range.lowerBound.hour)
  }

  private static var deviceMask: Int64 { 1 << deviceBits - 1 }
}

/// The file was written by a later release.
package struct NewerHistoryError: Error, CustomStringConvertible {
  package var description: String { "it was written by a later busbar" }
}

extension Block {
  /// The number of the first minute.
  var first: Int64? { series.values.compactMap { $0.minutes.first?.number }.min() }
}
