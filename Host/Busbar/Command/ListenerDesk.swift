// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarConfiguration
internal import BusbarDiscovery
internal import BusbarLinks
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSecurity
internal import BusbarSystem
internal import BusbarTransports
internal import Logging
internal import Synchronization

/// Passwords of devices that connect by themselves, for the listeners and for those who set them; and what becomes of
/// devices that nobody knows.
///
/// A password is kept salted and hashed. The one that a candidate shows is kept in memory, hashed as well, so that whoever
/// approves the candidate need not type it: it counts from the approval on, once, where no other is set.
final class ListenerDesk: DoorKeeper {
  private static let shownLimit = 256

  struct State {
    var adapters: [PluginManifest.Adapter] = []
    /// How many come in by themselves, by listener; none where each has to be approved.
    var limits: [String: Int] = [:]
    var newcomers = Newcomers()
    var subprotocols: [String: [String]] = [:]
    var abilities: [ListenerAbility] = []
    var discoverer: Discoverer?
    var onboarding: Onboarding?
    var onFull: (@Sendable () -> Void)?
    /// By endpoint: what a candidate showed.
    var shown: [String: PasswordRecord] = [:]
  }

  let store: LoginStore
  private let desk: LoginDesk
  private let registry: DeviceRegistry
  private let logger: Logger
  let state = Mutex(State())
  /// What is stored changes by one at a time.
  private let changing = Mutex(())
  /// Hashing takes its time: not on threads that others need, and not on all cores.
  private let pool = ThreadPool(name: "login", limit: 2)

  init(database: StateDatabase, registry: DeviceRegistry, logger: Logger) throws {
    self.registry = registry
    store = LoginStore(database: database)
    desk = try LoginDesk()
    self.logger = logger
  }

  /// `onFull` is called where a listener takes in nobody any more.
  func connect(_ discoverer: Discoverer, _ onboarding: Onboarding, onFull: @escaping @Sendable () -> Void) {
    state.withLock { ($0.discoverer, $0.onboarding, $0.onFull) = (discoverer, onboarding, onFull) }
  }

  /// What is configured, and what the plugins speak that are there.
  func change(_ listeners: [String: Configuration.Listener], _ adapters: [PluginManifest.Adapter]) {
    state.withLock { state in
      state.adapters = adapters
      state.limits = listeners.filter { $0.value.accept == .any }.mapValues(\.acceptLimit)
      state.subprotocols = listeners.mapValues(\.subprotocols)
      state.abilities = listeners.sorted { $0.key < $1.key }.map { ListenerAbility($0.key, $0.value) }
    }
  }

  // MARK: At the door

  func requirement(_ listener: String, _ identity: String) async -> (login: ListenerPlan.Login, tls: Bool) {
    guard let login = login(listener, identity) else { return (.none, false) }
    switch login.profile {
    // A password that somebody has set is asked for.
    case 0: return (login.secret == nil ? .none : .password, false)
    case 1: return (.password, false)
    case 2: return (.password, true)
    default: return (.certificate, true)
    }
  }

  func judge(_ password: [UInt8], _ listener: String, _ identity: String, host: String) async -> LoginVerdict {
    let endpoint = VisitorName.endpoint(listener, identity)
    let login = login(listener, identity)
    var record = login?.secret.flatMap(PasswordRecord.init(bytes:))
    let isNew = record == nil
    if isNew { record = state.withLock { $0.shown[endpoint] } }
    var verdict = LoginVerdict.unset
    if let record {
      verdict = await judge(password, record, name: endpoint, host)
      if isNew, verdict == .right {
        settle("the password that a device showed as a candidate is its password from now on", listener, identity) { login in
          login.secret = login.secret ?? record.bytes
        }
        state.withLock { _ = $0.shown.removeValue(forKey: endpoint) }
      }
    }
    // Second: a device that stays with its former one, as it may, has not guessed wrong.
    guard verdict != .right, let next = login?.next, let record = PasswordRecord(bytes: next),
      await judge(password, record, name: "\(endpoint) next", host) == .right
    else { return verdict }
    // It has come with the new one: the former one is over.
    settle("the device has come with its new password", listener, identity) { login in
      if login.next == next { (login.secret, login.next) = (next, nil) }
    }
    return .right
  }

