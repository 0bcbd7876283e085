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

  private struct State {
    var adapters: [PluginManifest.Adapter] = []
    var accepts: [String: Configuration.Strangers] = [:]
    var subprotocols: [String: [String]] = [:]
    var discoverer: Discoverer?
    var onboarding: Onboarding?
    /// By endpoint: what a candidate showed.
    var shown: [String: PasswordRecord] = [:]
    /// By endpoint: the other one of two passwords while one takes the place of the other.
    var alternates: [String: PasswordRecord] = [:]
  }

  private let store: LoginStore
  private let desk: LoginDesk
  private let logger: Logger
  private let state = Mutex(State())
  /// Hashing takes its time: not on threads that others need, and not on all cores.
  private let pool = ThreadPool(name: "login", limit: 2)

  init(database: StateDatabase, logger: Logger) throws {
    store = LoginStore(database: database)
    desk = try LoginDesk()
    self.logger = logger
  }

  func connect(_ discoverer: Discoverer, _ onboarding: Onboarding) {
    state.withLock { ($0.discoverer, $0.onboarding) = (discoverer, onboarding) }
  }

  /// What is configured, and what the plugins speak that are there.
  func change(_ listeners: [String: Configuration.Listener], _ adapters: [PluginManifest.Adapter]) {
    state.withLock { state in
      state.adapters = adapters
      state.accepts = listeners.mapValues(\.accept)
      state.subprotocols = listeners.mapValues(\.subprotocols)
    }
  }

  // MARK: At the door

  func requirement(_ listener: String, _ identity: String) async -> ListenerPlan.Login {
    guard let login = login(listener, identity) else { return .none }
    switch login.profile {
    // A password that somebody has set is asked for.
    case 0: return login.secret == nil ? .none : .password
    case 1, 2: return .password
    default: return .certificate
    }
  }

  func judge(_ password: [UInt8], _ listener: String, _ identity: String, address: String) async -> LoginVerdict {
    let name = "\(listener)/\(identity)"
    let alternate = state.withLock { $0.alternates["listener:\(name)"] }
    if let alternate, await judge(password, alternate, name: "\(name) other", address) == .right { return .right }
    var record = login(listener, identity)?.secret.flatMap(PasswordRecord.init(bytes:))
    let isNew = record == nil
    if isNew { record = state.withLock { $0.shown["listener:\(name)"] } }
    guard let record else { return .unset }
    let verdict = await judge(password, record, name: name, address)
    guard isNew, verdict == .right else { return verdict }
    do {
      try store.set(listener, identity, LoginStore.Login(secret: record.bytes, profile: 0))
      state.withLock { _ = $0.shown.removeValue(forKey: "listener:\(name)") }
      logger.notice("the password that a device showed as a candidate is its password from now on", metadata: ["identity": "\(identity)"])
    } catch {
      logger.error("the password of a device could not be kept", metadata: ["identity": "\(identity)", "reason": "\(error)"])
    }
    return verdict
  }

  private func judge(_ password: [UInt8], _ record: PasswordRecord, name: String, _ address: String) async -> LoginVerdict {
    let host = address.split(separator: ":").dropLast().joined(separator: ":")
    return await withCheckedContinuation { continuation in
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
    let (adapter, discoverer, onboarding, accepts) = state.withLock { state in
      let own = state.subprotocols[stranger.listener] ?? []
      let adapter = state.adapters.first { adapter in
        stranger.subprotocols.contains { adapter.subprotocols.contains($0) && (own.isEmpty || own.contains($0)) }
      }
      return (adapter, state.discoverer, state.onboarding, state.accepts[stranger.listener] ?? .approved)
    }
    // What speaks nothing that a plugin speaks is no candidate.
    guard let adapter, let discoverer, let onboarding else { return false }
    let endpoint = "listener:\(stranger.listener)/\(stranger.identity)"
    let now = Clock.unixMilliseconds()
    let found = FoundDevice(
      adapter: adapter.id, template: nil, kind: adapter.kinds.first, endpoint: endpoint, config: [:], serial: stranger.identity,
      confidence: stranger.hasCertificate ? 1 : 0.9, firstSeen: now, lastSeen: now)
    if let password = stranger.password { await remember(password, endpoint) }
    guard accepts == .any else {
      await discoverer.sighted(found)
      return false
    }
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

  private func remember(_ password: [UInt8], _ endpoint: String) async {
    let known = state.withLock { $0.shown[endpoint] != nil || $0.shown.count >= Self.shownLimit }
    guard !known, PasswordRecord.allowed.contains(password.count) else { return }
    let record: PasswordRecord? = await withCheckedContinuation { continuation in
      pool.run { continuation.resume(returning: try? PasswordRecord(password)) }
    }
    state.withLock { state in
      if state.shown.count < Self.shownLimit, state.shown[endpoint] == nil { state.shown[endpoint] = record }
    }
  }

  /// Where the database cannot be read nobody comes in.
  private func login(_ listener: String, _ identity: String) -> LoginStore.Login? {
    do {
      return try store.get(listener, identity)
    } catch {
      logger.error("the passwords of devices cannot be read", metadata: ["reason": "\(error)"])
      return LoginStore.Login(secret: nil, profile: 3)
    }
  }

  // MARK: For those who set them

  /// Nil leaves as it is. Throws a sentence.
  func set(_ visitor: Endpoint.Visitor, password: [UInt8]?, profile: Int?) async throws {
    var login = try store.get(visitor.listener, visitor.identity) ?? LoginStore.Login(secret: nil, profile: 0)
    if let password {
      login.secret = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<[UInt8], any Error>) in
        pool.run { continuation.resume(with: Result { try PasswordRecord(password).bytes }) }
      }
    }
    if let profile { login.profile = profile }
    try store.set(visitor.listener, visitor.identity, login)
    state.withLock { _ = $0.shown.removeValue(forKey: "listener:\(visitor.listener)/\(visitor.identity)") }
    logger.notice(
      password == nil ? "the security profile of a device was set" : "the password of a device was set",
      metadata: ["identity": "\(visitor.identity)"])
  }

  /// Gives a device a new password over its connection: `tell` hands it over and says whether the device has taken it. Until
  /// it has come with the new one both count, so that a host or a device that stops between the two locks nobody out.
  func rotate(_ visitor: Endpoint.Visitor, _ tell: (String) async -> CommandResponse) async throws -> CommandResponse {
    let endpoint = "listener:\(visitor.listener)/\(visitor.identity)"
    let password = String((0..<20).map { _ in Self.letters.randomElement() ?? "x" })
    let former = try store.get(visitor.listener, visitor.identity)?.secret.flatMap(PasswordRecord.init(bytes:))
    let new = try PasswordRecord(Array(password.utf8))
    state.withLock { $0.alternates[endpoint] = new }
    let response = await tell(password)
    guard [.done, .accepted, .unknown].contains(response.status) else {
      state.withLock { $0.alternates[endpoint] = nil }
      return response
    }
    if response.status != .unknown {
      try await set(visitor, password: Array(password.utf8), profile: nil)
      state.withLock { $0.alternates[endpoint] = former }
    }
    return response
  }

  /// Of the system's generator, which is one for keys; 20 of 62 are 119 bits.
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

  func remove(_ visitor: Endpoint.Visitor) throws {
    try store.remove(visitor.listener, visitor.identity)
    logger.notice("the password of a device was removed", metadata: ["identity": "\(visitor.identity)"])
  }
}
