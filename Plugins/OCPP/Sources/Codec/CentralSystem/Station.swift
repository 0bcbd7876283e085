// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// What both versions share: framing and checks of what comes, our calls, registration, clock, connectors, sessions, limits.
struct Station: Sendable {
  /// What a call of ours was for.
  enum Purpose: Sendable {
    /// A command whose outcome somebody waits for.
    case command(UInt64, Command)
    /// A part of such a command, the parts that follow, and what was answered so far.
    case parts(UInt64, rest: [JSON], answers: [JSON])
    case limit(UInt64?, LimitStep)
    case verifyLimit(UInt64?, LimitStep)
    case clearLimit(UInt64?, place: Int)
    case listVersion(UInt64, TagList)
    case list(UInt64, TagList, rest: [TagListUpdate.Message], isFull: Bool)
    /// Housekeeping: what the charger can do.
    case abilities
    /// A schedule for the car at this EVSE.
    case vehicle(Int)
    /// Housekeeping: who the charger is, how it is.
    case learn
  }

  /// One of the profiles that a limit becomes.
  struct LimitStep: Sendable {
    var place: Int
    var profile: LimitProfile
    var rest: [LimitProfile]
    /// Other purposes to try where the charger refuses this one.
    var alternatives: [LimitPurpose]
  }

  enum Incoming {
    case call(id: String, action: String, payload: JSON)
    case answer(CallQueue<Purpose>.Call, JSON)
    case failure(CallQueue<Purpose>.Call, code: String, text: String)
  }

  /// An answer of ours that waits for the answer about a tag.
  struct Waiting: Sendable {
    var callID: String
    var question: TagQuestion
    var deadline: Int64
    /// The answer, where the tag's information is yet to be put in.
    var payload: JSON
    var session: String?
  }

  let version: OCPPVersion
  let catalogue: Catalogue
  var settings: ChargerSettings
  var registration: Registration
  var clock = ChargerClock()
  var connectors = Connectors()
  var sessions: SessionBook
  var variables = DeviceVariables()
  var abilities = ProfileAbilities()
  var calls: CallQueue<Purpose>
  var memory = AnswerMemory()
  var leases: [Int: LimitLease] = [:]
  /// Ids of the profiles that the charger has from us.
  var installed: Set<Int64> = []
  /// The charger does not know GetCompositeSchedule.
  var cannotVerify = false
  var limitAlarm = false
  /// The list that the charger took last.
  var knownList: TagList?
  var waiting: [Waiting] = []
  /// Tags that a remote start named: they may charge without being asked for again.
  var remoteStarts: [(tag: String, until: Int64)] = []
  var isConnected = false
  /// When the charger is asked what it can do and how it is, by the boot clock.
  var introduction: Int64?
  /// What the charger can do is known, as far as it says it.
  var hasLearned = false { didSet { isAsking = false } }
  /// It has been asked, and has not answered.
  var isAsking = false
  /// The charger has started in this connection, or that time is over: it may be asked what nobody told us to ask.
  var isIntroduced = false
  /// In this connection the charger has said how it is.
  var hasToldStates = false
  /// The key that the charger asked a certificate for last.
  var requestedKey: PublicKeyInfo?
  /// Limits that wait for what the charger can do.
  var parked: [(command: Command, ticket: UInt64)] = []
  /// Sessions with a car that was given a schedule of its own, by EVSE (2.0.1 only).
  var led: [Int: LedSession] = [:]
  var lastHeard: Int64 = 0
  var nextTicket: UInt64 = 1
  var effects: [Effect] = []
  private let seed: String
  private var connections = 0
  private var noted: Set<String> = []

  static let mostWaiting = 16
  private static let mostNotes = 64

  init(_ version: OCPPVersion, _ settings: ChargerSettings, _ stored: [String: JSON], seed: String) {
    self.version = version
    self.settings = settings
    self.seed = seed.cut(to: 12)
    catalogue = Catalogue.of(version)
    sessions = SessionBook(stored: stored)
    sessions.mostPower = settings.mostPower
    let known = stored["charger"]
    registration = Registration(
      policy: settings.registration, heartbeatInterval: settings.heartbeatInterval, retryInterval: settings.retryInterval,
      status: known?["registration"]?.string.flatMap { Registration.Status(rawValue: $0) })
    connectors.announced = Int(truncatingIfNeeded: min(known?["connectors"]?.integer ?? 0, Int64(Connectors.most)))
    calls = CallQueue(prefix: self.seed)
  }

  mutating func takeEffects() -> [Effect] {
    defer { effects = [] }
    return effects
  }

  /// Once a kind and connection: a charger that does it always says it no more often.
  mutating func note(_ kind: String, _ text: String) {
    guard noted.count < Self.mostNotes, noted.insert(kind).inserted else { return }
    effects.append(.note(text))
  }

