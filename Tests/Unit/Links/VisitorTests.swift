// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarLinks
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Synchronization
import Testing

private let charger = StreamEndpoint.Visitor(listener: "ocpp", identity: "CP-1")

/// A connection that the test plays.
private final class FakeSocket: WebSocketSending {
  enum Event: Sendable, Equatable {
    case sent(WebSocketMessage)
    case closed(UInt16)
    case paused(Bool)
  }

  let journal = Journal<Event>()
  private let open = Mutex(true)

  func send(_ message: WebSocketMessage) -> Bool {
    guard isOpen else { return false }
    journal.add(.sent(message))
    return true
  }
  func close(code: UInt16, reason: String) { journal.add(.closed(code)) }
  func pauseReading(_ paused: Bool) { journal.add(.paused(paused)) }
  var isOpen: Bool { open.withLock { $0 } }
}

private final class Keeper: DoorKeeper {
  let requirement: (login: ListenerPlan.Login, tls: Bool)
  let verdict: LoginVerdict
  let strangers = Journal<Stranger>()

  init(requirement: ListenerPlan.Login = .none, tls: Bool = false, verdict: LoginVerdict = .unset) {
    self.requirement = (requirement, tls)
    self.verdict = verdict
  }

  func requirement(_ listener: String, _ identity: String) async -> (login: ListenerPlan.Login, tls: Bool) { requirement }
  func judge(_ password: [UInt8], _ listener: String, _ identity: String, host: String) async -> LoginVerdict { verdict }
  func met(_ stranger: Stranger) async -> Bool {
    strangers.add(stranger)
    return false
  }
}

private struct Yard {
  let adapter = FakeAdapter()
  let observed = Observed()
  let keeper: Keeper
  let hub: ListenerHub
  let manager: LinkManager

  init(_ keeper: Keeper = Keeper()) async throws {
    self.keeper = keeper
    hub = ListenerHub(keeper: keeper, logger: silent)
    hub.speak(["test": ["v2", "v1"]])
    manager = LinkManager(connecting: adapter, observer: observed, binding: Bindings(), logger: silent, hub: hub)
    var plan = plan(device(a, period: .seconds(60)))
    plan.adapter = "test"
    plan.endpoint = .visitor(charger)
    await manager.apply([plan])
    try await adapter.call("the device is known") { if case .add = $0 { true } else { false } }
  }

  static func listener(_ login: ListenerPlan.Login = .none) -> ListenerPlan {
    ListenerPlan(name: "ocpp", host: "127.0.0.1", port: 0, tls: nil, login: login, subprotocols: [], limits: WebSocketLimits())
  }

  static func request(_ path: String = "/ocpp/CP-1", login: WebSocketRequest.Login? = nil, address: String = "192.0.2.7:50123") -> WebSocketRequest {
    WebSocketRequest(path: path, subprotocols: ["v9", "v1", "v2"], login: login, address: address, tls: false, certificate: nil)
  }

  func admit(_ request: WebSocketRequest = request(), _ login: ListenerPlan.Login = .none) async -> WebSocketAdmission {
    await hub.admit(request, at: Self.listener(login))
  }

  /// Connects.
  func connect(_ socket: FakeSocket) async throws -> any WebSocketReceiver {
    guard case .accept(_, let receiver) = await admit() else { throw NotAdmitted() }
    receiver.opened(socket)
    return receiver
  }

  struct NotAdmitted: Error {}

  func event(from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (LinkEvent) -> Bool) async throws -> LinkEvent {
    let entry = try await adapter.call(from: place, what) { if case .event(let event) = $0 { matches(event) } else { false } }
    guard case .event(let event) = entry.call else { preconditionFailure() }
    return event
  }
}

extension WebSocketAdmission {
  fileprivate var refusal: Refusal? { if case .refuse(let refusal) = self { refusal } else { nil } }
  fileprivate var subprotocol: String? { if case .accept(let subprotocol, _) = self { subprotocol } else { nil } }
}

@Suite(.timeLimit(.minutes(1)))
struct VisitorTests {
  @Test func whatConnectsIsToldToThePluginAndReadAtOnce() async throws {
    let yard = try await Yard()
    #expect(yard.observed.statuses(a).map(\.state).contains(.online) == false)
    let socket = FakeSocket()
    let receiver = try await yard.connect(socket)
    let opened = try await yard.event("it is told") { if case .opened = $0 { true } else { false } }
    guard case .opened(let peer) = opened else { return }
    #expect(peer.identity == "CP-1" && peer.subprotocol == "v1" && peer.trust == .none && peer.address == "192.0.2.7:50123")
    try await yard.observed.status(a, .online)
    receiver.received(.text(Array("hello".utf8)))
    _ = try await yard.event("a message") { $0 == .message(text: true, Array("hello".utf8)) }
    receiver.closed(code: 1001, reason: "bye")
    _ = try await yard.event("the end") { $0 == .closed(code: 1001, reason: "bye") }
    let away = try await yard.observed.status(a, .degraded)
    #expect(away.reason?.contains("bye") == true)
    try await yard.observed.status(a, .offline)
    // Who connects by itself is waited for: the link stays open.
    #expect(!yard.adapter.calls().contains(.close))
    await yard.manager.stop()
  }

