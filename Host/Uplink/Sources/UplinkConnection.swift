// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarModel
internal import BusbarMosquitto
internal import BusbarSystem
internal import Logging

/// One connection to the broker, from CONNECT to its end. It waits in one place, for the socket and for work.
final class UplinkConnection {
  /// How long the broker may take to answer CONNECT, TLS included.
  private static let answerTime: Int64 = 20_000_000_000
  /// How often the library looks after its pings: far less than the shortest keepalive's grace.
  private static let miscPeriod: Int64 = 2_000_000_000

  let context: UplinkContext
  let client: MosquittoClient
  var rate: RateLimit
  /// Set when the broker has accepted.
  var window: Window?
  /// When it did, on the boot clock.
  private(set) var begin: Int64?
  /// On the boot clock: when telemetry that the rate limit held back may go on.
  var rateDeadline: Int64?
  /// The offline status was set and nothing more is taken from the queue.
  var isStopping = false
  var loggedRefusal = false
  var owners = OwnerQuestions()
  var ownerSubscriptions: [Int32: DeviceID] = [:]

  private let accepted: () -> Void
  private var subscriptions: [Int32: String] = [:]
  private var answerDeadline: Int64
  private var nextMisc: Int64 = .max
  /// For work, and the socket.
  private var ready = Poll.Places(2)

  init(_ context: UplinkContext, client: MosquittoClient, rate: RateLimit, accepted: @escaping () -> Void) {
    self.context = context
    self.client = client
    self.rate = rate
    self.accepted = accepted
    answerDeadline = Clock.boot() + Self.answerTime
  }

  var isAccepted: Bool { window != nil }

  /// Returns when the uplink is to stop and did so in order, as far as time allowed.
  func serve() throws(ConnectionFailure) {
    while true {
      try handleEvents()
      if let deadline = context.shared.stopDeadline, try stop(deadline: deadline) { return }
      if isAccepted { try askOwners() }
      try publishAll()
      try wait()
    }
  }

  // MARK: Waiting

  private func wait() throws(ConnectionFailure) {
    guard let socket = client.socket else { throw ConnectionFailure(ended: nil, settings: context.settings) }
    let wakeup = context.shared.wakeup
    let deadline = min(
      answerDeadline, nextMisc, rateDeadline ?? .max, owners.deadline ?? .max, context.shared.stopDeadline ?? .max)
    ready.set(0, wakeup.descriptor.number, .read)
    ready.set(1, socket, client.wantsWrite ? .both : .read)
    ready.wait(until: client.hasDecrypted ? 0 : deadline == .max ? nil : deadline)
    if !ready[0].isEmpty { wakeup.drain() }
    context.shared.turnstile.pass()
    do throws(MosquittoError) {
      if ready[1].contains(.write) { try client.loopWrite() }
      if client.socket != nil, client.hasDecrypted || !ready[1].isDisjoint(with: .readOrBroken) {
        try client.loopRead()
      }
      if client.socket != nil, Clock.boot() >= nextMisc {
        nextMisc = Clock.boot() + Self.miscPeriod
        try client.loopMisc()
      }
    } catch {
      // What the broker said before says more than how the connection ended.
      try handleEvents()
      throw ConnectionFailure(error, settings: context.settings, stage: isAccepted ? .accepted : .awaitingAnswer)
    }
    guard isAccepted || Clock.boot() < answerDeadline else {
      throw ConnectionFailure(
        kind: .unanswered,
        sentence: "\(context.settings) did not answer within \(Self.answerTime / 1_000_000_000) s: check the port and "
          + "whether it is mqtt:// or mqtts:// in uplink.url")
    }
  }

  private func handleEvents() throws(ConnectionFailure) {
    var end: ConnectionFailure?
    for event in client.takeEvents() {
      switch event {
      case .connected(.success, let receiveMaximum): try start(receiveMaximum: receiveMaximum)
      case .connected(let reason, _): end = ConnectionFailure(refused: reason, settings: context.settings)
      case .disconnected(let reason):
        if end == nil, reason != nil { end = ConnectionFailure(ended: reason, settings: context.settings) }
      case .published(let identifier, let reason): finished(identifier, reason)
      case .subscribed(let identifier, let reason): noteSubscription(identifier, reason)
      case .message(let message): try receive(message)
      }
    }
    if let end { throw end }
  }

  // MARK: Beginning and end

  private func start(receiveMaximum: Int) throws(ConnectionFailure) {
    window = Window(receiveMaximum: receiveMaximum)
    begin = Clock.boot()
    answerDeadline = .max
    nextMisc = Clock.boot() + Self.miscPeriod
    context.shared.enter(.connected, reason: nil, version: client.version)
    accepted()
    let minimal = context.payloads.gatewayStatus(
      online: true, identity: context.identity, time: Clock.unixMilliseconds())
    context.shared.with { state in
      if !state.states.contains(.gatewayStatus) { _ = state.states.set(.gatewayStatus, minimal) }
      state.states.reconnected()
    }
    do throws(MosquittoError) {
      for filter in context.topics.subscriptions(
        acknowledgement: context.settings.acknowledgement, authorizes: context.settings.authorizes) {
        subscriptions[try client.subscribe(filter)] = filter
      }
    } catch {
      throw ConnectionFailure(error, settings: context.settings, stage: .accepted)
    }
  }

  private func noteSubscription(_ identifier: Int32, _ reason: ReasonCode) {
    if noteOwnerSubscription(identifier, reason) { return }
    guard let filter = subscriptions.removeValue(forKey: identifier), reason.isRefusal else { return }
    let sentence = "the broker does not let this host subscribe to \(filter), so nothing arrives from there: "
      + "check the rights of \(context.settings.username.map { "user '\($0)'" } ?? "hosts without a user name")"
    context.shared.enter(.connected, reason: sentence, version: client.version)
    context.logger.warning("\(sentence)")
  }

  /// Whether everything that a stop can wait for is done.
  private func stop(deadline: Int64) throws(ConnectionFailure) -> Bool {
    guard let window else { return true }
    if !isStopping {
      isStopping = true
      let offline = context.payloads.gatewayStatus(
        online: false, identity: context.identity, time: Clock.unixMilliseconds())
      context.shared.with { _ = $0.states.set(.gatewayStatus, offline) }
    }
    let isDone = window.isEmpty && context.shared.with { !$0.states.hasPending && $0.ephemeral.isEmpty }
    guard isDone || Clock.boot() >= deadline else { return false }
    do throws(MosquittoError) {
      try client.disconnect()
      while client.wantsWrite, let socket = client.socket, Clock.boot() < deadline {
        _ = Poll.wait([(socket, .write)], until: deadline)
        try client.loopWrite()
      }
    } catch {
      context.logger.notice("the connection to \(context.settings) ended before it could be closed in order")
    }
    return true
  }
}
