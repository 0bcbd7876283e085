// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import Synchronization

/// What waits for a time. A task that sleeps keeps its place until then, also when nobody wants it any more, and a case about growth
/// would take that for the plugin's.
let alarms = TimedExecutor(name: "alarms")

/// A link whose far end connects by itself, as a host leads it: what comes waits in the same mailbox, and the plugin has one call or
/// event at a time. A command does not wait for events; what else a case calls waits for those that came before it.
final class Visit: Sendable {
  struct Call {
    var run: @Sendable (_ done: @escaping @Sendable () -> Void) -> Void
    /// Events that go before it, of all that the mailbox hands out.
    var events: Int
  }

  struct State {
    var inner: (any AdapterConnection)?
    var calls: [Call] = []
    /// Something is with the plugin, or is being looked for.
    var isBusy = false
    /// Something has come since.
    var isSignalled = false
    /// Goes off when the mailbox has something.
    var alarm: TimedExecutor.Alarm?
    /// Who was sent here last.
    var visitor: VisitReceiver?
    var eventTime = Duration.seconds(5)
    /// Events and calls that have ended, and messages among them.
    var happened = 0
    var messages = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter = 0
  }

  let door: VisitorDoor
  let peer: HostileVisitor?
  let told: Told
  let mailbox = LinkMailbox(trace: nil, desk: CheckDesk())
  let state = Mutex(State())

  init(at door: VisitorDoor, _ peer: HostileVisitor?, _ told: Told) {
    self.door = door
    self.peer = peer
    self.told = told
    // Whoever puts something in may hold locks.
    mailbox.connect { [weak self] in alarms.call { [weak self] in self?.advance() } }
  }

  /// What the calls go to. Once, before the first.
  func lead(to inner: any AdapterConnection) { state.withLock { $0.inner = inner } }

  /// How long an event may take.
  var eventTime: Duration {
    get { state.withLock { $0.eventTime } }
    set { state.withLock { $0.eventTime = newValue } }
  }

  // MARK: One at a time

  /// What `run` does ends with `done`.
  func put(beforeEvents: Bool = false, _ run: @escaping @Sendable (_ done: @escaping @Sendable () -> Void) -> Void) {
    let call = Call(run: run, events: beforeEvents ? 0 : mailbox.progress.all)
    state.withLock { state in
      // One that does not wait does not wait behind those that do either.
      state.calls.insert(call, at: state.calls.firstIndex { $0.events > call.events } ?? state.calls.endIndex)
    }
    advance()
  }

  /// Whoever comes while the plugin has something leaves what is next to whoever ends that.
  private func advance() {
    guard state.withLock({ $0.begin() }) else { return }
    repeat {
      let taken = mailbox.progress.taken
      if let call = state.withLock({ $0.nextCall(taken) }) { return call.run { self.ended() } }
      if let event = mailbox.next(now: Clock.boot()) { return deliver(event) }
    } while !rest()
  }

  /// Leaves the plugin alone until the mailbox has something. False where something has come meanwhile.
  private func rest() -> Bool {
    let due = mailbox.due
    return state.withLock { state in
      // Events that went before a call may have been taken back.
      for index in state.calls.indices { state.calls[index].events = 0 }
      guard !state.isSignalled, state.calls.isEmpty else {
        state.isSignalled = false
        return false
      }
      state.isBusy = false
      if let alarm = state.alarm { alarms.cancel(alarm) }
      state.alarm = due.map { time in alarms.alarm(at: time) { [weak self] in self?.advance() } }
      return true
    }
  }

  private func deliver(_ event: LinkEvent) {
    guard let inner = state.withLock({ $0.inner }) else { return ended() }
    let isMessage = if case .message = event { true } else { false }
    told.hears(isMessage)
    inner.event(event, deadline: later(eventTime)) { [self] result in
      told.hears(false)
      if case .opened = event, result.failure != nil { mailbox.close(code: 1008, reason: "refused") }
      if isMessage { state.withLock { $0.messages += 1 } }
      ended()
    }
  }

  private func ended() {
    state.withLock { $0.isBusy = false }
    stir()
    advance()
  }

  /// Whoever waits for something looks whether it has happened.
  func stir() {
    let waiters = state.withLock { state in
      state.happened += 1
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Everything that was waiting has been handed over.
  func drain() async {
    await withCheckedContinuation { drained in
      put { done in
        done()
        drained.resume()
      }
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

extension Visit.State {
  /// False where somebody else is at it, who looks again.
  fileprivate mutating func begin() -> Bool {
    isSignalled = isBusy
    isBusy = true
    return !isSignalled
  }

  fileprivate mutating func nextCall(_ taken: Int) -> Visit.Call? {
    guard let call = calls.first, call.events <= taken else { return nil }
    return calls.removeFirst()
  }
}
