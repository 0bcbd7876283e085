// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// What the outbox knows, without I/O. A message is at one place at a time:
///
///     accepted ──► live ──► under way ──► acknowledged (application: sent, until the receiver's own word)
///                   │ older than commit/2      │ connection lost, or refused
///                   ▼                          ▼
///                  late, in memory until it is written, then only on disk
///
/// `unwritten` messages, wherever they are, are the ones that a power cut loses. Writing always covers a stream from its
/// oldest unwritten message on, so that one number a stream, `settled`, tells what cannot be lost any more.
struct OutboxState: Sendable {
  enum Phase: Sendable {
    case live, underWay, late, sent
  }

  /// A message in memory.
  struct Entry: Sendable {
    var row: OutboxRow
    /// CLOCK_BOOTTIME nanoseconds.
    var accepted: Int64
    var phase: Phase
    var written = false
    /// `row.cost`, also when the payload was let go.
    var cost: Int64
  }

  /// What a ticket stands for.
  enum Item: Sendable {
    case memory(id: Int64, stream: Int64, seq: Int64, late: Bool)
    case row(OutboxCandidate)
    case gap(GapLedger.Item)
  }

  struct Stream: Sendable {
    let key: StreamKey
    var block: SequenceBlock
    /// As on disk.
    var settled: Int64
    /// As on disk; nil = no row yet.
    var reserved: Int64?
    /// Taken on this connection and not refused.
    var sent = NumberSet()
    /// Removed: the row, if there is one, is deleted at the next write.
    var done = NumberSet()
    /// What the rows cost that are in `done` and that the status leaves out already.
    var doneCosts: [Int64: Int64] = [:]
    /// Taken since the start and not removed; kept with application acknowledgement only.
    var published = NumberSet()
    /// After a refusal: CLOCK_BOOTTIME nanoseconds.
    var heldUntil: Int64?
    var refusals = 0
    /// Up to here each number was acknowledged, is on disk, or is reported on disk as a gap; `ahead` are those behind it.
    var mark: Int64
    var ahead = NumberSet()

    init(key: StreamKey, block: SequenceBlock, settled: Int64, reserved: Int64? = nil) {
      self.key = key
      self.block = block
      self.settled = settled
      self.reserved = reserved
      mark = settled
    }

    mutating func settle(_ numbers: ClosedRange<Int64>) {
      guard numbers.upperBound > mark else { return }
      ahead.insert(numbers)
      guard let first = ahead.ranges.first, first.lowerBound <= mark + 1 else { return }
      mark = first.upperBound
      ahead.remove(first)
    }
  }

  enum Event: Sendable, Equatable {
    case diskFailed(String), diskBack(Int)
    case readFailed(String)
    case dropping, droppingEnded(Int)
    case refused(DeviceID), refusalEnded(DeviceID, Int)
    case afterClose
  }

  /// What may wait unwritten in memory before it is written out of turn, or dropped when it cannot be.
  static let memoryBytes: Int64 = 8 << 20
  static let memoryCount = 20_000
  /// How long a stream is left alone after a refusal.
  static let refusalPause: Int64 = 30_000_000_000
  /// Dropping counts as over when nothing was dropped for so long.
  static let droppingPause: Int64 = 120_000_000_000
  static let gapsUnderWay = 16
  /// How many numbers one transaction deletes: the log that SQLite writes for it has to fit into what is kept free.
  static let deletesAtOnce: Int64 = 2000

  var halfCommit: Int64
  let acknowledge: Acknowledgement
  /// Where a new stream begins to count.
  let base: Int64

  var streams: [Int64: Stream] = [:]
  var streamIDs: [StreamKey: Int64] = [:]
  var gaps: GapLedger

  var entries: [Int64: Entry] = [:]
  var nextID: Int64
  var live = IDQueue()
  /// Ready, in rising order.
  var late: [Int64] = []
  /// Ids of unwritten entries, and of some that are no longer.
  var unwritten = IDQueue()
  var unwrittenCount = 0
  var unwrittenBytes: Int64 = 0
  /// In the transaction that runs now.
  var writing: Set<Int64> = []

  var underWay: [UInt64: Item] = [:]
  var nextTicket: UInt64 = 1
  var lateUnderWay = 0

  /// Rows read ahead, and how far the backlog was read.
  var page: ArraySlice<OutboxRow> = []
  var position: Int64 = 0
  /// Nothing lies behind `position`.
  var exhausted = false
  /// Changes whenever a read that is on its way has become stale.
  var generation: UInt64 = 0

  var totals: OutboxTotals
  /// Acknowledged rows that are still on disk.
  var acknowledged = OutboxTotals()
  var dropped = 0
  var droppedAtLog = 0
  /// When something was dropped last, while that goes on.
  var droppingSince: Int64?

  var diskProblem: String?
  /// Failed attempts while it goes on.
  var diskFailures = 0
  var readProblem: String?
  /// No reading before the next tick.
  var readBlocked = false
  /// The ticker sleeps until it is called.
  var idle = false
  var closed = false
  /// The orderly end is on disk: nothing is written any more.
  var sealed = false
  var events: [Event] = []
  /// Streams whose marks have changed.
  var touched: [Int64] = []

  init(contents: OutboxContents, halfCommit: Int64, acknowledge: Acknowledgement) {
    self.halfCommit = halfCommit
    self.acknowledge = acknowledge
    base = contents.base
    gaps = GapLedger(contents.gaps)
    totals = contents.totals
    nextID = contents.last + 1
    for record in contents.streams {
      streamIDs[record.key] = record.id
      streams[record.id] = Stream(
        key: record.key, block: SequenceBlock(after: record.reserved), settled: record.settled,
        reserved: record.reserved)
    }
  }