  @Test func aNewerConnectionTakesThePlaceOfAnOlderOne() async throws {
    let yard = try await Yard()
    let (first, second) = (FakeSocket(), FakeSocket())
    let old = try await yard.connect(first)
    _ = try await yard.event("the first") { if case .opened = $0 { true } else { false } }
    let place = yard.adapter.journal.count
    _ = try await yard.connect(second)
    _ = try await yard.event(from: place, "the end of the first") { if case .closed(1006, _) = $0 { true } else { false } }
    _ = try await yard.event(from: place, "the second") { if case .opened = $0 { true } else { false } }
    #expect(first.journal.all.contains(.closed(1000)))
    // What the old one still says counts no more.
    old.received(.text([0x41]))
    old.closed(code: 1006, reason: "")
    #expect(yard.adapter.connection()?.events.services.send(text: true, [0x42]) == .taken)
    #expect(second.journal.all == [.sent(.text([0x42]))])
    #expect(!yard.adapter.calls(since: place).contains(.event(.message(text: true, [0x41]))))
    await yard.manager.stop()
  }

  @Test func whoSendsFasterThanThePluginHandlesHasToWait() async throws {
    let yard = try await Yard()
    let socket = FakeSocket()
    let receiver = try await yard.connect(socket)
    _ = try await yard.event("it is told") { if case .opened = $0 { true } else { false } }
    try await yard.observed.status(a, .online)
    yard.adapter.script { $0.ending = { if case .event = $0 { .held } else { .well } } }
    for number in 0..<20 { receiver.received(.text([UInt8(number)])) }
    #expect(socket.journal.all.contains(.paused(true)))
    for number in 20..<80 { receiver.received(.text([UInt8(number)])) }
    #expect(socket.journal.all.contains(.closed(1008)))
    yard.adapter.script { $0.ending = { _ in .well } }
    _ = try await yard.event("the first message") { $0 == .message(text: true, [0]) }
    yard.adapter.connection()?.end()
    try await socket.journal.first("it may send again") { $0 == .paused(false) }
    await yard.manager.stop()
  }

  @Test func timersAndWakesComeAndFold() async throws {
    let yard = try await Yard()
    let services = try #require(yard.adapter.connection()?.events.services)
    services.timer(tag: 7, delay: 1_000_000, period: 1_000_000)
    try await yard.adapter.reach(3, "a timer") { $0 == .event(.timer(tag: 7)) }
    services.timer(tag: 7, delay: -1, period: 0)
    services.wake(tag: 3)
    try await yard.adapter.call("a wake") { $0 == .event(.wake(tag: 3)) }
    await yard.manager.stop()
  }

  @Test func aPendingCommandLeavesTheLinkFreeAndEndsOnce() async throws {
    let yard = try await Yard()
    _ = try await yard.connect(FakeSocket())
    try await yard.observed.status(a, .online)
    yard.adapter.script { $0.ending = { $0.isCommand ? .command(.pending(token: 9, atMost: 1)) : .well } }
    let services = try #require(yard.adapter.connection()?.events.services)
    async let first = yard.manager.write(write("c1"))
    try await yard.adapter.call("the command", \.isCommand)
    services.wake(tag: 1)
    try await yard.adapter.call("the link is free") { $0 == .event(.wake(tag: 1)) }
    // The plugin has one at a time.
    async let second = yard.manager.write(write("c2"))
    services.wake(tag: 2)
    try await yard.adapter.call("again") { $0 == .event(.wake(tag: 2)) }
    #expect(yard.adapter.calls().count(where: \.isCommand) == 1)
    #expect(services.completed(token: 9, .done(.number(5))))
    #expect(await first == .done(.number(5)))
    try await yard.adapter.reach(2, "the second command", \.isCommand)
    while !services.completed(token: 9, .refused("no")) { await Task.yield() }
    #expect(await second == .failed("no"))
    #expect(!services.completed(token: 9, .done(nil)))
    await yard.manager.stop()
  }

