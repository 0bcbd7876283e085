// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSQLite
internal import BusbarSystem
package import Logging
internal import Synchronization

/// Store and forward. What is accepted is delivered or reported missing:
///
/// - A live message is offered at once and written only when nobody acknowledged it in time, at most `commit` later. A
///   message that is acknowledged within milliseconds never touches the disk.
/// - Durable readings and alarms are on disk before `accept` returns.
/// - After `kill -9` what was lost is reported as a gap, by the marks that outlive the process (`SequenceMarks`); after a
///   power cut the rest of each block of numbers (`SequenceBlock`).
/// - A full or broken disk never stops the host: messages stay in memory up to 8 MiB, then the oldest are dropped and
///   reported, and writing goes on by itself when it can.
///
/// Locks, always in this order: the database's writing connection, then `state`. Nothing waits for the disk with `state`
/// locked.
package final class Outbox: Sendable {
  let database: StateDatabase
  let encoder: any MessageEncoder
  private let bounds: Mutex<BufferLimits>
  let logger: Logger
  let clock: @Sendable () -> Int64
  let wall: @Sendable () -> Int64
  let state: Mutex<OutboxState>
  private let marks: SequenceMarks?
  /// Calls the ticker.
  private let wakeup = Wakeup()
  private let turnstile = Turnstile()
  private let stopped = Atomic(false)
  private let consumer = Mutex(Consumer())
  /// Which rows were looked at for their age; the ticker's own.
  let aging = Mutex(Aging())

  /// A closure directly in the mutex would be wrapped once more at every access: memory grows, and letting go of it
  /// overflows the stack.
  private struct Consumer: Sendable {
    var wake: (@Sendable () -> Void)?
  }

  /// `clock` gives CLOCK_BOOTTIME in nanoseconds, `wall` Unix milliseconds. Reports what an unclean end may have lost.
  package init(
    database: StateDatabase, encoder: any MessageEncoder, limits: BufferLimits, acknowledge: Acknowledgement,
    marks: SequenceMarks? = nil, logger: Logger, clock: @escaping @Sendable () -> Int64 = { Clock.boot() },
    wall: @escaping @Sendable () -> Int64 = { Clock.unixMilliseconds() }
  ) throws {
    self.database = database
    self.encoder = encoder
    bounds = Mutex(limits)
    self.logger = logger
    self.clock = clock
    self.wall = wall
    let contents = try database.exclusively { try OutboxStore.load($0, marks: marks) }
    self.marks = marks
    state = Mutex(OutboxState(contents: contents, halfCommit: limits.halfCommit, acknowledge: acknowledge))
    if contents.totals.rows > 0 {
      logger.info("\(contents.totals.rows) messages from before the start wait for the broker")
    }
  }

  /// Takes a reading; a `durable` one is on disk when this returns. Never fails: what the disk refuses stays in memory.
  package func accept(_ reading: Reading) {
    let key = StreamKey(device: reading.device, kind: .telemetry)
    accept(key, time: reading.time / 1_000_000, durable: reading.durable) { [encoder] seq in
      encoder.telemetry(reading, seq: seq)
    }
  }

  /// Takes an alarm; it is on disk when this returns.
  package func accept(_ alarm: Alarm) {
    let key = StreamKey(device: alarm.device, kind: .alarms)
    accept(key, time: alarm.time / 1_000_000, durable: true) { [encoder] seq in encoder.alarm(alarm, seq: seq) }
  }

  /// Takes alarms in one write; they are on disk when this returns.
  package func accept(_ alarms: [Alarm]) {
    var streams = Set<Int64>()
    for alarm in alarms {
      let key = StreamKey(device: alarm.device, kind: .alarms)
      let stream = take(key, time: alarm.time / 1_000_000) { [encoder] seq in encoder.alarm(alarm, seq: seq) }
      if let stream { streams.insert(stream) }
    }
    guard !streams.isEmpty else { return }
    commit(.streams(streams))
    wakeConsumer()
  }

  /// Takes a record; it is on disk when this returns.
  package func accept(_ record: Record) {
    let key = StreamKey(device: record.device, kind: record.kind == Record.session ? .sessions : .records)
    accept(key, time: record.time, durable: true) { [encoder] seq in encoder.record(record, seq: seq) }
  }

  private func accept(_ key: StreamKey, time: Int64, durable: Bool, encode: (Int64) -> [UInt8]) {
    guard let stream = take(key, time: time, encode: encode) else { return }
    if durable { commit(.streams([stream])) }
    wakeConsumer()
  }

  /// The stream that it is in; nil where nothing is taken any more.
  private func take(_ key: StreamKey, time: Int64, encode: (Int64) -> [UInt8]) -> Int64? {
    while true {
      switch with({ $0.accept(key, time: time, now: clock(), encode: encode) }) {
      case .closed: return nil
      case .needsBlock(let stream):
        if !commit(.block(stream)) { with { $0.extendUnreserved(stream) } }
      case .taken(let stream, let crowded):
        if crowded { relieve() }
        return stream
      }
    }
  }

  /// Too much waits in memory: written at once, or dropped when the disk is known not to take it.
  private func relieve() {
    if with({ $0.diskProblem == nil }), commit(.all) { return }
    with { if $0.crowded { $0.dropFromMemory(now: clock()) } }
  }

  /// They count from the next commit on.
  package var limits: BufferLimits {
    get { bounds.withLock { $0 } }
    set {
      bounds.withLock { $0 = newValue }
      state.withLock { $0.halfCommit = newValue.halfCommit }
      aging.withLock { $0 = Aging() }
      wakeup.wake()
    }
  }

  package var status: BufferStatus { state.withLock { $0.status(notice: database.notice) } }

  /// Starts the commit ticker on a thread of its own.
  package func start() {
    turnstile.open()
    WorkThread.start(name: "busbar-commit") { [self] in
      defer { turnstile.close() }
      var deadline: Int64? = clock() + limits.halfCommit
      while !stopped.load(ordering: .acquiring) {
        _ = Poll.wait([(wakeup.descriptor.number, .read)], until: deadline)
        wakeup.drain()
        turnstile.pass()
        if stopped.load(ordering: .acquiring) { return }
        let now = clock()
        if let due = deadline, now < due {
          // Called out of its sleep by something new, which is not due yet.
          deadline = min(due, now + limits.halfCommit)
          continue
        }
        tick(now: now)
        let pause = with { state in
          state.idle = !state.hasWork
          return state.idle ? Self.idlePause : limits.halfCommit
        }
        deadline = clock() + pause
      }
    }
  }

  /// Returns when the ticker comes by, at once where it does not run.
  package func turn() async { await turnstile.wait { wakeup.wake() } }

  /// With nothing to write, the age of what lies on disk is still looked at. Nanoseconds.
  private static let idlePause: Int64 = 60_000_000_000

  /// The orderly end: everything unacknowledged is on disk, and the exact next numbers. Nothing is accepted afterwards.
  package func close() {
    stopTicker()
    with { $0.closed = true }
    if commit(.close) {
      marks?.remove()
    } else {
      logger.error("the buffer could not be written at the end: \(status.messages) messages; the loss will be reported")
    }
  }

  /// Ends as a crash does: nothing more is written.
  package func abandon() {
    stopTicker()
    with { $0.closed = true }
  }

  private func stopTicker() {
    stopped.store(true, ordering: .releasing)
    wakeup.wake()
  }

  private func mark(_ state: inout OutboxState) {
    if let marks {
      for id in state.touched {
        guard let stream = state.streams[id] else { continue }
        marks.set(SequenceMarks.Mark(taken: stream.block.next - 1, settled: stream.mark), of: id)
      }
    }
    state.touched.removeAll(keepingCapacity: true)
  }

  package func onWork(_ wake: @escaping @Sendable () -> Void) { consumer.withLock { $0.wake = wake } }

  func wakeConsumer() {
    let wake = consumer.withLock { $0.wake }
    wake?()
  }

  /// Changes the state, then says in the log what there is to say, and calls the ticker where it sleeps.
  @discardableResult
  func with<Result: Sendable>(_ body: (inout OutboxState) -> Result) -> Result {
    let (result, events, call) = state.withLock { state in
      let result = body(&state)
      let events = state.events
      if !events.isEmpty { state.events = [] }
      // Before anybody else can take the message whose number this is.
      if !state.touched.isEmpty { mark(&state) }
      let call = state.idle && state.hasWork
      if call { state.idle = false }
      return (result, events, call)
    }
    if call { wakeup.wake() }
    for event in events { log(event) }
    return result
  }
}
