// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Logging
internal import Synchronization

/// Lets the first of several answers through.
final class OneShot<Answer: Sendable>: Sendable {
  private let continuation: Mutex<CheckedContinuation<Answer, Never>?>

  init(_ continuation: CheckedContinuation<Answer, Never>) { self.continuation = Mutex(continuation) }

  /// False where an answer was given before.
  @discardableResult
  func give(_ answer: Answer) -> Bool {
    guard let waiting = continuation.withLock({ $0.take() }) else { return false }
    waiting.resume(returning: answer)
    return true
  }
}

extension LinkGuard {
  private static let longestPoll: Int64 = 60_000_000_000
  /// How long a far end that connects by itself may take until it counts as away, nanoseconds.
  private static let arrivalTime: Int64 = 30_000_000_000

  /// Runs one call with its deadline. Nil = it did not return within its grace: the link is stuck.
  func call<Answer: Sendable>(
    _ connection: any AdapterConnection, until deadline: Int64,
    _ begin: (_ completion: @escaping @Sendable (Answer) -> Void) -> Void
  ) async -> Answer? {
    calls += 1
    let started = Clock.boot()
    // A quarter of the time, at least a second (contract, section 8).
    let grace = max(1_000_000_000, (deadline - started) / 4)
    // What calls back wakes the guard's thread and no other.
    let answer: Answer? = await withTaskExecutorPreference(Self.executor) {
      await withCheckedContinuation { continuation in
        let shot = OneShot<Answer?>(continuation)
        let alarm = Self.executor.alarm(at: deadline + grace) { shot.give(nil) }
        begin { answer in
          Self.executor.cancel(alarm)
          if !shot.give(answer) { Task { await self.returned() } }
        }
      }
    }
    if Clock.boot() > deadline { overruns += 1 }
    if answer == nil { becomeStuck(connection) }
    lookAtConnection()
    return answer
  }

  /// The plugin's process may have ended, or a newer plugin takes its place.
  func lookAtConnection() {
    guard phase == .open, let looked = connection else { return }
    switch looked.condition {
    case .usable: return
    case .replaced: phase = .closed(retryAt: Clock.boot())
    case .ended(let why):
      connection = nil
      looked.retire()
      reason = why
      let result = CallResult(failure: .transient, reason: .closed, text: why)
      if loss.failed(DeviceHealth.errorName(result), now: Clock.boot()) {
        logger.warning("link lost its plugin", metadata: ["reason": "\(why)"])
      }
      for number in devices.keys.sorted() {
        devices[number]?.added = false
        // What is being polled is told of where the poll ends.
        guard number != busy else { continue }
        devices[number]?.health.failed(result, took: nil, now: Clock.unixMilliseconds())
        publishBad(number, .comm, points: devices[number]?.schedule.all)
        faultWhereOffline(number)
        announce(number)
      }
      // Whoever starts the plugin's process anew sees to the pause.
      phase = .closed(retryAt: Clock.boot())
    }
    signal()
  }

  private func becomeStuck(_ connection: any AdapterConnection) {
    hanging += 1
    guard hanging > 0 else { return phase = .closed(retryAt: Clock.boot()) }
    phase = .stuck
    reason = "a call of the plugin did not return in time"
    logger.error("plugin call did not return: the link is given up until it does")
    for number in devices.keys {
      devices[number]?.health.stuck(now: Clock.unixMilliseconds())
      publishBad(number, .comm, points: devices[number]?.schedule.all)
      announce(number)
    }
    guard connection.giveUp() else { return }
    lostThreads += 1
    observer.threadLost(LostThreads.change(by: 1))
  }

  /// A call that was given up came back after all: the link starts over.
  private func returned() async {
    hanging -= 1
    guard hanging == 0 else { return }
    if lostThreads > 0 {
      lostThreads -= 1
      _ = LostThreads.change(by: -1)
    }
    logger.notice("plugin call returned after all: the link starts over")
    phase = .closed(retryAt: Clock.boot())
    signal()
    if stopping { await closeLink() }
  }

