// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// What waits for a time. A task that sleeps keeps its place until then, also when nobody wants it any more, and a case about growth
/// would take that for the plugin's.
let alarms = TimedExecutor(name: "alarms")

/// A link whose far end connects by itself, as a host leads it: calls and events go to the plugin one at a time, in their order, and what
/// the plugin asks of its host meanwhile is done here.
///
/// Bounded in number as the host's are: 64 messages wait, and behind 16 the far end has to wait.
final class Visit: Sendable {
  /// What the plugin is called for.
  enum Job {
    case call(@Sendable (_ done: @escaping @Sendable () -> Void) -> Void)
    case event(LinkEvent, (any WebSocketSending)?)
  }

  /// A command that the plugin ends later.
  struct Pending {
    var answer: @Sendable (CommandResult) -> Void
    var alarm: TimedExecutor.Alarm
  }

  /// One of the plugin's, and which: an older one of the same tag may just be ringing.
  struct Timer {
    var alarm: TimedExecutor.Alarm
    var serial: UInt64
  }

  struct State {
    var inner: (any AdapterConnection)?
    var jobs: [Job] = []
    var isBusy = false
    /// The plugin's side exists: timers and wakes have a meaning. Open: so have connections.
    var isAlive = false
    var isOpen = false
    /// The newest connection, and the one that the plugin knows of.
    var newest: (any WebSocketSending)?
    var newestPeer: SocketPeer?
    var told: (any WebSocketSending)?
    var isPaused = false
    /// When somebody was sent here who has not arrived yet.
    var invitedAt: Int64 = 0
    var timers: [UInt64: Timer] = [:]
    var lastTimer: UInt64 = 0
    var commands: [UInt64: Pending] = [:]
    /// Ends of commands that came before their calls returned.
    var early: [UInt64: CommandResult] = [:]
    var isCommanding = false
    var eventTime = Duration.seconds(5)
    /// Events and calls that have ended, and messages among them.
    var happened = 0
    var messages = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter = 0
  }

  static let mostMessages = 64
  static let pauseBehind = 16

  let door: VisitorDoor
  let peer: HostileVisitor?
  let told: Told
  let state = Mutex(State())

  init(at door: VisitorDoor, _ peer: HostileVisitor?, _ told: Told) {
    self.door = door
    self.peer = peer
    self.told = told
  }

  /// What the calls go to. Once, before the first.
  func lead(to inner: any AdapterConnection) { state.withLock { $0.inner = inner } }

  /// How long an event may take.
  var eventTime: Duration {
    get { state.withLock { $0.eventTime } }
    set { state.withLock { $0.eventTime = newValue } }
  }

  /// The plugin knows of somebody.
  var isConnected: Bool { state.withLock { $0.told != nil } }

  // MARK: One at a time

  func put(_ job: Job) {
    state.withLock { $0.jobs.append(job) }
    advance()
  }

  /// An event that is about no connection.
  func put(_ event: LinkEvent) {
    let isWanted = state.withLock { state in
      // One of a kind is enough.
      state.isAlive && !state.jobs.contains { if case .event(event, _) = $0 { true } else { false } }
    }
    if isWanted { put(.event(event, nil)) }
  }

  private func advance() {
    let job = state.withLock { state -> Job? in
      guard !state.isBusy, !state.jobs.isEmpty else { return nil }
      state.isBusy = true
      let job = state.jobs.removeFirst()
      if case .event(let event, let connection) = job {
        if case .opened = event { state.told = connection }
        if case .closed = event { state.told = nil }
      }
      return job
    }
    switch job {
    case .call(let run): run { self.ended() }
    case .event(let event, let connection): deliver(event, connection)
    case nil: break
    }
  }

  private func deliver(_ event: LinkEvent, _ connection: (any WebSocketSending)?) {
    // After the end of the link nothing comes any more.
    guard let inner = state.withLock({ $0.isAlive ? $0.inner : nil }) else { return ended() }
    let isMessage = if case .message = event { true } else { false }
    told.hears(isMessage)
    inner.event(event, deadline: later(eventTime)) { [self] result in
      told.hears(false)
      if case .opened = event, result.failure != nil { connection?.close(code: 1008, reason: "refused") }
      if isMessage { state.withLock { $0.messages += 1 } }
      resume()
      ended()
    }
  }

  /// The far end may send again.
  private func resume() {
    let connection = state.withLock { state -> (any WebSocketSending)? in
      guard state.isPaused, state.jobs.count <= Self.pauseBehind / 4 else { return nil }
      state.isPaused = false
      return state.newest
    }
    connection?.pauseReading(false)
  }

  private func ended() {
    let waiters = state.withLock { state in
      state.isBusy = false
      state.happened += 1
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
    advance()
  }

  /// Everything that was put before has been handed over.
  func drain() async {
    await withCheckedContinuation { drained in
      put(
        .call { done in
          done()
          drained.resume()
        })
    }
  }

  // MARK: Waiting

  var happened: Int { state.withLock { $0.happened } }
  var messages: Int { state.withLock { $0.messages } }

  /// Waits until so many messages were handed over, or until the deadline.
  func hear(_ wanted: Int, until deadline: Int64) async {
    var count = happened
    while messages < wanted, Clock.boot() < deadline { count = await change(since: count, until: deadline) }
  }

  /// Waits until something has happened since `count`, or until the deadline. What has happened by then.
  func change(since count: Int, until deadline: Int64) async -> Int {
    let alarm = Mutex<TimedExecutor.Alarm?>(nil)
    await withCheckedContinuation { continuation in
      let number = state.withLock { state -> Int? in
        guard state.happened == count else { return nil }
        state.lastWaiter += 1
        state.waiters[state.lastWaiter] = continuation
        return state.lastWaiter
      }
      guard let number else { return continuation.resume() }
      alarm.withLock { alarm in
        alarm = alarms.alarm(at: deadline) { self.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume() }
      }
    }
    if let alarm = alarm.withLock({ $0 }) { alarms.cancel(alarm) }
    return happened
  }
}
