// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarModel
internal import BusbarPlugins
package import BusbarSystem
package import Logging

/// The guard of one link: it alone calls the link's plugin, one call at a time, commands before polls. It never blocks:
/// a call runs on a thread of the pool, and the guard answers and gives up what hangs meanwhile. Between its turns it is
/// an alarm and no task: thousands of guards mostly wait.
///
/// A link that cannot be opened, or whose far end closed, is tried again with back-off; a device that does not answer
/// has a back-off of its own and costs its neighbours nothing but its bounded time-out.
package actor LinkGuard {
  enum Phase: Equatable {
    case closed(retryAt: Int64)
    case open
    /// A call did not return; no further calls until it does.
    case stuck
    /// A person has to act first.
    case attention
  }

  struct DeviceRun {
    let memory: DeviceMemory
    var schedule = PollSchedule()
    var health: DeviceHealth
    var backOff = BackOff()
    /// No poll before this time on the boot clock.
    var holdUntil: Int64 = 0
    /// Polls that gave values nobody can be told of, since the device has no id.
    var anonymous = 0
    /// The plugin has it.
    var added = false
    var loss = LossLog()
    var announced: (state: DeviceState, reason: String?, alarms: [String], at: Int64)?
    /// Points without a value after the last poll.
    var missing = 0
  }

  struct PendingWrite {
    let write: DeviceWrite
    let device: UInt32
    let answer: @Sendable (DeviceWriteResult) -> Void
  }

  struct PendingRead {
    let device: UInt32
    let points: [String]?
    let answer: @Sendable (Result<[Reading.Item], CallResult>) -> Void
  }

  /// A device that is not on the link is read once, and nobody is told.
  struct PendingTrial {
    let device: DevicePlan
    let answer: @Sendable (Result<TrialReading, CallResult>) -> Void
  }

  struct PendingScan {
    let step: ScanRequest
    let answer: @Sendable (ScanResult) -> Void
  }

  package private(set) var plan: LinkPlan
  let connecting: any LinkConnecting
  let observer: any LinkObserver
  let binding: any IdentityBinding
  let logger: Logger
  let events: LinkEvents
  /// Nanoseconds that a call may take, a poll more where its period is longer.
  let patience: Int64

  /// An attempt to open that fails is an end too: its plugin may have asked for timers and wakes.
  var phase = Phase.closed(retryAt: 0) {
    didSet { events.mailbox.setOpen(phase == .open) }
  }
  var connection: (any AdapterConnection)?
  var devices: [UInt32: DeviceRun] = [:]
  var writes: [PendingWrite] = []
  var reads: [PendingRead] = []
  var trials: [PendingTrial] = []
  var scans: [PendingScan] = []
  var backOff = BackOff()
  var reason: String?
  var loss = LossLog()
  var calls = 0
  var overruns = 0
  var opened = 0
  var lastOpened: Int64 = 0
  var lastNumber: UInt32 = 0
  var removals: [UInt32] = []
  var stopping = false
  /// Commands that the plugin ends later, at most; known once it has had one.
  var mostPending = 1
  /// The security profile of OCPP with which the far end came last, as far as it can be seen: 3 a certificate, 2 TLS, 1 a password.
  var profile = 0
  /// Times that the far end connected by itself.
  var connections = 0
  var eventComplaints = LogBudget()
  /// Events since a poll had its turn.
  var eventsInARow = 0
  /// A poll is running: the only call that a command cuts short.
  var polling = false
  /// It was.
  var cutShort = false
  /// Calls that were given up and have not returned; below 0 where one returned before that was noted.
  var hanging = 0
  /// Those among them that hold a thread of the host.
  var lostThreads = 0
  /// The device that is being polled.
  var busy: UInt32?
  /// Whether it has its turn now; between two turns it waits for its alarm or a signal.
  private var isRunning = false
  private var hasStarted = false
  private var hasEnded = false
  private var signalled = false
  private var alarm: TimedExecutor.Alarm?
  /// Who waits for its end.
  private var endings: [@Sendable () -> Void] = []

  /// All guards take turns on one thread: what they do between calls is short.
  package static let executor = TimedExecutor(name: "links")
  package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe Self.executor.asUnownedSerialExecutor() }

  package init(
    plan: LinkPlan, connecting: any LinkConnecting, observer: any LinkObserver, binding: any IdentityBinding,
    logger: Logger, patience: Duration = .seconds(15), recall: any CountRecall = NoRecall(), host: any LinkHost = NoLinkHost(),
    traceCapacity: Int = TraceRing.defaultCapacity
  ) {
    self.plan = plan
    self.patience = patience.nanoseconds
    self.connecting = connecting
    self.observer = observer
    self.binding = binding
    var logger = logger
    logger[metadataKey: "link"] = "\(plan.id)"
    self.logger = logger
    let frames = LinkTrace(capacity: traceCapacity)
    events = LinkEvents(link: plan.id, frames: frames, observer: observer, binding: binding, recall: recall, host: host, logger: logger)
  }

  package func start() {
    events.watchCondition { [weak self] in Self.executor.call { [weak self] in self?.assumeIsolated { $0.lookAtConnection() } } }
    events.mailbox.connect { [weak self] in Self.executor.call { [weak self] in self?.assumeIsolated { $0.signal() } } }
    for device in plan.devices { enter(device) }
    hasStarted = true
    signal()
  }

  /// Returns when the guard comes by, which it does at all times: what blocks runs elsewhere.
  func turn() {}

  /// Ends polling, closes the link within `limit`, and waits for that. A call that hangs beyond it is left alone; the link
  /// is closed when it returns.
  package func stop(within limit: Duration) async {
    stopping = true
    failWaiting("the link is being closed")
    connection?.cancel()
    signal()
    guard hasStarted, !hasEnded else { return }
    await withCheckedContinuation { continuation in
      let end = OneShot<Void>(continuation)
      let timer = Task {
        try? await Task.sleep(for: limit)
        end.give(())
      }
      endings.append {
        timer.cancel()
        end.give(())
      }
    }
  }

  /// Takes a plan that differs in its devices only. Devices that stay are not touched, and where only name, poll or
  /// `write` changed, they go on with it.
  package func update(_ new: LinkPlan) {
    let old = plan.devices
    plan = new
    var entering = new.devices.filter { !old.contains($0) }
    for device in old where !new.devices.contains(device) {
      let number = devices.first { $0.value.memory.plan == device && !removals.contains($0.key) }?.key
      guard let number else { continue }
      if let place = entering.firstIndex(where: { $0.sameDevice(as: device) }) {
        change(number, to: entering.remove(at: place))
      } else {
        removals.append(number)
      }
    }
    for device in entering { enter(device) }
    // The person whom it waited for has acted.
    if phase == .attention { phase = .closed(retryAt: 0) }
    signal()
  }

  /// A plugin appeared or changed: what waits for one tries again.
  package func pluginsChanged() {
    guard phase == .attention, connection == nil else { return }
    phase = .closed(retryAt: 0)
    signal()
  }

  func enqueue(_ write: PendingWrite) {
    guard !stopping else { return write.answer(.failed("the link is being closed")) }
    guard writes.count < 64 else { return write.answer(.failed("64 commands are waiting for this link already")) }
    writes.append(write)
    if polling {
      cutShort = true
      connection?.cancel()
    }
    signal()
  }

  func enqueue(_ read: PendingRead) {
    guard !stopping, reads.count < 64 else {
      return read.answer(.failure(CallResult(failure: .transient, reason: .unspecified, text: "the link is busy")))
    }
    reads.append(read)
    signal()
  }

  func signal() {
    signalled = true
    if !isRunning { Task { await run() } }
  }

  private func enter(_ device: DevicePlan) {
    lastNumber += 1
    let id = device.id ?? binding.id(forKey: device.key)
    let memory = DeviceMemory(device, id: id)
    events[lastNumber] = memory
    var health = DeviceHealth(now: Clock.unixMilliseconds())
    if phase == .stuck { health.stuck(now: Clock.unixMilliseconds()) }
    devices[lastNumber] = DeviceRun(memory: memory, health: health)
    announce(lastNumber)
  }

  private func change(_ number: UInt32, to plan: DevicePlan) {
    guard let memory = devices[number]?.memory else { return }
    memory.with { state in
      state.plan = plan
      state.infoChanged = true
    }
    // Each point gets a place on its new grid.
    devices[number]?.schedule.removeAll()
    if devices[number]?.added == true { schedule(number) }
    announce(number)
  }

  /// One turn: until there is nothing to do. Whoever calls while it has its turn is content with that.
  private func run() async {
    guard hasStarted, !isRunning, !hasEnded else { return }
    isRunning = true
    if let alarm { Self.executor.cancel(alarm) }
    alarm = nil
    while !stopping {
      guard case .idle(let time) = await step(), !stopping else { continue }
      guard !signalled else {
        signalled = false
        continue
      }
      alarm = time.map { time in Self.executor.alarm(at: time) { [weak self] in self?.assumeIsolated { $0.rung() } } }
      isRunning = false
      return
    }
    failWaiting("the link is being closed")
    // Whoever is connected may come back to another link, and pending commands have an end.
    events.mailbox.setOpen(false)
    await closeLink()
    events.frames.finish()
    hasEnded = true
    isRunning = false
    for ending in endings { ending() }
    endings = []
  }

  /// Its alarm has gone off.
  private func rung() {
    alarm = nil
    if !isRunning { Task { await run() } }
  }

  private enum Turn {
    case worked
    /// Nothing is to be done before this time, or before a signal.
    case idle(until: Int64?)
  }

  private func step() async -> Turn {
    if !removals.isEmpty {
      await remove(removals.removeFirst())
      return .worked
    }
    switch phase {
    case .stuck, .attention:
      failWaiting(reason ?? "the link is not open")
      return .idle(until: nil)
    case .closed(let retryAt):
      if retryAt <= Clock.boot() {
        await openLink()
      } else {
        failWaiting(reason ?? "the link is not open")
        return .idle(until: retryAt)
      }
    case .open:
      if !writes.isEmpty, events.mailbox.pending < mostPending {
        await perform(writes.removeFirst())
      } else if mayHandleEvent, let event = events.mailbox.next(now: Clock.boot()) {
        eventsInARow += 1
        await perform(event)
      } else if !reads.isEmpty {
        await perform(reads.removeFirst())
      } else if !trials.isEmpty {
        await perform(trials.removeFirst())
      } else if let (number, due) = nextDevice(), due <= Clock.boot() {
        eventsInARow = 0
        await poll(number)
      } else if !scans.isEmpty {
        // Only while nothing is due: a search holds up no poll but by its running step.
        await perform(scans.removeFirst())
      } else {
        eventsInARow = 0
        return .idle(until: [nextDevice()?.1, events.mailbox.due].compactMap { $0 }.min())
      }
    }
    return .worked
  }

  /// A far end that has much to say leaves polls their turn.
  private var mayHandleEvent: Bool {
    eventsInARow < Self.eventTurn || nextDevice().map { $0.1 > Clock.boot() } ?? true
  }

  private static let eventTurn = 16

  /// The device to poll next, and when: the one whose poll has been due the longest, among equals the first.
  private func nextDevice() -> (UInt32, Int64)? {
    var best: (UInt32, Int64)?
    for (number, device) in devices where device.health.state != .needsAttention {
      // A device that is not added yet is due when its hold is over.
      guard let due = device.added ? device.schedule.next : 0 else { continue }
      let time = max(due, device.holdUntil)
      if best.map({ (time, number) < ($0.1, $0.0) }) ?? true { best = (number, time) }
    }
    return best
  }

  /// What waits for a link that is not there is answered, not kept.
  private func failWaiting(_ text: String) {
    for write in writes { write.answer(.failed(text)) }
    writes = []
    for read in reads { read.answer(.failure(CallResult(failure: .transient, reason: .unspecified, text: text))) }
    reads = []
    failSearching(CallResult(failure: .transient, reason: .unspecified, text: text))
  }
}
