// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

extension OutboxState {
  /// What a write is about.
  enum Scope: Sendable, Equatable {
    /// All that is due at this time.
    case due(Int64)
    /// All there is.
    case all
    /// These streams' messages, before one of them is vouched for.
    case streams(Set<Int64>)
    /// This stream's next block of numbers.
    case block(Int64)
    /// All there is, and the exact next numbers.
    case close
  }

  /// What to write now. Until `apply` or `failed` no other plan may be made.
  mutating func plan(_ scope: Scope, rowsAllowed: Bool = true) -> WritePlan {
    var plan = WritePlan()
    guard !sealed else { return plan }
    switch scope {
    case .due(let now): age(until: now - halfCommit)
    case .all, .close: age(until: .max)
    case .streams, .block: break
    }
    plan.seals = scope == .close
    if rowsAllowed { plan.rows = rows(scope) }
    writing = Set(plan.rows.map(\.id))
    plan.gaps = gaps.changes
    switch scope {
    case .due, .all, .close:
      plan.deletes = deletes()
    case .streams, .block: break
    }
    let reserving = streams.contains { needsBlock($0.key, $0.value, scope) }
    if !plan.isEmpty || reserving || scope == .close { plan.streams = records(scope) }
    return plan
  }

  /// Live messages that nobody took in time are late.
  private mutating func age(until cut: Int64) {
    while let id = live.first, entries[id].map({ $0.accepted <= cut || $0.phase != .live }) ?? true {
      live.removeFirst()
      guard let entry = entries[id], entry.phase == .live else { continue }
      if entry.written {
        leaveToDisk(id)
      } else {
        entries[id]?.phase = .late
        if let last = late.last, last > id {
          late.insert(id, at: late.firstIndex { $0 > id } ?? late.count)
        } else {
          late.append(id)
        }
      }
    }
  }

  private func deletes() -> [(stream: Int64, numbers: NumberSet)] {
    var deletes: [(stream: Int64, numbers: NumberSet)] = []
    var left = Self.deletesAtOnce
    for (id, stream) in streams where !stream.done.isEmpty {
      var numbers = NumberSet()
      for range in stream.done.ranges {
        guard left > 0 else { return deletes + [(id, numbers)] }
        let last = min(range.upperBound, range.lowerBound + left - 1)
        numbers.insert(range.lowerBound...last)
        left -= last - range.lowerBound + 1
      }
      deletes.append((id, numbers))
    }
    return deletes
  }

  private func rows(_ scope: Scope) -> [OutboxRow] {
    var rows: [OutboxRow] = []
    for id in unwritten.all {
      guard let entry = entries[id], !entry.written else { continue }
      switch scope {
      case .due(let now): guard entry.accepted <= now - halfCommit else { return rows }
      case .streams(let streams): guard streams.contains(entry.row.stream) else { continue }
      case .block: return rows
      case .all, .close: break
      }
      rows.append(entry.row)
    }
    return rows
  }

  private func needsBlock(_ id: Int64, _ stream: Stream, _ scope: Scope) -> Bool {
    switch scope {
    case .block(id): true
    case .block, .streams, .close: false
    case .due, .all: stream.block.runsLow || (stream.block.used && stream.block.end > stream.reserved ?? 0)
    }
  }

  /// The streams that differ from what the disk knows of them.
  private func records(_ scope: Scope) -> [StreamRecord] {
    var open: [Int64: Int64] = [:]
    for id in unwritten.all {
      guard let entry = entries[id], !entry.written, !writing.contains(id) else { continue }
      if open[entry.row.stream] == nil { open[entry.row.stream] = entry.row.seq }
    }
    var records: [StreamRecord] = []
    for (id, stream) in streams {
      var record = StreamRecord(
        id: id, key: stream.key, settled: (open[id] ?? stream.block.next) - 1, reserved: stream.reserved ?? base)
      if needsBlock(id, stream, scope) { record.reserved = stream.block.extended }
      if scope == .close { record.reserved = stream.block.next - 1 }
      if stream.reserved == nil || record.settled != stream.settled || record.reserved != stream.reserved {
        records.append(record)
      }
    }
    return records
  }

