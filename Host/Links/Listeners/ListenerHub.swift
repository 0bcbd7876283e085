// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarOpenSSL
internal import BusbarPlugins
internal import BusbarSystem
package import BusbarTransports
package import Logging
internal import Synchronization

/// The host's listeners: who connects is judged and brought to its link.
///
/// `ws://HOST:PORT/LISTENER/IDENTITY` leads to the link whose endpoint is `listener:LISTENER/IDENTITY`. Who is not known is told
/// so (404) and becomes a candidate; whose password is wrong is refused (401), more and more slowly (429); a link whose plugin
/// is not there is busy (503).
package final class ListenerHub: Sendable {
  private struct Open {
    var plan: ListenerPlan
    var listener: WebSocketListener
    /// Why its certificate could not be read again; empty where it could.
    var complaint = ""
  }

  /// One that could not be opened, and is tried again.
  private struct Waiting {
    var plan: ListenerPlan
    var problem = ""
    var pause: BackOff
    var retry: Task<Void, Never>?
  }

  private struct Seat {
    var mailbox: LinkMailbox
    var adapter: String
  }

  private struct State {
    var plans: [ListenerPlan] = []
    var open: [String: Open] = [:]
    var waiting: [String: Waiting] = [:]
    /// The last opening or closing: one waits for the one before it.
    var turn: Task<Void, Never>?
    var onChange: (@Sendable () -> Void)?
    var seats: [StreamEndpoint.Visitor: Seat] = [:]
    /// By adapter.
    var subprotocols: [String: [String]] = [:]
    var refusals = RefusalBudget()
    var lines = LogBudget()
  }

  private let state = Mutex(State())
  private let keeper: any DoorKeeper
  private let logger: Logger
  private let pause: BackOff

  /// `pause`: between attempts to open a listener.
  package init(keeper: any DoorKeeper, logger: Logger, pause: BackOff = BackOff()) {
    self.keeper = keeper
    self.logger = logger
    self.pause = pause
  }

  /// `onChange` is called where a listener opened, could not be opened or was closed.
  package func connect(onChange: @escaping @Sendable () -> Void) { state.withLock { $0.onChange = onChange } }

  /// How the planned listeners are, in the order of their plans.
  package var listeners: [ListenerState] {
    state.withLock { state in
      state.plans.map { plan in
        ListenerState(
          name: plan.name, address: "\(plan.host):\(state.open[plan.name]?.listener.port ?? plan.port)",
          problem: state.open[plan.name] != nil ? nil : state.waiting[plan.name]?.problem ?? "it is being opened")
      }
    }
  }

  /// Makes the listeners be as planned: those that did not change go on, with their connections. One that cannot be opened is tried
  /// again, also when the same plans come again.
  package func apply(_ plans: [ListenerPlan]) async {
    await inOrder { await self.carryOut(plans) }
    state.withLock { $0.onChange }?()
  }

  private func inOrder(_ body: @escaping @Sendable () async -> Void) async {
    let task = state.withLock { state in
      let task = Task { [before = state.turn] in
        await before?.value
        await body()
      }
      state.turn = task
      return task
    }
    await task.value
  }

  private func carryOut(_ plans: [ListenerPlan]) async {
    let ending = state.withLock { state in
      state.plans = plans
      for (name, waiting) in state.waiting where !plans.contains(waiting.plan) {
        waiting.retry?.cancel()
        state.waiting[name] = nil
      }
      let ending = state.open.values.filter { !plans.contains($0.plan) }
      for open in ending { state.open[open.plan.name] = nil }
      return ending
    }
    for open in ending {
      await open.listener.stop()
      for mailbox in mailboxes(of: open.plan.name) { mailbox.drop(code: 1001, reason: "the listener is closed") }
    }
    for plan in plans where state.withLock({ $0.open[plan.name] == nil }) { await open(plan) }
  }

  private func open(_ plan: ListenerPlan) async {
    do throws(TransportError) {
      let tls = try plan.tls?.settings()
      let listener = try await WebSocketListener.listen(
        host: plan.host, port: plan.port, tls: tls, door: Door(hub: self, plan: plan), limits: plan.limits)
      state.withLock { state in
        state.open[plan.name] = Open(plan: plan, listener: listener)
        state.waiting.removeValue(forKey: plan.name)?.retry?.cancel()
      }
      logger.notice("listening", metadata: ["listener": "\(plan.name)", "address": "\(plan.host):\(listener.port)"])
    } catch {
      wait(plan, error.message)
    }
  }

  /// Reads certificates and authorities again, which may have been renewed. Where that fails the listener goes on with what it has.
  package func renew() async {
    await inOrder {
      for open in self.state.withLock({ Array($0.open.values) }) {
        var complaint = ""
        do throws(TransportError) {
          if let settings = try open.plan.tls?.settings() { open.listener.renew(settings) }
        } catch {
          complaint = error.message
        }
        self.state.withLock { $0.open[open.plan.name]?.complaint = complaint }
        if !complaint.isEmpty, complaint != open.complaint {
          self.logger.error("the listener \(open.plan.name) goes on with the certificate that it has: \(complaint)")
        }
      }
    }
  }

  /// Said once, and once more where the reason is another one.
  private func wait(_ plan: ListenerPlan, _ problem: String) {
    let isNews = state.withLock { state in
      var waiting = state.waiting[plan.name] ?? Waiting(plan: plan, pause: pause)
      let isNews = waiting.problem != problem
      waiting.problem = problem
      waiting.retry?.cancel()
      let pause = waiting.pause.next(random: .random(in: 0...1))
      waiting.retry = Task { [weak self] in
        guard (try? await Task.sleep(for: .nanoseconds(pause))) != nil else { return }
        await self?.retry(plan)
      }
      state.waiting[plan.name] = waiting
      return isNews
    }
    if isNews { logger.error("the listener \(plan.name): \(problem); it is tried again") }
  }

  private func retry(_ plan: ListenerPlan) async {
    await inOrder {
      guard self.state.withLock({ $0.waiting[plan.name]?.plan == plan }) else { return }
      await self.open(plan)
    }
    state.withLock { $0.onChange }?()
  }

  /// What adapters speak with devices that connect.
  package func speak(_ subprotocols: [String: [String]]) { state.withLock { $0.subprotocols = subprotocols } }

  package func stop() async { await apply([]) }

  func register(_ visitor: StreamEndpoint.Visitor, adapter: String, _ mailbox: LinkMailbox) {
    state.withLock { $0.seats[visitor] = Seat(mailbox: mailbox, adapter: adapter) }
  }

  func leave(_ visitor: StreamEndpoint.Visitor, _ mailbox: LinkMailbox) {
    state.withLock { state in
      if state.seats[visitor]?.mailbox === mailbox { state.seats[visitor] = nil }
    }
  }

  private func mailboxes(of listener: String) -> [LinkMailbox] {
    state.withLock { $0.seats.filter { $0.key.listener == listener }.map(\.value.mailbox) }
  }

  // MARK: At the door

  private struct Door: WebSocketDoor {
    let hub: ListenerHub
    let plan: ListenerPlan
    func admit(_ request: WebSocketRequest) async -> WebSocketAdmission { await hub.admit(request, at: plan) }
    func standing(_ host: String) -> WebSocketStanding { hub.standing(host) }
    func abandoned(_ host: String) { hub.abandoned(host) }
  }

  /// What becomes of a request at a listener.
  package func admit(_ request: WebSocketRequest, at plan: ListenerPlan) async -> WebSocketAdmission {
    guard state.withLock({ $0.refusals.admits(request.host, now: Clock.boot()) }) else { return .refuse(.tooManyRequests) }
    let admission = await judge(request, plan)
    state.withLock { state in
      switch admission {
      case .accept: state.refusals.welcome(request.host)
      // Who it is was beyond doubt.
      case .refuse(.unavailable): break
      case .refuse: state.refusals.spend(request.host, now: Clock.boot())
      }
    }
    return admission
  }

  package func abandoned(_ host: String) { state.withLock { $0.refusals.spend(host, isCertain: false, now: Clock.boot()) } }

  /// Before a connection from there has said anything.
  package func standing(_ host: String) -> WebSocketStanding { state.withLock { $0.refusals.standing(host, now: Clock.boot()) } }

  private func judge(_ request: WebSocketRequest, _ plan: ListenerPlan) async -> WebSocketAdmission {
    guard let visitor = Self.visitor(request.path, plan.name) else {
      tell("a connection to a path that is none", request, "")
      return .refuse(.notFound)
    }
    guard let seat = await seat(visitor, request, plan) else { return .refuse(.notFound) }
    var peer = SocketPeer(identity: visitor.identity, subprotocol: "", address: request.address)
    peer.tls = request.tls
    if let refusal = await identify(visitor, request, plan, &peer) { return .refuse(refusal) }
    guard seat.mailbox.isOpen else {
      tell("a connection cannot be taken: the link is not open", request, visitor.identity)
      return .refuse(.unavailable)
    }
    let spoken = plan.subprotocols.isEmpty ? state.withLock { $0.subprotocols[seat.adapter] ?? [] } : plan.subprotocols
    guard let subprotocol = spoken.isEmpty ? "" : request.subprotocols.first(where: { spoken.contains($0) }) else {
      let offered = request.subprotocols.joined(separator: " ").prefix(128)
      tell("a connection speaks nothing that the listener speaks (\(offered))", request, visitor.identity)
      // OCPP-J 1.6 section 3.2 lets the handshake finish and closes then; the test cases of its authors (TC_088, TC_B_58) want a
      // refusal, which chargers understand as well.
      return .refuse(.badRequest)
    }
    peer.subprotocol = subprotocol
    return .accept(subprotocol: subprotocol, receiver: MailboxReceiver(seat.mailbox, peer))
  }

  private func seat(_ visitor: StreamEndpoint.Visitor, _ request: WebSocketRequest, _ plan: ListenerPlan) async -> Seat? {
    if let seat = state.withLock({ $0.seats[visitor] }) { return seat }
    let met = await keeper.met(
      Stranger(
        listener: visitor.listener, identity: visitor.identity, address: request.address, subprotocols: request.subprotocols,
        password: request.login?.password, hasCertificate: request.certificate?.trusted == true))
    return met ? state.withLock { $0.seats[visitor] } : nil
  }

  /// Nil = it is who it says; `peer` learns how that is known.
  private func identify(
    _ visitor: StreamEndpoint.Visitor, _ request: WebSocketRequest, _ plan: ListenerPlan, _ peer: inout SocketPeer
  ) async -> WebSocketAdmission.Refusal? {
    let asked = await keeper.requirement(visitor.listener, visitor.identity)
    guard request.tls || !asked.tls else {
      tell("a connection without TLS, which the security profile of the device asks for", request, visitor.identity)
      return .forbidden
    }
    let least = max(plan.login, asked.login)
    if let shown = request.certificate, let certificate = try? Certificate(der: shown.der) {
      peer.subject = certificate.subject
      peer.fingerprint = Hexadecimal.text(certificate.fingerprint)
      peer.ski = Hexadecimal.text(certificate.keyIdentifier)
      peer.trust = shown.trusted ? .certificate : .pending
      // OCPP 2.0.1 part 2, A00.FR.410 and section 1.4: the common name is what the charging station is called.
      if shown.trusted, certificate.isFor(visitor.identity) { return nil }
      // Where a password is asked for it is the password that counts (profile 2 knows no certificates of chargers).
      guard !shown.trusted || least == .password else {
        tell("the certificate of a connection names somebody else (\(certificate.subject.prefix(128)))", request, visitor.identity)
        return .forbidden
      }
      if shown.trusted { (peer.subject, peer.fingerprint, peer.ski) = ("", "", "") }
    }
    if least == .certificate {
      tell("a connection shows no certificate", request, visitor.identity)
      return .forbidden
    }
    guard least == .password else { return nil }
    guard let login = request.login, login.user == visitor.identity else {
      tell(request.login == nil ? "a connection without a password" : "a connection with another user name", request, visitor.identity)
      return .unauthorized
    }
    switch await keeper.judge(login.password, visitor.listener, visitor.identity, host: request.host) {
    case .right:
      peer.trust = .password
      return nil
    case .wrong(let count):
      tell("a wrong password, the \(count). in a row", request, visitor.identity)
      return .unauthorized
    case .tooMany: return .tooManyRequests
    case .unset:
      tell("no password is set for a device that connects: set one with `busbar password set`", request, visitor.identity)
      return .unauthorized
    }
  }

  /// Strangers must not fill the log.
  private func tell(_ what: String, _ request: WebSocketRequest, _ identity: String) {
    guard let dropped = state.withLock({ $0.lines.admit(now: Clock.boot()) }) else { return }
    logger.warning(
      "\(what)", metadata: ["identity": "\(identity)", "address": "\(request.address)", "left_out": "\(dropped)"])
  }

  /// `/LISTENER/IDENTITY`.
  private static func visitor(_ path: String, _ listener: String) -> StreamEndpoint.Visitor? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].isEmpty, parts[1] == listener, VisitorName.isValid(String(parts[2])) else {
      return nil
    }
    return StreamEndpoint.Visitor(listener: listener, identity: String(parts[2]))
  }
}