  /// Where accepting ended.
  enum Accepted: Sendable, Equatable {
    /// `crowded`: too much waits in memory.
    case taken(stream: Int64, crowded: Bool)
    /// The stream's numbers are used up.
    case needsBlock(stream: Int64)
    case closed
  }

  /// Gives the message its number and puts it into the live queue. `time` in Unix milliseconds, `now` on the boot clock.
  mutating func accept(_ key: StreamKey, time: Int64, now: Int64, encode: (Int64) -> [UInt8]) -> Accepted {
    guard !closed else {
      if !events.contains(.afterClose) { events.append(.afterClose) }
      return .closed
    }
    let stream = stream(of: key)
    guard let seq = streams[stream]?.block.take() else { return .needsBlock(stream: stream) }
    let row = OutboxRow(id: nextID, stream: stream, seq: seq, time: time, payload: encode(seq))
    nextID += 1
    touch(stream)
    let held = streams[stream]?.heldUntil != nil
    entries[row.id] = Entry(row: row, accepted: now, phase: held ? .late : .live, cost: row.cost)
    if held { late.append(row.id) } else { live.append(row.id) }
    unwritten.append(row.id)
    unwrittenCount += 1
    unwrittenBytes += row.cost
    return .taken(stream: stream, crowded: crowded)
  }

  /// These numbers cannot be lost any more.
  mutating func settle(_ stream: Int64, _ numbers: ClosedRange<Int64>) {
    streams[stream]?.settle(numbers)
    touch(stream)
  }

  private mutating func touch(_ stream: Int64) {
    if touched.last != stream { touched.append(stream) }
  }

  var crowded: Bool { unwrittenBytes > Self.memoryBytes || unwrittenCount > Self.memoryCount }

  private mutating func stream(of key: StreamKey) -> Int64 {
    if let id = streamIDs[key] { return id }
    let id = (streams.keys.max() ?? 0) + 1
    streamIDs[key] = id
    streams[id] = Stream(key: key, block: SequenceBlock(after: base), settled: base)
    if base > 0 { gaps.add(stream: id, numbers: 1...base, reason: .crash) }
    return id
  }

  /// The block could not be reserved on disk: numbers go on in memory, since a reading without a number would be lost
  /// without a trace. Only a host that is killed while its disk refuses even this can give a number twice.
  mutating func extendUnreserved(_ stream: Int64) {
    guard let block = streams[stream]?.block, block.remaining == 0 else { return }
    streams[stream]?.block.extend(to: block.extended)
  }

  /// Drops the oldest waiting messages from memory, while the disk takes none, down to 7/8 of the limits.
  mutating func dropFromMemory(now: Int64) {
    let waiting = entries.values.filter { !$0.written && $0.phase != .underWay }.sorted { $0.row.id < $1.row.id }
    var lost: [Int64: NumberSet] = [:]
    for entry in waiting {
      guard unwrittenBytes > Self.memoryBytes / 8 * 7 || unwrittenCount > Self.memoryCount / 8 * 7 else { break }
      remove(entry)
      lost[entry.row.stream, default: NumberSet()].insert(entry.row.seq)
      dropped += 1
    }
    late.removeAll { entries[$0] == nil }
    report(lost, now: now)
  }

  /// Quota: these rows go, except for those that are under way or still in memory. Final from now on, although the rows
  /// themselves are deleted by the next write, together with the making of their gaps.
  mutating func drop(_ candidates: [OutboxCandidate], now: Int64) {
    let busy = Set(underWay.values.compactMap { item in if case .row(let row) = item { row.id } else { nil } })
    var lost: [Int64: NumberSet] = [:]
    for row in candidates where entries[row.id] == nil && !busy.contains(row.id) {
      guard streams[row.stream]?.done.contains(row.seq) == false else { continue }
      streams[row.stream]?.done.insert(row.seq)
      streams[row.stream]?.published.remove(row.seq)
      lost[row.stream, default: NumberSet()].insert(row.seq)
      dropped += 1
    }
    page = page.filter { streams[$0.stream]?.done.contains($0.seq) == false }[...]
    generation &+= 1
    report(lost, now: now)
  }

  private mutating func report(_ lost: [Int64: NumberSet], now: Int64) {
    for (stream, numbers) in lost {
      for range in numbers.ranges { gaps.add(stream: stream, numbers: range, reason: .quota) }
    }
    guard !lost.isEmpty else { return }
    if droppingSince == nil {
      events.append(.dropping)
      droppedAtLog = dropped - lost.values.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } }
    }
    droppingSince = now
  }

  /// The message has left the buffer. A row that there is, or is being made, goes with the next write.
  mutating func remove(_ entry: Entry) {
    let row = entry.row
    entries[row.id] = nil
    if entry.written || writing.contains(row.id) { streams[row.stream]?.done.insert(row.seq) }
    if entry.written {
      leaveOut(row.stream, row.seq, cost: entry.cost)
    } else {
      unwrittenCount -= 1
      unwrittenBytes -= entry.cost
    }
  }

  /// The row no longer counts in the status, although it is still on disk.
  mutating func leaveOut(_ stream: Int64, _ seq: Int64, cost: Int64) {
    guard streams[stream]?.doneCosts.updateValue(cost, forKey: seq) == nil else { return }
    acknowledged.rows += 1
    acknowledged.bytes += cost
  }

  /// Lets go of a written message in memory; it comes from disk when its turn comes.
  mutating func leaveToDisk(_ id: Int64) {
    entries[id] = nil
    rewind(before: id)
  }

  /// The backlog is read again from this row on.
  mutating func rewind(before id: Int64) {
    exhausted = false
    generation &+= 1
    guard id <= position else { return }
    position = id - 1
    page = page.prefix { $0.id < id }
  }
}
