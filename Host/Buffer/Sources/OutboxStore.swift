// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSQLite

/// The outbox's statements.
enum OutboxStore {
  /// What is on disk; what an unclean end may have taken is entered as gaps first. A clean end leaves none, since it has
  /// written everything and given back the rest of each block.
  /// With `marks` an end that was only the process's is known exactly.
  static func load(_ database: Database, marks: SequenceMarks?) throws -> OutboxContents {
    let token = Int64.random(in: 1 ... .max)
    let contents = try load(database, marks: marks, token: token)
    marks?.begin(token: token)
    return contents
  }

  private static func load(_ database: Database, marks: SequenceMarks?, token: Int64) throws -> OutboxContents {
    try database.transaction {
      var contents = OutboxContents()
      try database.query("SELECT id, device, kind, settled, reserved FROM streams ORDER BY id") { row in
        guard let device = DeviceID(rawValue: row.text(1)), let kind = OutboundMessage.Stream(rawValue: row.text(2))
        else { return }
        contents.streams.append(
          StreamRecord(
            id: row.integer(0), key: StreamKey(device: device, kind: kind), settled: row.integer(3),
            reserved: row.integer(4)))
      }
      let known = Set(contents.streams.map(\.id))
      try database.query("SELECT id, stream, low, high, reason FROM gaps ORDER BY id") { row in
        guard known.contains(row.integer(1)), row.integer(2) <= row.integer(3),
          let reason = Gap.Reason(rawValue: row.text(4))
        else { return }
        contents.gaps.append(
          GapLedger.Item(
            id: row.integer(0), stream: row.integer(1), numbers: row.integer(2)...row.integer(3), reason: reason))
      }
      let before = try database.integer("SELECT value FROM meta WHERE name = 'marks'") ?? 0
      try closeBlocks(&contents, marks?.marks(token: before) ?? [:], database)
      // Also where there are no marks: older ones then no longer fit.
      try database.run("INSERT OR REPLACE INTO meta(name, value) VALUES ('marks', ?)", .integer(token))
      contents.totals = try totals(database)
      contents.last = try database.integer("SELECT max(id) FROM outbox") ?? 0
      contents.base = try database.integer("SELECT value FROM meta WHERE name = 'sequence_base'") ?? 0
      return contents
    }
  }

  private static func closeBlocks(
    _ contents: inout OutboxContents, _ marks: [Int64: SequenceMarks.Mark], _ database: Database
  ) throws {
    var gaps = GapLedger(contents.gaps)
    for index in contents.streams.indices {
      let stream = contents.streams[index]
      let stored = try database.integer("SELECT max(seq) FROM outbox WHERE stream = ?", .integer(stream.id)) ?? 0
      let mark = marks[stream.id] ?? SequenceMarks.Mark(taken: stream.reserved, settled: stream.settled)
      if let lost = SequenceBlock.lost(settled: max(stream.settled, mark.settled), stored: stored, reserved: mark.taken) {
        gaps.add(stream: stream.id, numbers: lost, reason: .crash)
      }
      contents.streams[index].reserved = max(mark.taken, stored, stream.settled)
      contents.streams[index].settled = contents.streams[index].reserved
      if contents.streams[index] != stream { try write(contents.streams[index], database) }
    }
    try write(gaps.changes, database)
    contents.gaps = gaps.all
  }

  /// Carries out the plan, in one transaction of the caller's, and returns what is on disk then.
  static func write(_ plan: WritePlan, _ database: Database) throws -> OutboxTotals {
    var rows: Int64 = 0
    var bytes: Int64 = 0
    for (stream, numbers) in plan.deletes {
      for range in numbers.ranges {
        let from = SQLValue.integer(range.lowerBound)
        let to = SQLValue.integer(range.upperBound)
        bytes -= try database.integer(
          "SELECT coalesce(sum(length(payload)), 0) FROM outbox WHERE stream = ? AND seq BETWEEN ? AND ?",
          .integer(stream), from, to) ?? 0
        rows -= Int64(
          try database.run("DELETE FROM outbox WHERE stream = ? AND seq BETWEEN ? AND ?", .integer(stream), from, to))
      }
    }
    for row in plan.rows {
      try database.run(
        "INSERT INTO outbox(id, stream, seq, time, payload) VALUES (?, ?, ?, ?, ?)", .integer(row.id),
        .integer(row.stream), .integer(row.seq), .integer(row.time), .blob(row.payload))
      rows += 1
      bytes += Int64(row.payload.count)
    }
    for stream in plan.streams { try write(stream, database) }
    try write(plan.gaps, database)
    if rows != 0 || bytes != 0 || plan.isEmpty {
      try database.run("UPDATE meta SET value = value + ? WHERE name = 'rows'", .integer(rows))
      try database.run("UPDATE meta SET value = value + ? WHERE name = 'bytes'", .integer(bytes))
    }
    return try totals(database)
  }

  private static func write(_ stream: StreamRecord, _ database: Database) throws {
    try database.run(
      """
      INSERT INTO streams(id, device, kind, settled, reserved) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT(id) DO UPDATE SET settled = ?4, reserved = ?5
      """, .integer(stream.id), .text(stream.key.device.rawValue), .text(stream.key.kind.rawValue),
      .integer(stream.settled), .integer(stream.reserved))
  }

  private static func write(_ gaps: GapLedger.Changes, _ database: Database) throws {
    for id in gaps.removed { try database.run("DELETE FROM gaps WHERE id = ?", .integer(id)) }
    for gap in gaps.written {
      try database.run(
        "INSERT OR REPLACE INTO gaps(id, stream, low, high, reason) VALUES (?, ?, ?, ?, ?)", .integer(gap.id),
        .integer(gap.stream), .integer(gap.numbers.lowerBound), .integer(gap.numbers.upperBound),
        .text(gap.reason.rawValue))
    }
  }

  /// The counters are kept in the transactions that change them, so that a start need not read a gigabyte.
  static func totals(_ database: Database) throws -> OutboxTotals {
    let rows = try database.integer("SELECT value FROM meta WHERE name = 'rows'") ?? 0
    let bytes = try database.integer("SELECT value FROM meta WHERE name = 'bytes'") ?? 0
    let oldest = try database.integer("SELECT time FROM outbox ORDER BY id LIMIT 1")
    return OutboxTotals(rows: rows, bytes: bytes + rows * OutboxRow.overhead, oldest: oldest)
  }

  /// The next rows of the backlog behind `id`.
  static func page(_ database: Database, after id: Int64, limit: Int) throws -> [OutboxRow] {
    var rows: [OutboxRow] = []
    try database.query(
      "SELECT id, stream, seq, time, payload FROM outbox WHERE id > ? ORDER BY id LIMIT ?", .integer(id),
      .integer(Int64(limit))
    ) { row in
      rows.append(
        OutboxRow(
          id: row.integer(0), stream: row.integer(1), seq: row.integer(2), time: row.integer(3), payload: row.blob(4)))
    }
    return rows
  }

  /// The oldest rows behind `id`, without their payloads.
  static func oldest(_ database: Database, after id: Int64, limit: Int) throws -> [OutboxCandidate] {
    var rows: [OutboxCandidate] = []
    try database.query(
      "SELECT id, stream, seq, time, length(payload) FROM outbox WHERE id > ? ORDER BY id LIMIT ?", .integer(id),
      .integer(Int64(limit))
    ) { row in
      rows.append(
        OutboxCandidate(
          id: row.integer(0), stream: row.integer(1), seq: row.integer(2), time: row.integer(3),
          cost: row.integer(4) + OutboxRow.overhead))
    }
    return rows
  }
}