  mutating func ticket() -> UInt64 {
    nextTicket += 1
    return nextTicket
  }

  // MARK: Connection

  mutating func connect(_ now: Moment) {
    if isConnected { _ = disconnect(now) }
    isConnected = true
    connections += 1
    calls = CallQueue(prefix: "\(seed)-\(connections)")
    lastHeard = now.boot
    noted = []
    (isIntroduced, hasToldStates, isAsking) = (false, false, false)
    introduction = now.boot + settings.introduction
    for place in leases.keys { leases[place]?.lost() }
  }

  /// The commands that were under way.
  mutating func disconnect(_ now: Moment) -> [(Purpose, Outcome)] {
    isConnected = false
    introduction = nil
    waiting = []
    let (unknown, unsent) = calls.disconnect()
    return unsent.map { ($0.purpose, .failed("the connection ended before it was sent")) }
      + (unknown.map { [($0.purpose, .unknown("the connection ended before the answer"))] } ?? [])
  }

  /// Sends what may be sent now.
  mutating func flush(_ now: Moment) {
    guard isConnected, registration.mayCall, let frame = calls.next(now) else { return }
    effects.append(.send(frame.text))
  }

  mutating func call(_ action: String, _ payload: JSON, _ purpose: Purpose, first: Bool = false) -> Bool {
    guard isConnected else { return false }
    return calls.add(action, payload, purpose, patience: settings.patience, first: first)
  }

  // MARK: What comes

  mutating func receive(_ message: [UInt8], _ now: Moment) -> Incoming? {
    lastHeard = now.boot
    let received: ReceivedFrame
    do {
      received = try Frame.read(message)
    } catch {
      note("frame.\(error.code)", "what came is no message: \(error.description)")
      if let answer = error.answer(version) { effects.append(.send(answer.text)) }
      return nil
    }
    for bend in received.bends { note("bend.\(bend)", "message tolerated: \(bend)") }
    switch received.frame {
    case .call(let id, let action, let payload): return receiveCall(id, action, payload, now)
    case .result(let id, let payload): return receiveResult(id, payload, now)
    case .error(let id, let code, let description, _):
      guard let call = match(id) else { return nil }
      return .failure(call, code: code, text: description)
    }
  }

  private mutating func receiveCall(_ id: String, _ action: String, _ payload: JSON, _ now: Moment) -> Incoming? {
    guard let known = catalogue.actions[action] else {
      refuse(id, .notImplemented, "there is no \(action) in \(version.rawValue)")
      return nil
    }
    guard known.senders.contains(.charger) else {
      refuse(id, .notSupported, "\(action) is for the central system to ask")
      return nil
    }
    guard registration.allows(action) else {
      refuse(id, version == .v16 ? .genericError : .securityError, "not before a BootNotification is accepted")
      return nil
    }
    switch memory.receive(id, action, payload, now) {
    case .new: break
    case .pending:
      note("repeat", "the same \(action) came again before its answer")
      return nil
    case .answered(let frame):
      note("repeat", "the same \(action) came again and was answered the same")
      effects.append(.send(frame.text))
      return nil
    }
    let verdict = catalogue.check(known.request, payload)
    if let refusal = verdict.refusal ?? (settings.isStrict ? verdict.findings.first : nil) {
      note("refused.\(action)", "\(action) refused: \(refusal)")
      refuse(id, refusal.code, refusal.description)
      return nil
    }
    for finding in verdict.findings { note("\(action).\(finding.path).\(finding.code)", "\(action) tolerated: \(finding)") }
    return .call(id: id, action: action, payload: verdict.payload)
  }

  private mutating func receiveResult(_ id: String, _ payload: JSON, _ now: Moment) -> Incoming? {
    guard let call = match(id) else { return nil }
    guard let verdict = catalogue.check(call.action, .response, payload) else { return .answer(call, payload) }
    for finding in verdict.findings {
      note("answer.\(call.action).\(finding.path)", "answer to \(call.action): \(finding)")
    }
    if let refusal = verdict.refusal {
      return .failure(call, code: refusal.code.name(version), text: "the answer is not one: \(refusal)")
    }
    return .answer(call, verdict.payload)
  }

  private mutating func match(_ id: String) -> CallQueue<Purpose>.Call? {
    switch calls.answer(id) {
    case .answered(let call): return call
    case .late(let action):
      note("late.\(action)", "an answer to \(action) came after its time")
      return nil
    case .unknown:
      note("unknown", "an answer came that nobody waits for")
      return nil
    }
  }

  mutating func refuse(_ id: String, _ code: ErrorCode, _ text: String) {
    let frame = Frame.error(id, code, text, version)
    memory.answered(frame)
    effects.append(.send(frame.text))
  }