  @Test func theEndOfALinkEndsWhatWaits() async throws {
    let yard = try await Yard()
    let socket = FakeSocket()
    _ = try await yard.connect(socket)
    try await yard.observed.status(a, .online)
    yard.adapter.script { $0.ending = { $0.isCommand ? .command(.pending(token: 9, atMost: 1)) : .well } }
    async let answer = yard.manager.write(write("c1"))
    try await yard.adapter.call("the command", \.isCommand)
    yard.adapter.connection()?.become(.ended("it crashed"))
    guard case .unknown = await answer else {
      Issue.record("a command whose plugin ended has no known outcome")
      return
    }
    try await socket.journal.first("the connection ends") { $0 == .closed(1012) }
    await yard.manager.stop()
  }

  @Test func aLinkThatIsTakenAwayEndsWhatWaits() async throws {
    let yard = try await Yard()
    let socket = FakeSocket()
    _ = try await yard.connect(socket)
    try await yard.observed.status(a, .online)
    yard.adapter.script { $0.ending = { $0.isCommand ? .command(.pending(token: 9, atMost: 1)) : .well } }
    let services = try #require(yard.adapter.connection()?.events.services)
    async let answer = yard.manager.write(write("c1"))
    try await yard.adapter.call("the command", \.isCommand)
    // By then it is known that the command ends later.
    services.wake(tag: 1)
    try await yard.adapter.call("the link is free") { $0 == .event(.wake(tag: 1)) }
    await yard.manager.apply([])
    try await socket.journal.first("the connection ends") { $0 == .closed(1012) }
    guard case .unknown = await answer else {
      Issue.record("a command whose link was taken away has no known outcome")
      return
    }
    await yard.manager.stop()
  }

