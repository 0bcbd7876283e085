// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarMosquitto
internal import BusbarSystem
internal import Synchronization

/// What the uplink's thread shares with everybody else.
final class UplinkShared: Sendable {
  struct State {
    var status: UplinkStatus
    var states = RetainedStates()
    var ephemeral = EphemeralMessages()
    var unclaimed = UnclaimedAnswers()
    var commandsUnderWay = 0
    /// On the boot clock; nil = go on.
    var stopDeadline: Int64?
    var isRunning = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  let wakeup = Wakeup()
  let turnstile = Turnstile()
  private let state: Mutex<State>

  init() {
    state = Mutex(State(status: UplinkStatus(state: .disconnected, since: Clock.unixMilliseconds())))
  }

  func with<T: Sendable>(_ body: (inout sending State) -> sending T) -> T { state.withLock(body) }

  var stopDeadline: Int64? { with { $0.stopDeadline } }

  func count(_ counter: any WritableKeyPath<UplinkStatus.Counters, Int> & Sendable) {
    with { $0.status.counters[keyPath: counter] += 1 }
  }

  func enter(_ new: UplinkStatus.State, reason: String?, version: MQTTVersion? = nil) {
    let now = Clock.unixMilliseconds()
    with { state in
      if state.status.state != new { state.status.since = now }
      state.status.state = new
      state.status.reason = reason
      state.status.version = version
    }
  }

  func setState(_ topic: StateTopic, _ payload: [UInt8]) {
    let changed = with { state in
      // The last word on the host's own status is "offline".
      guard state.stopDeadline == nil || topic != .gatewayStatus else { return false }
      return state.states.set(topic, payload)
    }
    if changed { wakeup.wake() }
  }

  func send(_ messages: [EphemeralMessage]) {
    with { state in
      for message in messages { state.ephemeral.add(message) }
      state.status.counters.droppedResponses = state.ephemeral.dropped
    }
    wakeup.wake()
  }

  /// Whether this host tells of the device.
  func has(_ device: DeviceID) -> Bool { with { $0.states.contains(.deviceStatus(device)) } }

  /// Sent when nobody else turns out to have the device.
  func sendUnlessElsewhere(_ device: DeviceID, _ messages: [EphemeralMessage]) {
    with { state in
      if !state.unclaimed.add(device, messages) { state.status.counters.droppedResponses += 1 }
    }
    wakeup.wake()
  }

  // MARK: The end

  func requestStop(deadline: Int64) {
    with { $0.stopDeadline = $0.stopDeadline ?? deadline }
    wakeup.wake()
  }

  /// Resumes when the thread has ended, or at once where it does not run.
  func addWaiting(_ continuation: CheckedContinuation<Void, Never>) {
    let isRunning = with { state in
      if state.isRunning { state.waiting.append(continuation) }
      return state.isRunning
    }
    if !isRunning { continuation.resume() }
  }

  func releaseWaiting() {
    let waiting = with { state in
      defer { state.waiting.removeAll() }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}

/// The place of one command among those under way; freed by its first answer, or when nobody can answer any more.
final class CommandSlot: Sendable {
  private let shared: UplinkShared
  private let isFree = Mutex(false)

  /// Nil where `limit` commands are under way already.
  init?(_ shared: UplinkShared, limit: Int) {
    self.shared = shared
    let taken = shared.with { state in
      guard state.commandsUnderWay < limit else { return false }
      state.commandsUnderWay += 1
      return true
    }
    guard taken else { return nil }
  }

  deinit { free() }

  func free() {
    let first = isFree.withLock { isFree in
      defer { isFree = true }
      return !isFree
    }
    if first { shared.with { $0.commandsUnderWay -= 1 } }
  }
}