  func openLink() async {
    await closeLink()
    guard phase != .stuck, !stopping else { return }
    let opening: any AdapterConnection
    do throws(PluginFile.Refusal) {
      opening = try await connecting.connect(plan, events: events)
    } catch {
      return await linkFailed(CallResult(failure: .config, reason: .unspecified, text: error.message))
    }
    // What was never opened is not closed.
    guard !stopping else { return opening.retire() }
    connection = opening
    events.mailbox.prepare()
    let deadline = Clock.boot() + patience
    let answer: CallResult? = await call(opening, until: deadline) { opening.open(deadline: deadline, completion: $0) }
    guard let result = answer else { return }
    guard result.failure == nil else { return await linkFailed(result) }
    phase = .open
    opened += 1
    lastOpened = Clock.boot()
    if let back = loss.succeeded(now: lastOpened) {
      logger.notice("link is open again", metadata: ["failed": "\(back.failures)", "losses": "\(back.losses)"])
    }
    reason = nil
    for number in devices.keys {
      devices[number]?.health.linkOpened(now: Clock.unixMilliseconds())
      if opened > 1 { devices[number]?.health.reconnected() }
    }
  }

  private func linkFailed(_ result: CallResult) async {
    guard !stopping else { return }
    let now = Clock.boot()
    if loss.failed(DeviceHealth.errorName(result), now: now) {
      logger.warning("link cannot be opened", metadata: ["reason": "\(result.text)"])
    }
    reason = result.text
    for number in devices.keys.sorted() {
      devices[number]?.health.failed(result, took: nil, now: Clock.unixMilliseconds())
      publishBad(number, DeviceHealth.badReason(result))
      faultWhereOffline(number)
      announce(number)
    }
    switch result.failure {
    case .config, .auth, .unsupported: phase = .attention
    default:
      let ended = if case .ended = connection?.condition { true } else { false }
      phase = .closed(retryAt: ended ? now : now + backOff.next(random: .random(in: 0...1)))
    }
    await closeLink()
  }

  func deliver(
    _ command: AdapterCommand, _ deadline: Int64, _ connection: any AdapterConnection
  ) async -> CommandResult? {
    events.mailbox.commandBegins()
    return await call(connection, until: deadline) { connection.command(command, deadline: deadline, completion: $0) }
  }

  func closeLink() async {
    guard phase != .stuck, let closing = connection else { return }
    connection = nil
    for number in devices.keys { devices[number]?.added = false }
    let deadline = Clock.boot() + 2_000_000_000
    let _: CallResult? = await call(closing, until: deadline) { closing.close(deadline: deadline, completion: $0) }
    closing.retire()
  }

  func remove(_ number: UInt32) async {
    if let connection, phase == .open, devices[number]?.added == true {
      let deadline = Clock.boot() + patience
      let _: CallResult? = await call(connection, until: deadline) { connection.remove(number, deadline: deadline, completion: $0) }
    }
    if let id = devices[number]?.memory.id {
      logger.notice("device removed", metadata: ["device": "\(id)"])
    }
    devices[number] = nil
    events[number] = nil
  }

  func add(_ number: UInt32) async {
    guard let connection, let memory = devices[number]?.memory else { return }
    let setup = DeviceSetup(
      number: number, name: memory.id?.rawValue ?? memory.plan.name, config: memory.plan.config,
      templateBody: memory.plan.templateBody)
    let deadline = Clock.boot() + patience
    // The plugin numbers the points anew each time the device is added.
    memory.with { $0.renumbered = true }
    let answer: CallResult? = await call(connection, until: deadline) { connection.add(setup, deadline: deadline, completion: $0) }
    guard let result = answer else { return }
    devices[number]?.schedule.removeAll()
    schedule(number)
    guard result.failure == nil else {
      publishBad(number, DeviceHealth.badReason(result))
      return deviceFailed(number, result, took: nil)
    }
    devices[number]?.added = true
  }

