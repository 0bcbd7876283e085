// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel
package import BusbarSystem
package import Logging

/// The one way to a device for all writers: the uplink, people, and controllers.
///
/// Writes to one point happen one after another in the order of arrival, different points in parallel; the link below
/// puts the writes of one device in a row. Before a lease's value leaves, the safe value that follows it is on disk as
/// owed (`CommandJournaling`), so a host that dies leaves a debt and not a device with its last limit for ever. A lease
/// that ends is followed by the next one or by the safe value, tried again until the device has taken it.
///
/// `recover` has to be called before the first request is served. The actor has a thread of its own, since every call of
/// the journal waits for the disk.
package actor Arbiter {
  /// Requests that may be under way at a time; more are answered `failed`.
  package static let concurrent = 1024
  /// A write that could not leave within this time is given up (nanoseconds): the point must not be blocked by one writer.
  static let patience: Int64 = 60_000_000_000

  let writer: any DeviceWriter
  let journal: any CommandJournaling
  let logger: Logger
  let clock: any TimeSource
  private let executor: ThreadExecutor

  var table = LeaseTable()
  /// The debts that the journal holds.
  var owed: [PointKey: Value] = [:]
  var lanes: [Lane: LaneQueue] = [:]
  /// When to look at a point again, boot clock.
  var looks: [PointKey: Int64] = [:]
  /// Points that are being looked at.
  var attended: Set<PointKey> = []
  var alarmClock: (time: Int64, task: Task<Void, Never>)?
  var state = State.new
  /// Whoever waits in `shutdown`.
  var farewell: CheckedContinuation<Void, Never>?
  /// Commands from before the start whose end is not known and could not be recorded.
  var lost: Set<String> = []
  /// Calls of the journal that failed in a row.
  var journalFailures = 0

  /// Commands under way, by id.
  var running: [String: Running] = [:]
  private var unrecorded = RecentResponses()
  private var writes: UInt64 = 0
  private let mark = String(UInt64.random(in: .min ... .max), radix: 16)

  enum State { case new, serving, stopping, stopped }

  struct Running {
    var digest: String
    var waiting: [CheckedContinuation<CommandResponse, Never>] = []
  }

  package init(
    writer: any DeviceWriter, journal: any CommandJournaling, logger: Logger, clock: any TimeSource = SystemTime(),
    executor: ThreadExecutor = ThreadExecutor(name: "control")
  ) {
    self.writer = writer
    self.journal = journal
    self.logger = logger
    self.clock = clock
    self.executor = executor
  }

  package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  /// Carries out a request and answers when its end is known. The same id acts once and is answered again, also while the
  /// first one is under way and after a restart.
  package func submit(_ request: CommandRequest) async -> CommandResponse {
    do throws(CommandStop) {
      try CommandCheck.envelope(request)
      switch state {
      case .new: throw .failed("the host is starting: try again in a moment")
      case .stopping, .stopped: throw .failed("the host is stopping")
      case .serving: break
      }
      if request.dryRun { return await carryOut(request, recorded: false) }
      if let first = running[request.id] { return try await join(first, request) }
      guard running.count < Self.concurrent else { throw .failed("too many commands are under way: try again later") }
      let recorded = try enter(request)
      if case .answered(let response) = recorded { return response }
      running[request.id] = Running(digest: request.digest)
      let response = await carryOut(request, recorded: recorded == .entered)
      if recorded == .entered { finish(response) }
      for waiting in running.removeValue(forKey: request.id)?.waiting ?? [] { waiting.resume(returning: response) }
      rest()
      return response
    } catch {
      return answer(request, error)
    }
  }

  /// Returns when the arbiter's thread comes by.
  package func turn() {}

  /// All live leases, by device, point and owner.
  package func leases() -> [LeaseSnapshot] {
    let (boot, unix) = (clock.boot(), clock.unix())
    return table.keys.sorted { ($0.device.rawValue, $0.point) < ($1.device.rawValue, $1.point) }.flatMap { key in
      let effective = table.effective(key, now: boot)
      return table.leases(key, now: boot).map { lease in
        LeaseSnapshot(
          device: key.device, point: key.point, owner: lease.owner, priority: lease.priority, value: lease.value,
          until: unix + (lease.expiry - boot) / 1_000_000, applies: lease == effective)
      }
    }
  }

  // MARK: The same id again

  private func join(_ first: Running, _ request: CommandRequest) async throws(CommandStop) -> CommandResponse {
    guard first.digest == request.digest else { throw Self.different(request.id) }
    guard first.waiting.count < LaneQueue.longest else { throw .failed("this command is under way already") }
    return await withCheckedContinuation { running[request.id]?.waiting.append($0) }
  }

  private enum Recorded: Equatable {
    case entered, unrecorded
    case answered(CommandResponse)
  }

  private func enter(_ request: CommandRequest) throws(CommandStop) -> Recorded {
    let entry: JournalEntry
    do {
      entry = try journal.enter(
        id: request.id, device: request.device, digest: request.digest, time: clock.unix())
      journalWorks()
    } catch {
      let stop = journalFailed(error)
      // Going back to the safe value is allowed without a record; everything else is not.
      if case .set(_, nil) = request.verb { return .unrecorded }
      throw stop
    }
    switch entry {
    case .new: return .entered
    case .finished(let response): return .answered(response)
    case .different: throw Self.different(request.id)
    case .running:
      if let response = unrecorded[request.id] { return .answered(response) }
      guard !lost.contains(request.id) else {
        throw CommandStop(status: .unknown, reason: nil, text: Self.interrupted)
      }
      // It was entered by a host that ended before anything was sent.
      return .entered
    }
  }

  private func finish(_ response: CommandResponse) {
    do { try journal.finish(id: response.id, response: response) } catch {
      unrecorded.add(response)
      _ = journalFailed(error)
    }
  }

  /// Logs once and makes the answer.
  func journalFailed(_ error: any Error) -> CommandStop {
    journalFailures += 1
    if journalFailures == 1 {
      logger.error(
        "the command journal cannot be written: only releases and safe values are carried out",
        metadata: ["error": "\(error)"])
    }
    return .failed("nothing was sent, the command journal cannot be written: \(error)")
  }

  private func journalWorks() {
    guard journalFailures > 0 else { return }
    logger.notice("the command journal can be written again", metadata: ["failed": "\(journalFailures)"])
    journalFailures = 0
  }

  static let interrupted = "it was sent and the host ended before an answer came"

  private static func different(_ id: String) -> CommandStop {
    .refused(.invalid, "another request had the id '\(id)': every new request needs a new one")
  }

  // MARK: Answers and ids

  func answer(_ request: CommandRequest, _ stop: CommandStop) -> CommandResponse {
    CommandResponse(
      id: request.id, time: clock.unix(), status: stop.status, reason: stop.reason, text: stop.text)
  }

  func unix(ofBoot boot: Int64) -> Int64 { clock.unix() + (boot - clock.boot()) / 1_000_000 }

  /// An id for a write that no request asked for, never used before, also not by an earlier start.
  func ownID(_ purpose: DeviceWrite.Purpose) -> String {
    writes += 1
    return "\(purpose)-\(mark)-\(writes)"
  }
}