  private func write(_ id: String) -> DeviceWrite {
    DeviceWrite(
      device: a, verb: .set(point: "power", value: .number(5)), purpose: .command, id: id, validUntil: Clock.boot() + 30_000_000_000)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct ListenerTests {
  @Test func aListenerWhosePortIsTakenIsTriedAgain() async throws {
    func plan(_ name: String, port: Int) -> ListenerPlan {
      ListenerPlan(name: name, host: "127.0.0.1", port: port, tls: nil, login: .none, subprotocols: [], limits: WebSocketLimits())
    }
    func hub() -> ListenerHub { ListenerHub(keeper: Keeper(), logger: silent, pause: BackOff(first: 1_000_000, longest: 10_000_000)) }
    let (other, own) = (hub(), hub())
    await other.apply([plan("a", port: 0)])
    let port = try #require(other.listeners.first?.address.split(separator: ":").last.flatMap { Int($0) })
    #expect(other.listeners.first?.name == "a" && port > 0 && other.listeners.first?.problem == nil)
    let states = Journal<[ListenerState]>()
    own.connect { states.add(own.listeners) }
    await own.apply([plan("b", port: port)])
    #expect(own.listeners.first?.problem?.contains("another program listens there") == true)
    await other.stop()
    try await states.first("it listens") { $0.first?.problem == nil }
    #expect(states.all.first?.first?.problem != nil)
    // One that is taken out of the configuration meanwhile is tried no more.
    await other.apply([plan("c", port: port)])
    #expect(other.listeners.first?.problem != nil)
    await other.apply([])
    await own.stop()
    #expect(other.listeners.isEmpty && own.listeners.isEmpty)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct DoorTests {
  private static let login = WebSocketRequest.Login(user: "CP-1", password: Array("0123456789abcdef".utf8))

  @Test func subprotocolsAreChosenInTheOrderOfTheClient() async throws {
    let yard = try await Yard()
    #expect(await yard.admit().subprotocol == "v1")
    var request = Yard.request()
    request.subprotocols = ["v9"]
    #expect(await yard.admit(request).refusal == .badRequest)
  }

  @Test(arguments: ["/", "/ocpp", "/ocpp/", "/other/CP-1", "/ocpp/CP-1/x", "/ocpp/CP 1", "/ocpp/..", "ocpp/CP-1", "/ocpp/\u{FC}"])
  func otherPathsAreNotFound(path: String) async throws {
    let yard = try await Yard()
    #expect(await yard.admit(Yard.request(path)).refusal == .notFound)
    #expect(yard.keeper.strangers.all.isEmpty)
  }

  @Test func aStrangerIsShownToTheKeeper() async throws {
    let yard = try await Yard()
    #expect(await yard.admit(Yard.request("/ocpp/CP-2", login: Self.login)).refusal == .notFound)
    #expect(yard.keeper.strangers.all.map(\.identity) == ["CP-2"])
  }

  @Test func aPasswordIsAskedForAndJudged() async throws {
    for (verdict, refusal) in [
      (LoginVerdict.right, nil), (.wrong(3), WebSocketAdmission.Refusal.unauthorized), (.tooMany, .tooManyRequests), (.unset, .unauthorized),
    ] {
      let yard = try await Yard(Keeper(verdict: verdict))
      #expect(await yard.admit(Yard.request(login: Self.login), .password).refusal == refusal)
      #expect(await yard.admit(Yard.request(), .password).refusal == .unauthorized)
      var other = Self.login
      other.user = "CP-2"
      #expect(await yard.admit(Yard.request(login: other), .password).refusal == .unauthorized)
    }
  }

  @Test func aDeviceMayHaveToShowMoreThanItsListenerAsksFor() async throws {
    let yard = try await Yard(Keeper(requirement: .certificate, verdict: .right))
    #expect(await yard.admit(Yard.request(login: Self.login), .password).refusal == .forbidden)
  }

  /// Security profile 2 is a password and TLS.
  @Test func aDeviceMayHaveToComeWithTLS() async throws {
    let yard = try await Yard(Keeper(requirement: .password, tls: true, verdict: .right))
    var request = Yard.request(login: Self.login)
    #expect(await yard.admit(request, .password).refusal == .forbidden)
    request.tls = true
    #expect(await yard.admit(request, .password).refusal == nil)
  }

  @Test func whoIsRefusedAgainAndAgainIsNoLongerLookedAt() async throws {
    let yard = try await Yard()
    for _ in 0..<RefusalBudget.burst { _ = await yard.admit(Yard.request("/ocpp/CP-2")) }
    #expect(await yard.admit(Yard.request("/ocpp/CP-2")).refusal == .tooManyRequests)
    // Others are.
    #expect(await yard.admit(Yard.request(address: "192.0.2.8:1")).refusal == nil)
  }

  @Test func aLinkWithoutItsPluginIsBusy() async throws {
    let yard = try await Yard()
    yard.adapter.script { $0.refusal = "there is no plugin" }
    yard.adapter.connection()?.become(.replaced)
    while await yard.admit().refusal != .unavailable { await Task.yield() }
  }
}

struct RefusalBudgetTests {
  @Test func timeGivesItBack() {
    var budget = RefusalBudget()
    for _ in 0..<RefusalBudget.burst { budget.spend("a", now: 0) }
    #expect(!budget.admits("a", now: 0) && budget.admits("b", now: 0))
    #expect(budget.admits("a", now: RefusalBudget.pause))
    budget.spend("a", now: RefusalBudget.pause)
    #expect(!budget.admits("a", now: RefusalBudget.pause))
  }

  @Test func whoIsKnownGoesFirstWhereManyAreRefused() {
    var budget = RefusalBudget()
    budget.welcome("friend")
    // From as many addresses, so that none of them has had too many.
    for number in 0..<RefusalBudget.burstOfAll {
      #expect(budget.standing("new", now: 0) == .welcome)
      budget.spend("\(number)", now: 0)
    }
    #expect(budget.standing("new", now: 0) == .doubtful && budget.standing("friend", now: 0) == .welcome)
    #expect(budget.standing("new", now: RefusalBudget.pauseOfAll) == .welcome)
    for _ in 0..<RefusalBudget.burst { budget.spend("friend", now: 0) }
    #expect(budget.standing("friend", now: 0) == .unwelcome)
    // However long it went on.
    for number in 0..<10_000 { budget.spend("\(number)", now: 0) }
    #expect(budget.standing("new", now: RefusalBudget.pauseOfAll * Int64(RefusalBudget.burstOfAll)) == .doubtful)
    #expect(budget.standing("new", now: RefusalBudget.pauseOfAll * Int64(RefusalBudget.burstOfAll + 1)) == .welcome)
  }

  /// All at once after a power cut, many do not get through in time: that must not make them wait for each other.
  @Test func whatCameToNothingCountsForItsAddressOnly() {
    var budget = RefusalBudget()
    for number in 0..<10_000 { budget.spend("\(number)", isCertain: false, now: 0) }
    #expect(budget.standing("new", now: 0) == .welcome)
    for _ in 0..<RefusalBudget.burst { budget.spend("a", isCertain: false, now: 0) }
    #expect(budget.standing("a", now: 0) == .unwelcome)
  }

  @Test func itIsBounded() {
    var budget = RefusalBudget()
    for _ in 0..<RefusalBudget.burst { budget.spend("first", now: 0) }
    for number in 0..<RefusalBudget.addresses { budget.spend("\(number)", now: 1) }
    #expect(budget.admits("first", now: 1))
  }
}