  func schedule(_ number: UInt32) {
    guard let memory = devices[number]?.memory else { return }
    let points = memory.with { $0.points }
    devices[number]?.schedule.declare(points, plan: memory.plan.poll, phase: memory.plan.phase, now: Clock.boot())
  }

  func poll(_ number: UInt32) async {
    if devices[number]?.added == false { await add(number) }
    guard let device = devices[number], device.added, phase == .open else { return }
    _ = await pollNow(number, due: device.schedule.due(at: Clock.boot()))
  }

  /// Nil = nothing was asked, or the call did not return.
  func pollNow(_ number: UInt32, due: [UInt32]) async -> CallResult? {
    guard let connection, let device = devices[number], !due.isEmpty else { return nil }
    if plan.isVisited, !events.mailbox.isConnected {
      cutShort = false
      // After the start of a host everybody comes again; who is not there at once is not gone.
      let waited = connections == 0 ? lastOpened + Self.arrivalTime : 0
      if waited > Clock.boot() {
        devices[number]?.holdUntil = waited
        return CallResult(failure: .transient, reason: .closed, text: "it has not connected to the listener yet")
      }
      let away = CallResult(failure: .transient, reason: .closed, text: "it is not connected to the listener")
      // Its points were told to be missing when it left.
      if device.health.failuresInARow == 0 || device.health.failuresInARow >= DeviceHealth.patience {
        publishBad(number, .comm, points: due)
      }
      deviceFailed(number, away, took: nil)
      // Whether it stays away is seen soon, however seldom it is read.
      if let failures = devices[number]?.health.failuresInARow, failures < DeviceHealth.patience { devices[number]?.schedule.hurry() }
      return away
    }
    let started = Clock.boot()
    let period = device.schedule.shortest ?? 0
    let deadline = started + min(Self.longestPoll, max(patience, period))
    device.memory.with { state in
      state.polled = []
      state.judge.beginPoll()
    }
    polling = true
    busy = number
    cutShort = false
    let answer: CallResult? = await call(connection, until: deadline) {
      connection.poll(number, due: due, deadline: deadline, completion: $0)
    }
    polling = false
    busy = nil
    guard let result = answer, devices[number] != nil else { return nil }
    let took = Clock.boot() - started
    let items = device.memory.with { $0.polled }
    schedule(number)
    // What was cut short says nothing about the device. For a command it is still due.
    if stopping, result.failure != nil { return result }
    if cutShort, result.failure == .cancelled || (result.failure == nil && items.isEmpty) { return result }
    if result.failure != nil {
      devices[number]?.schedule.polled(due, at: Clock.boot())
      let missing = missing(number, of: due, in: items)
      if !missing.isEmpty { publishBad(number, DeviceHealth.badReason(result), points: Array(missing)) }
      deviceFailed(number, result, took: took)
      return result
    }
    polled(number, due: due, items: items, took: took)
    return result
  }

