// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarControl
internal import BusbarDiscovery
internal import BusbarManagement
internal import BusbarModel
internal import BusbarSystem
internal import BusbarUplink
internal import Synchronization

/// Brings commands from the broker to the arbiter, and the host's own ones to those who carry them out.
final class UplinkCommands: UplinkHandler {
  private let arbiter: Arbiter
  private let journal: CommandJournal
  private let gateway: String
  private let role: Role
  private let count: CommandCount
  private let state = Mutex(State())

  // A closure that is a mutex's own value is wrapped once more at each access; in a field it is not.
  private struct State {
    var doers: GatewayActions?
  }

  init(arbiter: Arbiter, journal: CommandJournal, gateway: String, role: Role, count: CommandCount) {
    self.arbiter = arbiter
    self.journal = journal
    self.gateway = gateway
    self.role = role
    self.count = count
  }

  func connect(
    discovery: DiscoveryDesk, desk: ListenerDesk, tags: TagDesk, reload: @escaping @Sendable () async throws(OperationError) -> JSONValue,
    restart: @escaping @Sendable (String) async throws(OperationError) -> JSONValue
  ) {
    state.withLock { $0.doers = GatewayActions(discovery: discovery, desk: desk, arbiter: arbiter, tags: tags, reload: reload, restart: restart) }
  }

  func verdict(_ document: JSONValue) {
    guard let tags = state.withLock({ $0.doers })?.tags else { return }
    Task { _ = await tags.answer(document) }
  }

  func command(_ request: CommandRequest, reply: @escaping @Sendable (CommandResponse) -> Void) {
    Task {
      let response = await arbiter.submit(request)
      count.note(response)
      reply(response)
    }
  }

  func gatewayCommand(_ request: JSONValue, reply: @escaping @Sendable (CommandResponse) -> Void) {
    let id = request["id"]?.string ?? ""
    func answer(_ status: CommandResponse.Status, _ text: String, _ reason: RefusalReason? = nil) {
      let response = CommandResponse(id: id, time: Clock.unixMilliseconds(), status: status, reason: reason, text: text)
      count.note(response)
      reply(response)
    }
    guard let name = request["action"]?.string, let action = GatewayActions.Name(rawValue: name) else {
      let known = GatewayActions.Name.allCases.map(\.rawValue).joined(separator: ", ")
      return answer(.refused, "this release knows the actions \(known)", .unsupported)
    }
    guard role >= action.role else {
      return answer(
        .refused, "\(name) needs the role \(action.role.rawValue); the uplink has \(role.rawValue)", .notAuthorized)
    }
    guard let doers = state.withLock({ $0.doers }) else { return answer(.failed, "the host is starting") }
    if let why = Self.expired(request) { return answer(.expired, why) }
    do {
      switch try enter(id, request) {
      case .new: break
      case .finished(let response): return reply(response)
      case .running: return answer(.accepted, "it is being carried out")
      case .different: return answer(.refused, "another request had this id", .invalid)
      }
    } catch {
      return answer(.failed, "the journal could not be written: \(error)")
    }
    Task {
      let response = await doers.carryOut(action, request, id: id, early: reply)
      count.note(response)
      // Where it cannot be kept it would be carried out again; nothing of it does harm twice.
      try? journal.finish(id: id, response: response)
      reply(response)
    }
  }

  /// From this machine, whose users may do all; nothing of it comes twice.
  func carryOut(_ request: JSONValue) async -> CommandResponse {
    let id = request["id"]?.string ?? ""
    guard let name = request["action"]?.string, let action = GatewayActions.Name(rawValue: name),
      let doers = state.withLock({ $0.doers })
    else {
      let known = GatewayActions.Name.allCases.map(\.rawValue).joined(separator: ", ")
      return CommandResponse(
        id: id, time: Clock.unixMilliseconds(), status: .refused, reason: .unsupported, text: "this release knows the actions \(known)")
    }
    return await doers.carryOut(action, request, id: id) { _ in }
  }

  /// Actions without `valid_for` live for 60 s (interfaces 3.3); `ts` may be left out here.
  private static func expired(_ request: JSONValue) -> String? {
    guard let time = request["ts"]?.integer else { return nil }
    let life = request["valid_for"]?.integer.map { min(max(0, $0), 86_400_000) } ?? 60_000
    return Clock.unixMilliseconds() - time > life ? "it was \(life / 1000) s old when it came" : nil
  }

  private func enter(_ id: String, _ request: JSONValue) throws -> JournalEntry {
    guard let own = DeviceID(rawValue: gateway) else { return .new }
    var members = request.object ?? [:]
    members["ts"] = nil
    // Nothing on disk says anything about it.
    members["password"] = nil
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in JSONValue.object(members).text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return try journal.enter(
      id: id, device: own, digest: "gateway-" + String(hash, radix: 16), time: Clock.unixMilliseconds())
  }
}
