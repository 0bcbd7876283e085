// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite

extension StateDatabase {
  /// A file up to this size is checked whole at the start; of a larger one the tables that are read anyway, since a
  /// check of a gigabyte would keep the devices waiting for a minute.
  private static let checkedWhole: Int64 = 16 << 20

  /// What is wrong with the file; nil where it is sound or not there yet.
  static func damage(_ path: String) throws -> String? {
    if StateFiles.exists(marker(path)) { return "seen while running" }
    guard StateFiles.size(path) > 0 else { return nil }
    do {
      let database = try Database(path: path, access: .readWrite)
      if StateFiles.size(path) <= checkedWhole {
        var verdict = "ok"
        try database.query("PRAGMA quick_check(1)") { verdict = $0.text(0) }
        if verdict != "ok" { return verdict }
      } else {
        for table in small {
          try database.query("SELECT * FROM \(table)") { _ in }
        }
        try database.query("SELECT min(id), max(id) FROM outbox") { _ in }
      }
      return nil
    } catch let error as DatabaseError where error.isCorrupt {
      return "code \(error.code)"
    }
  }

  /// Gives the file a name of its own, which is returned. Only the latest damaged file is kept, so that a bad disk does
  /// not fill up with them.
  static func moveAside(_ path: String, directory: String, wall: Int64) throws -> String {
    for name in StateFiles.names(in: directory, prefix: "busbar.db.corrupt-") {
      StateFiles.remove(directory + "/" + name)
    }
    let aside = "\(path).corrupt-\(wall / 1000)"
    for suffix in ["", "-wal"] { try StateFiles.move(path + suffix, to: aside + suffix) }
    StateFiles.remove(path + "-shm")
    StateFiles.remove(marker(path))
    return aside
  }

  /// Copies what can still be read of sequences, gaps, journal, debts and stores; returns a phrase about it. The messages
  /// are not copied: which of them are missing could not be told any more, so that each stream reports all its numbers
  /// as a gap. Where the sequences are lost too, new ones begin at the present time in milliseconds, which no device has
  /// counted up to, so that no number comes twice.
  static func takeOver(from aside: String, into path: String, wall: Int64) throws -> String {
    let new = try Database(path: path, access: .readWrite)
    let old = try? Database(path: aside, access: .readWrite)
    var complete = true
    var streamsComplete = false
    try new.transaction {
      for table in small where table != "meta" {
        let whole = try old.map { try copy(table, from: $0, into: new) } ?? false
        complete = complete && whole
        if table == "streams" { streamsComplete = whole }
      }
      try new.run("UPDATE streams SET settled = 0")
      if !streamsComplete { try new.run("UPDATE meta SET value = ? WHERE name = 'sequence_base'", .integer(wall)) }
    }
    return complete
      ? "sequences, journal and stores were taken over"
      : "only a part of sequences, journal and stores could be read"
  }

  private static let small = ["meta", "streams", "gaps", "journal", "debts", "store"]

  /// True when every row could be read.
  private static func copy(_ table: String, from old: Database, into new: Database) throws -> Bool {
    var columns: [String] = []
    try new.query("SELECT name FROM pragma_table_info(?)", .text(table)) { columns.append($0.text(0)) }
    let names = columns.joined(separator: ", ")
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    let insert = try new.prepare("INSERT OR REPLACE INTO \(table)(\(names)) VALUES (\(places))")
    let select: Statement
    do { select = try old.prepare("SELECT \(names) FROM \(table)") } catch { return false }
    defer { select.reset() }
    while true {
      do {
        guard try select.step() else { return true }
      } catch { return false }
      insert.reset()
      for column in columns.indices { try insert.bind(select.value(column), at: column) }
      // A row that breaks a rule of its table is as good as unread.
      do { while try insert.step() {} } catch {
        insert.reset()
        guard !error.isFull else { throw error }
        return false
      }
      insert.reset()
    }
  }
}