  mutating func answer(_ id: String, _ payload: JSON) {
    let frame = Frame.result(id: id, payload: payload)
    memory.answered(frame)
    effects.append(.send(frame.text))
  }

  // MARK: Boot

  /// Status and interval for a boot; the answer is of the version.
  mutating func boot(_ identity: ChargerIdentity, _ now: Moment) -> JSON {
    let (status, interval) = registration.boot()
    // A charger that has just started may have other firmware, and will say by itself how its connectors are.
    hasLearned = false
    if status == .accepted { (isIntroduced, introduction) = (true, now.boot + settings.introduction) } else { introduction = nil }
    effects.append(.identity(identity))
    storeCharger()
    return ["status": .string(status.rawValue), "currentTime": .string(Stamp.text(now.unix)), "interval": .integer(interval)]
  }

  mutating func storeCharger() {
    effects.append(
      .store(
        key: "charger",
        value: .object([
          "registration": registration.status.map { .string($0.rawValue) }, "connectors": .integer(Int64(connectors.count)),
        ])))
  }

  // MARK: Time

  /// When something happened that the charger stamped.
  mutating func time(_ stamp: JSON?, isLive: Bool = true, _ now: Moment) -> EventTime {
    let stamp = stamp?.string.flatMap { Stamp($0) }?.milliseconds
    if let stamp, isLive { clock.observe(stamp, now) }
    if clock.state == .right { sessions.correctStarts(by: 0, now) }
    if case .off(let difference) = clock.state {
      sessions.correctStarts(by: difference, now)
      note("clock", "the charger's clock is off by \(difference / 1000) s; its stamps are corrected")
    }
    return clock.corrected(stamp, now)
  }

  // MARK: Tags

  /// Puts a question, or answers at once where it is known that the tag may charge.
  mutating func ask(
    _ tag: String, type: String = "", connector: Int?, _ occasion: TagQuestion.Occasion, callID: String, payload: JSON,
    session: String? = nil, _ now: Moment
  ) -> Waiting? {
    let question = TagQuestion(ticket: ticket(), tag: tag, type: type, connector: connector, occasion: occasion)
    let waiting = Waiting(
      callID: callID, question: question, deadline: now.boot + settings.tagPatience, payload: payload, session: session)
    remoteStarts.removeAll { $0.until < now.boot }
    if remoteStarts.contains(where: { foldedTag($0.tag) == foldedTag(tag) }) { return waiting }
    guard self.waiting.count < Self.mostWaiting else {
      refuse(callID, .internalError, "too many tags are being asked for")
      return nil
    }
    self.waiting.append(waiting)
    effects.append(.authorize(question))
    return nil
  }

  mutating func takeWaiting(_ ticket: UInt64) -> Waiting? {
    guard let index = waiting.firstIndex(where: { $0.question.ticket == ticket }) else { return nil }
    return waiting.remove(at: index)
  }

  mutating func expireWaiting(_ now: Moment) -> Waiting? {
    guard let index = waiting.firstIndex(where: { $0.deadline <= now.boot }) else { return nil }
    return waiting.remove(at: index)
  }

  // MARK: Sessions

  /// Stores and tells what changed.
  mutating func settleSessions(_ now: Moment) {
    for change in sessions.takeChanges() {
      switch change {
      case .news(let id):
        // A start stores each connector's session by its number: after a restart they are looked for.
        if let connector = sessions[id]?.connector, connector > connectors.count {
          connectors.change(connector) { _ in }
          storeCharger()
        }
        for (key, value) in sessions.stored(id) { effects.append(.store(key: key, value: value)) }
        tell(id, now)
        sessions.told(id, stored: now.boot)
      case .reading(let id):
        guard let session = sessions[id], !session.isEnded else { continue }
        if now.boot - (session.toldAt ?? .min / 2) >= settings.sessionInterval { tell(id, now) }
        // What the store lacks after a power cut is only the power of judging the next reading.
        if now.boot - (session.storedAt ?? .min / 2) >= 5 * settings.sessionInterval {
          for (key, value) in sessions.stored(id) where key != "book" { effects.append(.store(key: key, value: value)) }
          sessions.told(id, stored: now.boot)
        }
      }
    }
  }

  private mutating func tell(_ id: String, _ now: Moment) {
    guard let session = sessions[id] else { return }
    effects.append(.session(session.document(now)))
    sessions.told(id, at: now.boot)
  }

  var wake: Int64? {
    var times = [calls.expiry, waiting.map(\.deadline).min()].compactMap { $0 }
    if isConnected, registration.mayCall {
      times += [introduction, led.values.compactMap(\.due).min()].compactMap { $0 }
      times += leases.values.map { min($0.renewal, $0.until ?? .max) }.filter { $0 < .max }
    }
    return times.min()
  }
}
