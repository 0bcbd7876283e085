// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSQLite
internal import BusbarSystem
package import Logging
internal import Synchronization

/// The last days for people: of each point and minute the lowest value, the mean and the highest, in a database of its own.
///
/// - Samples are added up in memory; a minute ends with the first reading of the next one. Minutes that ended are written
///   together, every `commit` (5 minutes): after `kill -9` or a power cut so much and the running minute are missing. An
///   orderly end writes all.
/// - A minute without a good or uncertain value is absent; what is missing is not 0.
/// - A minute belongs to the wall clock. Where that is set back, minutes that are there already are added to; while it is
///   not set yet, minutes wait in memory and are dated when it is.
/// - The oldest hours are dropped first. Age counts only when the clock has been steady for an hour, so that a clock that
///   jumps ahead does not cost what is kept.
/// - A damaged file is moved aside and a new one begun. A full or broken disk costs the minutes beyond the last two hours.
/// - Nothing here holds up a reading, the buffer or the start of the host.
package final class History: Sendable {
  /// 2020-01-01 in nanoseconds. A time before it was taken while the clock was not set.
  static let believable: Int64 = 1_577_836_800_000_000_000
  /// How far the time of a reading may be ahead of the clock, nanoseconds.
  static let ahead: Int64 = 300_000_000_000
  /// Put before the numbers of minutes while the clock is not set.
  static let undated: Int64 = 1 << 40
  /// Devices that are followed at once.
  static let mostDevices = 10_000
  /// Devices that are looked at in a row.
  private static let atOnce = 64

  struct State: Sendable {
    var books: [DeviceID: MinuteBook] = [:]
    var limits: HistoryLimits
    var status = HistoryStatus()
  }

  let state: Mutex<State>
  private let keeper: HistoryKeeper
  private let clock: @Sendable () -> Int64
  private let wall: @Sendable () -> Int64

  /// `clock` gives CLOCK_BOOTTIME, `wall` Unix time, both in nanoseconds. Opens nothing yet.
  package init(
    path: String, limits: HistoryLimits, logger: Logger, clock: @escaping @Sendable () -> Int64 = { Clock.boot() },
    wall: @escaping @Sendable () -> Int64 = { Clock.unix() }
  ) {
    state = Mutex(State(limits: limits))
    keeper = HistoryKeeper(path: path, logger: logger, clock: clock, wall: wall)
    self.clock = clock
    self.wall = wall
  }

  /// Takes a reading; about a microsecond for twenty points.
  package func accept(_ reading: Reading) {
    let now = wall()
    let time = min(reading.time, now + Self.ahead)
    let minute = time >= Self.believable ? time / 60_000_000_000 : clock() / 60_000_000_000 - Self.undated
    state.withLock { state in
      guard !state.limits.isOff, state.books.count < Self.mostDevices || state.books[reading.device] != nil else { return }
      state.books[reading.device, default: MinuteBook()].take(reading, minute: minute)
    }
  }

  /// A device left the configuration: what is kept of it stays until it is too old.
  package func forget(_ device: DeviceID) async {
    guard var book = state.withLock({ $0.books.removeValue(forKey: device) }) else { return }
    book.endMinute()
    await keeper.leave(device, book.takeEnded())
  }

  package var limits: HistoryLimits {
    get { state.withLock { $0.limits } }
    set {
      state.withLock { state in
        state.limits = newValue
        if newValue.isOff { state.books = [:] }
      }
    }
  }

  package var status: HistoryStatus { state.withLock { $0.status } }

  /// Writes every `commit`, until cancelled.
  package func run() async {
    repeat { await tick() } while (try? await Task.sleep(for: min(limits.commit, .seconds(60)))) != nil
  }

  /// Looks for what is to be done, and does it.
  package func tick() async {
    let limits = limits
    let dated = wall() >= Self.believable
    if await keeper.isDue(limits) {
      await keeper.keep(ended(all: false), limits: limits, dated: dated)
      await note()
    }
  }

  /// The orderly end: the running minutes too are on disk.
  package func close() async {
    await keeper.keep(ended(all: true), limits: limits, dated: wall() >= Self.believable)
    await keeper.close()
  }

  /// Nil = nothing was ever known of that device. Throws `TooManyRows`.
  package func answer(_ question: HistoryQuestion) async throws -> HistoryAnswer? {
    let recent = state.withLock { $0.books[question.device]?.known }
    return try await keeper.answer(question, recent: recent, off: limits.isOff)
  }

  private func note() async {
    let status = await keeper.status
    state.withLock { $0.status = status }
  }

  private func ended(all: Bool) -> [DeviceID: Block] {
    let now = wall() >= Self.believable ? wall() / 60_000_000_000 : clock() / 60_000_000_000 - Self.undated
    var blocks: [DeviceID: Block] = [:]
    // Readings of thousands of devices do not wait until all of them are looked at.
    let devices = state.withLock { Array($0.books.keys) }
    for start in stride(from: 0, to: devices.count, by: Self.atOnce) {
      let some = state.withLock { state in
        devices[start..<min(start + Self.atOnce, devices.count)].compactMap { device -> (DeviceID, Block)? in
          if all { state.books[device]?.endMinute() } else { state.books[device]?.end(before: now) }
          guard let block = state.books[device]?.takeEnded(), !block.isEmpty else { return nil }
          return (device, block)
        }
      }
      for (device, block) in some { blocks[device] = block }
    }
    return blocks
  }
}
