// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSQLite
internal import BusbarSystem
internal import Logging

/// Works on the file, on a thread of its own.
actor HistoryKeeper {
  private nonisolated let executor = ThreadExecutor(name: "history")
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  /// Bytes that are left free on the file system for the buffer, whose messages matter more.
  private static let keptFree: Int64 = 32 << 20
  /// A clock that jumps further than this has to be steady for as long again before anything is too old, nanoseconds.
  private static let hour: Int64 = 3_600_000_000_000

  private let path: String
  private let logger: Logger
  private let clock: @Sendable () -> Int64
  private let wall: @Sendable () -> Int64
  private var file: HistoryFile?
  /// What the disk has not taken yet.
  private var waiting: [DeviceID: Block] = [:]
  private var next = Int64.min
  private var loss = LossLog()
  private var problem: String?
  private var oldest: Int64?
  /// Wall clock less boot clock, and since when it is about so.
  private var offset: Int64?
  private var steadySince: Int64 = 0

  init(path: String, logger: Logger, clock: @escaping @Sendable () -> Int64, wall: @escaping @Sendable () -> Int64) {
    self.path = path
    self.logger = logger
    self.clock = clock
    self.wall = wall
  }

  var status: HistoryStatus {
    HistoryStatus(bytes: file?.bytes ?? 0, oldest: oldest.map { $0 * 60_000 }, problem: problem)
  }

  func isDue(_ limits: HistoryLimits) -> Bool {
    guard clock() >= next else { return false }
    next = clock() + limits.commit.nanoseconds
    return true
  }

  /// Takes minutes that ended, writes what waits, and drops what is too much or too old. `dated` = the clock is set.
  func keep(_ blocks: [DeviceID: Block], limits: HistoryLimits, dated: Bool) {
    guard !limits.isOff else {
      waiting = [:]
      file = nil
      problem = nil
      return
    }
    for (device, block) in blocks { add(block, of: device) }
    noteClock()
    // Without a date nothing can be written.
    guard dated else { return }
    let shift = (wall() - clock()) / 60_000_000_000 + History.undated
    for device in waiting.keys { waiting[device]?.date(shift) }
    do {
      try write(limits)
      problem = nil
      if let back = loss.succeeded(now: clock()) {
        logger.notice("the history can be written again", metadata: ["failed": "\(back.failures)"])
      }
    } catch {
      failed(error)
    }
  }

  /// A device is not followed any more; its last minutes wait for the next writing.
  func leave(_ device: DeviceID, _ block: Block) { add(block, of: device) }

  func close() { file = nil }

  func answer(_ question: HistoryQuestion, recent: Block?, off: Bool) throws -> HistoryAnswer? {
    let known = off ? nil : try? opened()
    let waits = waiting[question.device]
    guard recent != nil || waits != nil || known?.knows(question.device) == true else { return nil }
    var rows = RowMaker(question)
    do {
      try known?.read(question.device, question.minutes) { try rows.add($0) }
    } catch let error as DatabaseError {
      failed(error)
    }
    for block in [waits, recent] { if let block { try rows.add(block) } }
    return rows.answer
  }

  private func add(_ block: Block, of device: DeviceID) {
    waiting[device, default: Block()].merge(block, most: MinuteBook.mostMinutes)
  }

  private func write(_ limits: HistoryLimits) throws {
    let file = try opened()
    // First, so that there is room.
    try file.limit(pages: limits.pages)
    if steady { try file.drop(before: (wall() - limits.age.nanoseconds) / 60_000_000_000) }
    if !waiting.isEmpty {
      if let space = StateFiles.space(path), space.free < min(Self.keptFree, space.total / 4) {
        throw DatabaseError.noSpace(path: path)
      }
      do { try file.write(waiting) } catch {
        try? file.forgetNumbers()
        throw error
      }
      waiting = [:]
    }
    try file.compact(before: (wall() / 60_000_000_000).hour)
    oldest = try file.first()
  }

  private func opened() throws -> HistoryFile {
    if let file { return file }
    let reason: String
    do {
      let made = try HistoryFile(path: path)
      guard let damage = try made.damage() else {
        file = made
        return made
      }
      reason = damage
    } catch let error as DatabaseError where error.isCorrupt {
      reason = error.sentence
    } catch let error as NewerHistoryError {
      reason = "\(error)"
    }
    return try beginAnew(reason)
  }

  private func beginAnew(_ reason: String) throws -> HistoryFile {
    file = nil
    let aside = try HistoryFile.moveAside(path, wall: wall() / 1_000_000)
    logger.error("the history cannot be used: it is kept as \(aside) and a new one was begun", metadata: ["reason": "\(reason)"])
    let made = try HistoryFile(path: path)
    file = made
    return made
  }

  private func failed(_ error: any Error) {
    if let error = error as? DatabaseError, error.isCorrupt {
      // What waits is written into the new file the next time.
      _ = try? beginAnew(error.sentence)
      return
    }
    problem = "\(error)"
    if loss.failed("disk", now: clock()) {
      logger.error("the history cannot be written; the last two hours stay in memory", metadata: ["reason": "\(error)"])
    }
    // What was wrong with the file or its place may be mended by then.
    if (error as? DatabaseError)?.isFull != true { file = nil }
  }

  private var steady: Bool { clock() - steadySince >= Self.hour }

  private func noteClock() {
    let now = wall() - clock()
    if offset.map({ abs($0 - now) > Self.hour }) ?? true { steadySince = clock() }
    offset = now
  }
}