  private func polled(_ number: UInt32, due: [UInt32], items: [Reading.Item], took: Int64) {
    guard let memory = devices[number]?.memory else { return }
    // A poll that was cut short for a command leaves the rest due.
    let leftOut = missing(number, of: due, in: items)
    let asked = cutShort ? due.filter { !leftOut.contains($0) } : due
    devices[number]?.schedule.polled(asked, leftOut: leftOut, at: Clock.boot())
    let (stale, notices) = memory.with { $0.judge.endPoll(due: asked) }
    if !stale.isEmpty { publishBad(number, .stale, points: stale) }
    if !notices.isEmpty { events.tell(notices, number, memory) }
    backOff.reset()
    // A value that the device says it does not have is missing, and the device well; unless it has none at all.
    let (known, missing) = memory.latestCount
    let failing = missing.filter { $0.quality != .bad(.device) }
    let bad = missing.count == known ? missing : failing
    let isAnonymous = memory.id == nil
    let (first, anonymous) = change(number) { device in
      let first = !device.health.everAnswered
      device.backOff.reset()
      device.holdUntil = 0
      device.missing = missing.count
      device.health.answered(
        asked: known, bad: bad.count, example: bad.lazy.map(\.point.name).min(), took: took,
        period: device.schedule.shortest, now: Clock.unixMilliseconds())
      if isAnonymous { device.anonymous += 1 }
      return (first, device.anonymous)
    } ?? (false, 0)
    memory.with { $0.known = true }
    if isAnonymous {
      guard anonymous < 3 else {
        let text = "the device tells no serial number to make an id of: give it an `id` in the configuration"
        return deviceFailed(number, CallResult(failure: .config, reason: .unspecified, text: text), took: nil)
      }
    }
    let back = devices[number]?.loss.succeeded(now: Clock.boot())
    if first || back != nil {
      var facts: Logger.Metadata = ["device": "\(memory.id?.rawValue ?? memory.plan.name)"]
      if let back {
        facts["failed"] = "\(back.failures)"
        facts["losses"] = "\(back.losses)"
      }
      logger.notice(first ? "device answers" : "device answers again", metadata: facts)
    }
    communicationFault(number, active: false, "")
    announce(number)
  }

  /// Changes it where it lies: each step through the dictionary's own subscript would allocate.
  private func change<Result>(_ number: UInt32, _ change: (inout DeviceRun) -> Result) -> Result? {
    devices.index(forKey: number).map { change(&devices.values[$0]) }
  }

  /// The points of `due` that are not among the items.
  private func missing(_ number: UInt32, of due: [UInt32], in items: [Reading.Item]) -> Set<UInt32> {
    guard let memory = devices[number]?.memory else { return [] }
    let delivered = Set(items.lazy.map(\.point.name))
    var missing = Set(due)
    memory.with { state in
      for (id, point) in state.points where delivered.contains(point.name) { missing.remove(id) }
    }
    return missing
  }

  func deviceFailed(_ number: UInt32, _ result: CallResult, took: Int64?) {
    guard let memory = devices[number]?.memory else { return }
    devices[number]?.health.failed(result, took: took, now: Clock.unixMilliseconds())
    let health = devices[number]?.health
    if let health, devices[number]?.loss.failed(health.state.rawValue, now: Clock.boot()) == true {
      logger.warning(
        "device \(health.state == .needsAttention ? "needs attention" : "does not answer")",
        metadata: ["device": "\(memory.id?.rawValue ?? memory.plan.name)", "reason": "\(health.reason ?? "")"])
    }
    let pause = devices[number]?.backOff.next(random: .random(in: 0...1)) ?? 0
    devices[number]?.holdUntil = Clock.boot() + pause
    faultWhereOffline(number)
    announce(number)
    let deadLine = devices.values.allSatisfy {
      $0.health.state == .needsAttention || $0.health.failuresInARow >= DeviceHealth.patience
    }
    // Who connects by itself is waited for.
    guard !plan.isVisited else { return }
    if result.reason == .closed || (deadLine && result.reason == .timeout) { reopen() }
  }

  /// The connection is dead or does nothing any more: a new one, at once where the old one had lived a while.
  func reopen() {
    guard phase == .open else { return }
    let lived = Clock.boot() - lastOpened
    let pause = lived > 10_000_000_000 ? 0 : backOff.next(random: .random(in: 0...1))
    phase = .closed(retryAt: Clock.boot() + pause)
  }

  private func faultWhereOffline(_ number: UInt32) {
    guard let health = devices[number]?.health, health.state == .offline else { return }
    communicationFault(number, active: true, health.reason ?? "")
  }

  private func communicationFault(_ number: UInt32, active: Bool, _ text: String) {
    events.problem(number, name: "CommunicationFault", active: active, text: text)
  }
}

/// Threads of this process that hang in a plugin's call.
enum LostThreads {
  private static let count = Mutex(0)

  static func change(by amount: Int) -> Int {
    count.withLock { count in
      count = max(0, count + amount)
      return count
    }
  }
}
