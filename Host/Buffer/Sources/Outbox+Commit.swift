// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSQLite
internal import BusbarSystem
internal import Logging
internal import Synchronization

extension Outbox {
  struct Aging: Sendable {
    /// Rows up to here were found to have no believable time.
    var passed: Int64 = 0
    var next: Int64 = .min
  }

  /// Bytes that are left free on the file system: twice what SQLite's log takes.
  private static let keptFree: Int64 = 8 << 20
  /// Transactions in one tick, where there is much to delete.
  private static let rounds = 16
  /// Rows that are looked at for dropping at a time.
  private static let candidates = 512
  /// 2020-01-01. A time before it was taken while the host's clock was not set and tells nothing about age.
  private static let believable: Int64 = 1_577_836_800_000

  /// Writes what is due. `now` on the boot clock, in nanoseconds; called by the ticker every half of `commit`.
  package func tick(now: Int64) {
    let released = with { state in
      state.readBlocked = false
      return state.releaseHeld(now: now)
    }
    let before = state.withLock { ($0.totals.rows, $0.dropped) }
    var rounds = 1
    while commit(.due(now)), with({ $0.deletesMore }), rounds < Self.rounds { rounds += 1 }
    enforceSize(now: now)
    enforceAge(now: now)
    let wake = with { state in
      if state.diskProblem != nil, state.crowded { state.dropFromMemory(now: now) }
      state.noteDroppingEnd(now: now)
      return state.totals.rows > before.0 || state.dropped > before.1 || state.readProblem != nil || !state.late.isEmpty
    }
    if released || wake { wakeConsumer() }
  }

  /// Plans and writes in one transaction; false where the disk refused, which the state then knows.
  @discardableResult
  func commit(_ scope: OutboxState.Scope) -> Bool {
    do {
      try database.exclusively { database in
        let room = try hasRoom(scope, database)
        let (plan, failing) = with { ($0.plan(scope, rowsAllowed: room), $0.diskProblem != nil) }
        // With nothing to write, a disk that failed is tried all the same.
        if !plan.isEmpty || failing || plan.seals {
          let totals = try database.transaction { try OutboxStore.write(plan, database) }
          with { $0.apply(plan, totals: totals, complete: room) }
        }
        if !room { throw DatabaseError.noSpace(path: database.path) }
      }
      return true
    } catch {
      with { $0.failed("\(error)") }
      return false
    }
  }

  /// A full file system must not keep us from deleting what was delivered, which needs room in SQLite's log. So some is
  /// left free, and there only single messages are written that somebody waits for, and the last ones at the end.
  private func hasRoom(_ scope: OutboxState.Scope, _ database: Database) throws -> Bool {
    switch scope {
    case .streams, .block, .close: return true
    case .due, .all: break
    }
    guard with({ $0.unwrittenCount }) > 0, let space = StateFiles.space(database.path) else { return true }
    if space.free >= min(Self.keptFree, space.total / 4) { return true }
    // Rows fit into the file as it is where others were deleted.
    let pages = try database.integer("PRAGMA freelist_count") ?? 0
    return pages * 4096 > with { $0.unwrittenBytes } * 2
  }

  /// Over the limit: the oldest rows go until a sixteenth of it is free again.
  private func enforceSize(now: Int64) {
    guard state.withLock({ $0.totals.bytes }) > limits.size else { return }
    let target = limits.size - limits.size / 16
    var position: Int64 = 0
    while true {
      let bytes = state.withLock { $0.totals.bytes }
      guard bytes > target else { return }
      var freed: Int64 = 0
      guard
        drop(after: &position, now: now, choose: { row in
          defer { freed += row.cost }
          return bytes - freed > target
        })
      else { return }
    }
  }

  /// Drops what is older than the limit, looked at once a minute or, for short limits, a tenth of them.
  private func enforceAge(now: Int64) {
    let age = limits.age.milliseconds
    let due = aging.withLock { aging in
      guard now >= aging.next else { return false }
      aging.next = now + min(60_000, age / 10) * 1_000_000
      return true
    }
    guard due, state.withLock({ $0.totals.rows }) > 0 else { return }
    let cut = wall() - age
    var position = aging.withLock { $0.passed }
    while true {
      var passed = position
      var ended = false
      let more = drop(after: &position, now: now) { row in
        if row.time >= Self.believable, row.time >= cut { ended = true }
        if row.time < Self.believable, !ended { passed = row.id }
        return !ended && row.time >= Self.believable
      }
      aging.withLock { $0.passed = max($0.passed, min(passed, position)) }
      guard more, !ended else { return }
    }
  }

  /// Drops the chosen ones of the next rows; false = there are no more, or the disk refused.
  private func drop(after position: inout Int64, now: Int64, choose: (OutboxCandidate) -> Bool) -> Bool {
    do {
      let start = position
      let rows = try database.exclusively { try OutboxStore.oldest($0, after: start, limit: Self.candidates) }
      guard let last = rows.last else { return false }
      position = last.id
      let chosen = rows.filter(choose)
      guard !chosen.isEmpty else { return rows.count == Self.candidates }
      with { $0.drop(chosen, now: now) }
      return commit(.due(now)) && rows.count == Self.candidates
    } catch {
      with { $0.failed("\(error)") }
      return false
    }
  }

  func log(_ event: OutboxState.Event) {
    switch event {
    case .diskFailed(let text):
      logger.error("the buffer cannot be written, messages stay in memory: \(text)")
    case .diskBack(let count): logger.notice("the buffer can be written again", metadata: ["failed": "\(count)"])
    case .readFailed(let text): logger.error("the backlog cannot be read: \(text)")
    case .dropping:
      logger.warning("the buffer has reached its limit: the oldest messages are dropped and reported as gaps")
    case .droppingEnded(let count): logger.notice("the buffer has room again; \(count) messages were dropped")
    case .refused(let device):
      logger.warning("the broker refuses messages of \(device): they are kept and offered again every 30 s")
    case .refusalEnded(let device, let count):
      logger.notice("the broker takes messages of \(device) again, after \(count) refusals")
    case .afterClose: logger.error("a message came after the buffer was closed and is lost")
    }
  }
}