  /// As it is, and as the hexadecimal digits that OCPP 1.6 hands a password over in (security whitepaper, AuthorizationKey): some
  /// chargers show those. The digits come first, so that who shows them has not guessed wrong.
  private func judge(_ password: [UInt8], _ record: PasswordRecord, name: String, _ host: String) async -> LoginVerdict {
    if let bytes = Self.bytes(hexadecimal: password), await judge(exactly: bytes, record, name: "\(name) digits", host) == .right {
      return .right
    }
    return await judge(exactly: password, record, name: name, host)
  }

  /// 16 to 20 bytes.
  private static func bytes(hexadecimal digits: [UInt8]) -> [UInt8]? {
    guard (32...40).contains(digits.count), digits.count.isMultiple(of: 2), digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit })
    else { return nil }
    let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  private func judge(exactly password: [UInt8], _ record: PasswordRecord, name: String, _ host: String) async -> LoginVerdict {
    await withCheckedContinuation { continuation in
      pool.run { [desk] in
        let verdict: LoginVerdict =
          switch desk.judge(password, of: record, name: name, address: "\(host) \(name)") {
          case .right: .right
          case .wrong(let count): .wrong(count)
          case .tooMany: .tooMany
          }
        continuation.resume(returning: verdict)
      }
    }
  }

  func met(_ stranger: Stranger) async -> Bool {
    let (adapter, discoverer, onboarding, limit) = state.withLock { state in
      let own = state.subprotocols[stranger.listener] ?? []
      let adapter = state.adapters.first { adapter in
        stranger.subprotocols.contains { adapter.subprotocols.contains($0) && (own.isEmpty || own.contains($0)) }
      }
      return (adapter, state.discoverer, state.onboarding, state.limits[stranger.listener])
    }
    // What speaks nothing that a plugin speaks is no candidate.
    guard let adapter, let discoverer, let onboarding else { return false }
    let endpoint = VisitorName.endpoint(stranger.listener, stranger.identity)
    let now = Clock.unixMilliseconds()
    let found = FoundDevice(
      adapter: adapter.id, template: nil, kind: adapter.kinds.first, endpoint: endpoint, config: [:], serial: stranger.identity,
      confidence: stranger.hasCertificate ? 1 : 0.9, firstSeen: now, lastSeen: now)
    if let password = stranger.password { await remember(password, endpoint) }
    guard let limit, hasRoom(stranger.listener, limit) else {
      await discoverer.sighted(found)
      return false
    }
    defer { state.withLock { $0.newcomers.end(stranger.listener) } }
    var request = OnboardingRequest()
    request.adapter = adapter.id
    request.endpoint = endpoint
    request.id = found.suggestedID
    do throws(OnboardingRefusal) {
      _ = try await onboarding.add(request)
      return true
    } catch {
      logger.warning("a device that connects cannot be taken into service", metadata: ["endpoint": "\(endpoint)", "reason": "\(error.text)"])
      await discoverer.sighted(found)
      return false
    }
  }

  private func hasRoom(_ listener: String, _ limit: Int) -> Bool {
    let known = registry.count(of: listener)
    switch state.withLock({ $0.newcomers.begin(listener, known: known, limit: limit) }) {
    case .comes: return true
    case .waits(let isNews):
      if isNews {
        logger.warning("\(Self.fullSentence(listener, limit))")
        state.withLock { $0.onFull }?()
      }
      return false
    }
  }

  /// Listeners that take in whoever comes, and have taken in as many as they may; a sentence each.
  func full() -> [String] {
    let (limits, found) = state.withLock { state in
      (state.limits, state.newcomers.settle(limits: state.limits) { registry.count(of: $0) })
    }
    for (listener, waited) in found.relieved {
      logger.notice("the listener \(listener) is not full any more; newcomers had to wait as candidates \(waited) times")
    }
    return found.full.map { Self.fullSentence($0, limits[$0] ?? 0) }
  }

  private static func fullSentence(_ listener: String, _ limit: Int) -> String {
    "the listener \(listener) takes in whoever comes, and the registry has \(limit) devices or more of it: newcomers wait as candidates; "
      + "approve them, forget devices that are none, or raise accept_limit"
  }

  private func remember(_ password: [UInt8], _ endpoint: String) async {
    let known = state.withLock { $0.shown[endpoint] != nil || $0.shown.count >= Self.shownLimit }
    guard !known, PasswordRecord.allowed.contains(password.count) else { return }
    let record = try? await hashed(password)
    state.withLock { state in
      if state.shown.count < Self.shownLimit, state.shown[endpoint] == nil { state.shown[endpoint] = record }
    }
  }

  /// Where the database cannot be read nobody comes in.
  func login(_ listener: String, _ identity: String) -> LoginStore.Login? {
    do {
      return try store.get(listener, identity)
    } catch {
      logger.error("the passwords of devices cannot be read", metadata: ["reason": "\(error)"])
      return LoginStore.Login(secret: nil, profile: 3)
    }
  }

  // MARK: For those who set them

  /// Nil leaves as it is. Throws a sentence, also where nobody could come in any more.
  func set(_ visitor: Endpoint.Visitor, password: [UInt8]?, profile: Int?) async throws {
    if let profile, let lack = try lack(visitor, profile, comesWithPassword: password != nil) { throw SecurityError(lack) }
    let secret: [UInt8]? = if let password { try await hashed(password).bytes } else { nil }
    var before = 0
    try change(visitor.listener, visitor.identity) { login in
      if let secret { (login.secret, login.next) = (secret, nil) }
      before = login.profile
      if let profile { login.profile = profile }
    }
    state.withLock { _ = $0.shown.removeValue(forKey: VisitorName.endpoint(visitor.listener, visitor.identity)) }
    logger.notice(
      password == nil ? "the security profile of a device was set" : "the password of a device was set",
      metadata: ["identity": "\(visitor.identity)"])
    if let profile, profile < before {
      logger.warning(
        "the security profile of a device was lowered",
        metadata: ["identity": "\(visitor.identity)", "from": "\(before)", "to": "\(profile)"])
    }
  }

  /// Gives a device a new password over its connection: `tell` hands it over and says whether the device has taken it. It is on
  /// disk before that, and until the device has come with it both count, so that a host or a device that stops between the two
  /// locks nobody out.
  func rotate(_ visitor: Endpoint.Visitor, _ tell: (String) async -> CommandResponse) async throws -> CommandResponse {
    let password = String((0..<20).map { _ in Self.letters.randomElement() ?? "x" })
    let new = try await hashed(Array(password.utf8)).bytes
    try change(visitor.listener, visitor.identity) { $0.next = new }
    let response = await tell(password)
    try change(visitor.listener, visitor.identity) { login in
      guard login.next == new else { return }
      switch response.status {
      // Where it never had one there is nothing to fall back on, and from now on one is asked for.
      case .done, .accepted: if login.secret == nil { (login.secret, login.next) = (new, nil) }
      case .unknown: break
      default: login.next = nil
      }
    }
    return response
  }

  private func hashed(_ password: [UInt8]) async throws -> PasswordRecord {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<PasswordRecord, any Error>) in
      pool.run { continuation.resume(with: Result { try PasswordRecord(password) }) }
    }
  }

  private func change(_ listener: String, _ identity: String, _ body: (inout LoginStore.Login) -> Void) throws {
    try changing.withLock { _ in
      var login = try store.get(listener, identity) ?? LoginStore.Login()
      let before = login
      body(&login)
      if login != before { try store.set(listener, identity, login) }
    }
  }

  /// What a device that was let in has made true; where the disk refuses, it is let in all the same.
  private func settle(_ what: String, _ listener: String, _ identity: String, _ body: (inout LoginStore.Login) -> Void) {
    do {
      try change(listener, identity, body)
      logger.notice("\(what)", metadata: ["identity": "\(identity)"])
    } catch {
      logger.error("the password of a device could not be kept", metadata: ["identity": "\(identity)", "reason": "\(error)"])
    }
  }

  /// Of the system's generator, which is one for keys; 20 of 62 are 119 bits.
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

  func remove(_ visitor: Endpoint.Visitor) throws {
    try store.remove(visitor.listener, visitor.identity)
    logger.notice("the password of a device was removed", metadata: ["identity": "\(visitor.identity)"])
  }
}
