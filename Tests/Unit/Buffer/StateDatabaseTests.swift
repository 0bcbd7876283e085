// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarSQLite
import Foundation
import Testing

@Suite struct StateDatabaseTests {
  @Test func directoryAndFilesAreTheOwnersAlone() throws {
    let rig = try Rig()
    rig.reading(durable: true)
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(rig.directory.path + "/state") == 0o700)
    for suffix in ["", "-wal", "-shm"] { #expect(try mode(rig.path + suffix) == 0o600) }
  }

  @Test func aSecondHostIsTurnedAway() throws {
    let rig = try Rig()
    let error = #expect(throws: StateFileError.self) {
      try StateDatabase(directory: rig.directory.path + "/state", logger: rig.logger)
    }
    #expect(error?.sentence.contains("another busbar") == true)
  }

  @Test func tablesOfALaterReleaseAreLeftAlone() throws {
    let rig = try Rig()
    rig.close()
    try Database(path: rig.path, access: .readWrite).execute("PRAGMA user_version = 99")
    let error = #expect(throws: NewerStateError.self) { try rig.open() }
    #expect(error?.description.contains("later busbar") == true)
    #expect(try Database(path: rig.path, access: .readOnly).integer("PRAGMA user_version") == 99)
  }

  @Test func aFileThatIsNoDatabaseIsMovedAsideAndNumbersNeverComeTwice() throws {
    let rig = try Rig()
    for _ in 0..<3 { rig.reading() }
    rig.close()
    try Data(repeating: 0x5A, count: 40_000).write(to: URL(fileURLWithPath: rig.path))
    try rig.open()
    #expect(rig.outbox.status.problem?.contains("was damaged") == true)
    #expect(rig.lines.count(of: "was damaged") == 1)
    let aside = "busbar.db.corrupt-\(ManualClock.start / 1000)"
    #expect(FileManager.default.fileExists(atPath: rig.directory.path + "/state/" + aside))
    rig.reading()
    let received = try rig.drain()
    #expect(received.map(\.seq) == [ManualClock.start + 1, nil])
    #expect(received.last?.gap == .init(from: 1, to: ManualClock.start, reason: "crash"))
    try rig.reopen()
    #expect(rig.outbox.status.problem == nil)
  }

  @Test func whatCanBeReadOfADamagedFileIsTakenOver() throws {
    let rig = try Rig()
    for _ in 0..<200 { rig.reading() }
    try KeyValueStore(database: #require(rig.database)).set("devices", "serial-1", Array("met_a".utf8))
    rig.close()
    try damageOutbox(rig.path)
    try rig.open()
    #expect(rig.database?.notice?.contains("were taken over") == true)
    #expect(try KeyValueStore(database: #require(rig.database)).get("devices", "serial-1") == Array("met_a".utf8))
    rig.reading()
    let received = try rig.drain()
    #expect(received.map(\.seq) == [201, nil])
    #expect(received.last?.gap == .init(from: 1, to: 200, reason: "crash"))
  }

  @Test func damageThatShowsWhileRunningIsRepairedAtTheNextStart() throws {
    let rig = try Rig()
    for _ in 0..<200 { rig.reading() }
    rig.close()
    try rig.open()
    try damageOutbox(rig.path)
    #expect(try rig.drain().isEmpty)
    #expect(rig.outbox.status.problem?.contains("damaged") == true)
    rig.reading()
    #expect(try rig.drain().map(\.seq) == [201])
    try rig.crash()
    #expect(rig.database?.notice?.contains("seen while running") == true)
    rig.reading()
    #expect(try rig.drain().compactMap(\.gap).first?.from == 1)
  }

  /// Overwrites the pages of the outbox, as a bad disk would.
  private func damageOutbox(_ path: String) throws {
    var pages: [Int64] = []
    do {
      let database = try Database(path: path, access: .readWrite)
      try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
      let root = try #require(try database.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'outbox'"))
      pages = [root]
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    for page in pages {
      try file.seek(toOffset: UInt64((page - 1) * 4096))
      try file.write(contentsOf: Data(repeating: 0xEE, count: 4096))
    }
    try file.close()
  }
}

@Suite struct KeyValueStoreTests {
  @Test func valuesLast() throws {
    let rig = try Rig()
    var store: KeyValueStore? = KeyValueStore(database: try #require(rig.database))
    try store?.set("a", "k", [1, 2, 3])
    try store?.set("b", "k", [])
    try store?.set("a", "k", [4])
    try store?.set("a", "j", [5])
    try store?.set("a", "gone", [5])
    try store?.remove("a", "gone")
    try store?.remove("a", "never")
    store = nil
    try rig.crash()
    let again = KeyValueStore(database: try #require(rig.database))
    #expect(try again.get("a", "k") == [4])
    #expect(try again.get("b", "k") == [])
    #expect(try again.get("a", "gone") == nil)
    #expect(try again.all("a").map(\.key) == ["j", "k"])
  }

  @Test func limitsAreKept() throws {
    let rig = try Rig()
    let store = KeyValueStore(database: try #require(rig.database))
    for index in 0..<64 { try store.set("a", "\(index)", Array(repeating: 0, count: 4096)) }
    #expect(throws: KeyValueStoreError.tooManyKeys(64)) { try store.set("a", "64", []) }
    try store.set("a", "63", [1])
    try store.set("b", "64", [])
    #expect(throws: KeyValueStoreError.valueTooLong(4097)) { try store.set("b", "x", Array(repeating: 0, count: 4097)) }
    #expect(throws: KeyValueStoreError.badName) { try store.set("b", "", []) }
    #expect(throws: KeyValueStoreError.badName) { try store.set(String(repeating: "s", count: 129), "x", []) }
  }

  @Test func anUnchangedValueIsNotWritten() throws {
    let rig = try Rig()
    let store = KeyValueStore(database: try #require(rig.database))
    try store.set("a", "k", [1])
    let disk = try onDisk(rig)
    let before = try disk.version()
    try store.set("a", "k", [1])
    #expect(try disk.version() == before)
    try store.set("a", "k", [2])
    #expect(try disk.version() != before)
  }
}

@Suite struct CommandJournalTests {
  private let device = "evc_a".id

  @Test func theSameIdActsOnceAlsoAfterACrash() throws {
    let rig = try Rig()
    let journal = try CommandJournal(database: try #require(rig.database))
    #expect(try journal.enter(id: "1", device: device, digest: "d", time: 1000) == .new)
    #expect(try journal.enter(id: "1", device: device, digest: "d", time: 1001) == .running)
    #expect(try journal.enter(id: "1", device: device, digest: "e", time: 1001) == .different)
    #expect(try journal.enter(id: "1", device: "evc_b".id, digest: "d", time: 1001) == .different)
    try journal.sent(id: "1")
    for (id, value) in [("2", Value.boolean(true)), ("3", .integer(1)), ("4", .number(1)), ("5", .text("auto"))] {
      _ = try journal.enter(id: id, device: device, digest: "d", time: 1000)
      try journal.finish(
        id: id,
        response: CommandResponse(
          id: id, time: 5, status: .refused, value: value, reason: .overruled, by: "ems", until: 77, text: "why"))
    }
    _ = try journal.enter(id: "6", device: device, digest: "d", time: 1000)
    try rig.crash()
    let again = try CommandJournal(database: try #require(rig.database))
    #expect(try again.unfinished() == [UnfinishedCommand(id: "1", device: device)])
    #expect(try again.enter(id: "1", device: device, digest: "d", time: 1002) == .running)
    try again.finish(id: "1", response: CommandResponse(id: "1", time: 9, status: .unknown))
    #expect(
      try again.enter(id: "1", device: device, digest: "d", time: 1003)
        == .finished(CommandResponse(id: "1", time: 9, status: .unknown)))
    for (id, value) in [("2", Value.boolean(true)), ("3", .integer(1)), ("4", .number(1)), ("5", .text("auto"))] {
      #expect(
        try again.enter(id: id, device: device, digest: "d", time: 1003)
          == .finished(
            CommandResponse(
              id: id, time: 5, status: .refused, value: value, reason: .overruled, by: "ems", until: 77, text: "why")))
    }
    // Entered and never sent: nothing has happened.
    #expect(try again.enter(id: "6", device: device, digest: "d", time: 1003) == .new)
    #expect(throws: JournalError.self) { try again.sent(id: "nobody") }
  }

  @Test func theJournalIsBoundedInTimeAndRows() throws {
    let rig = try Rig()
    let database = try #require(rig.database)
    let journal = try CommandJournal(database: database)
    _ = try journal.enter(id: "running", device: device, digest: "", time: 0)
    try journal.sent(id: "running")
    _ = try journal.enter(id: "old", device: device, digest: "", time: 0)
    try journal.finish(id: "old", response: CommandResponse(id: "old", time: 0, status: .done))
    _ = try journal.enter(id: "new", device: device, digest: "", time: 7 * 86_400_000 + 1)
    #expect(try journal.enter(id: "old", device: device, digest: "", time: 7 * 86_400_000 + 1) == .new)
    #expect(try journal.unfinished().map(\.id) == ["running"])
    try database.write { connection in
      for number in 100..<11_000 {
        try connection.run(
          "INSERT INTO journal(number, id, device, digest, time, state) VALUES (?, ?, 'd', '', ?, 2)",
          .integer(Int64(number)), .text("n\(number)"), .integer(7 * 86_400_000 + 2))
      }
    }
    _ = try journal.enter(id: "last", device: device, digest: "", time: 7 * 86_400_000 + 3)
    let count = try database.read { try $0.integer("SELECT count(*) FROM journal") }
    #expect(try #require(count) <= 10_003)
  }

  @Test func debtsAreOwedUntilSettledOldestFirst() throws {
    let rig = try Rig()
    let journal = try CommandJournal(database: try #require(rig.database))
    let first = SafeValueDebt(device: device, point: "current_limit", safe: .number(6))
    let second = SafeValueDebt(device: "bat_a".id, point: "mode", safe: .text("auto"))
    try journal.owe(first)
    try journal.owe(second)
    let disk = try onDisk(rig)
    let before = try disk.version()
    try journal.owe(first)
    #expect(try disk.version() == before)
    var changed = first
    changed.safe = .integer(0)
    try journal.owe(changed)
    #expect(try journal.debts() == [changed, second])
    try journal.settled(device: device, point: "current_limit")
    try journal.settled(device: device, point: "never")
    try rig.crash()
    #expect(try CommandJournal(database: #require(rig.database)).debts() == [second])
  }
}