  /// The plan is on disk.
  mutating func apply(_ plan: WritePlan, totals: OutboxTotals, complete: Bool) {
    for gap in plan.gaps.written { settle(gap.stream, gap.numbers) }
    for row in plan.rows {
      settle(row.stream, row.seq...row.seq)
      guard let entry = entries[row.id] else {
        // It left while it was written; its row goes with the next write.
        leaveOut(row.stream, row.seq, cost: row.cost)
        continue
      }
      unwrittenCount -= 1
      unwrittenBytes -= entry.cost
      switch entry.phase {
      case .live: entries[row.id]?.written = true
      case .underWay:
        entries[row.id]?.written = true
        entries[row.id]?.row.payload = []
      case .late: leaveToDisk(row.id)
      case .sent: entries[row.id] = nil
      }
    }
    writing = []
    while let id = unwritten.first, entries[id]?.written ?? true { unwritten.removeFirst() }
    if !plan.rows.isEmpty { late.removeAll { entries[$0] == nil } }
    for (id, numbers) in plan.deletes {
      streams[id]?.done.remove(numbers)
      for seq in numbers.ranges.joined() {
        guard let cost = streams[id]?.doneCosts.removeValue(forKey: seq) else { continue }
        acknowledged.rows -= 1
        acknowledged.bytes -= cost
      }
    }
    for record in plan.streams {
      streams[record.id]?.settled = record.settled
      if record.settled > 0 { settle(record.id, 1...record.settled) }
      streams[record.id]?.reserved = record.reserved
      streams[record.id]?.block.extend(to: record.reserved)
    }
    gaps.stored(plan.gaps)
    self.totals = totals
    generation &+= 1
    if !plan.rows.isEmpty { exhausted = false }
    sealed = plan.seals
    guard complete, diskProblem != nil else { return }
    diskProblem = nil
    events.append(.diskBack(diskFailures))
    diskFailures = 0
  }

  /// The plan could not be written: all stays as it is, in memory.
  mutating func failed(_ sentence: String) {
    writing = []
    if diskProblem == nil { events.append(.diskFailed(sentence)) }
    diskProblem = sentence
    diskFailures += 1
  }

  /// Much was acknowledged at once: the next write need not wait for the next tick.
  var deletesMore: Bool {
    var count: Int64 = 0
    for stream in streams.values {
      for range in stream.done.ranges {
        count += range.upperBound - range.lowerBound + 1
        if count > Self.deletesAtOnce / 2 { return true }
      }
    }
    return false
  }

  /// The ticker has something to do before anything new comes.
  var hasWork: Bool {
    !entries.isEmpty || diskProblem != nil || readProblem != nil || gaps.isChanged || droppingSince != nil
      || streams.values.contains { !$0.done.isEmpty || $0.heldUntil != nil || $0.block.runsLow }
  }

  /// When nothing was dropped for a while, dropping is over.
  mutating func noteDroppingEnd(now: Int64) {
    guard let since = droppingSince, now - since >= Self.droppingPause else { return }
    events.append(.droppingEnded(dropped - droppedAtLog))
    droppingSince = nil
  }

  func status(notice: String?) -> BufferStatus {
    let messages = Int(totals.rows - acknowledged.rows) + unwrittenCount
    let inMemory = unwritten.all.lazy.compactMap { entries[$0] }.first { !$0.written }?.row.time
    let onDisk = totals.rows > acknowledged.rows ? totals.oldest : nil
    let refused = streams.values.filter { $0.refusals > 0 }.min { $0.key.device < $1.key.device }
    return BufferStatus(
      messages: max(messages, 0), bytes: max(totals.bytes - acknowledged.bytes + unwrittenBytes, 0),
      oldest: messages > 0 ? [inMemory, onDisk].compactMap { $0 }.min() : nil, dropped: dropped,
      problem: diskProblem ?? readProblem ?? refused.map(Self.refusal) ?? notice)
  }

  private static func refusal(_ stream: Stream) -> String {
    "the broker refuses messages of \(stream.key.device) (\(stream.refusals) so far): check what this user may publish "
      + "there; they are kept and offered again every 30 s"
  }
}
