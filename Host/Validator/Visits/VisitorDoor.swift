// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// Where devices that connect by themselves come in: a listener of the case on 127.0.0.1. Who comes waits in its handshake until a link
/// wants somebody, and a program is called for each link that wants somebody at the same time.
final class VisitorDoor: WebSocketDoor {
  private struct Caller {
    var peer: SocketPeer
    var answer: CheckedContinuation<WebSocketAdmission, Never>
  }

  private struct State {
    var programs = 0
    /// Links that want somebody or have somebody.
    var guests: [ObjectIdentifier: Visit] = [:]
    /// Of these, those that wait.
    var wanting: [Visit] = []
    /// Who waits, the newest last: one that has given up meanwhile is older than the same one that came again.
    var callers: [Caller] = []
    var hasCome = false
    var complaint: String?
    /// Who waits until everybody waits here.
    var gathering: [CheckedContinuation<Void, Never>] = []
  }

  private static let name = "check"
  /// As many as any case has links.
  private static let mostPrograms = 64
  private static let mostCallers = 256

  /// What the adapter speaks; empty = anything.
  private let subprotocols: [String]
  private let call: @Sendable (String) -> Void
  private let state = Mutex(State())
  private let opening = Mutex<Task<WebSocketListener, any Error>?>(nil)

  /// `call` has a program started that connects to the address it is given.
  init(subprotocols: [String], call: @escaping @Sendable (String) -> Void) {
    self.subprotocols = subprotocols
    self.call = call
  }

  /// Somebody was let in once.
  var hasCome: Bool { state.withLock { $0.hasCome } }

  /// Why nobody is let in, where somebody tried.
  var complaint: String? { state.withLock { $0.complaint } }

  /// The link wants a visitor; whoever waits comes in, else one is called.
  func want(_ visit: Visit) async throws {
    let port = try await listener().port
    let number = state.withLock { state -> Int? in
      state.guests[ObjectIdentifier(visit)] = visit
      if !state.wanting.contains(where: { $0 === visit }) { state.wanting.append(visit) }
      guard state.programs < min(state.guests.count, Self.mostPrograms) else { return nil }
      state.programs += 1
      return state.programs
    }
    if let number { call("ws://127.0.0.1:\(port)/\(Self.name)/visitor-\(number)") }
    match()
  }

  /// It wants nobody any more, and has nobody.
  func leave(_ visit: Visit) {
    state.withLock { state in
      state.guests[ObjectIdentifier(visit)] = nil
      state.wanting.removeAll { $0 === visit }
    }
  }

  /// Waits until everybody who was called waits here again, or until the deadline: what a connection holds is the same each time then.
  func gather(until deadline: Int64) async {
    let alarm = alarms.alarm(at: deadline) { [self] in resume(state.withLock { Self.gathered(&$0) }) }
    await withCheckedContinuation { continuation in
      let gathered = state.withLock { state in
        state.gathering.append(continuation)
        return state.callers.count < state.programs ? [] : Self.gathered(&state)
      }
      resume(gathered)
    }
    alarms.cancel(alarm)
  }

  private static func gathered(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
    defer { state.gathering = [] }
    return state.gathering
  }

  private func resume(_ waiting: [CheckedContinuation<Void, Never>]) { for continuation in waiting { continuation.resume() } }

  func admit(_ request: WebSocketRequest) async -> WebSocketAdmission {
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1] == Self.name, VisitorName.isValid(String(parts[2])) else {
      complain("it asks for \(request.path.prefix(80)), which is not the path that it was given")
      return .refuse(.notFound)
    }
    var peer = SocketPeer(identity: String(parts[2]), subprotocol: "", address: request.address)
    if !subprotocols.isEmpty {
      guard let common = request.subprotocols.first(where: { subprotocols.contains($0) }) else {
        complain("it speaks \(request.subprotocols.joined(separator: ", ").prefix(80)); the manifest has \(subprotocols.joined(separator: ", "))")
        return .refuse(.badRequest)
      }
      peer.subprotocol = common
    }
    return await withCheckedContinuation { answer in
      let hasRoom = state.withLock { state in
        guard state.callers.count < Self.mostCallers else { return false }
        state.callers.append(Caller(peer: peer, answer: answer))
        return true
      }
      guard hasRoom else { return answer.resume(returning: .refuse(.unavailable)) }
      match()
      resume(state.withLock { $0.callers.count < $0.programs ? [] : Self.gathered(&$0) })
    }
  }

  func standing(_ host: String) -> WebSocketStanding { .welcome }
  func abandoned(_ host: String) {}

  private func match() {
    while let (visit, caller) = pair() {
      caller.answer.resume(returning: .accept(subprotocol: caller.peer.subprotocol, receiver: visit.invite(caller.peer)))
    }
  }

  private func pair() -> (Visit, Caller)? {
    state.withLock { state in
      guard !state.wanting.isEmpty, let caller = state.callers.popLast() else { return nil }
      state.hasCome = true
      return (state.wanting.removeFirst(), caller)
    }
  }

  private func complain(_ text: String) { state.withLock { $0.complaint = text } }

  private func listener() async throws -> WebSocketListener {
    let task = opening.withLock { opening in
      if let opening { return opening }
      var limits = WebSocketLimits()
      // They wait there.
      limits.handshake = .seconds(3_600)
      let task = Task { [limits] in
        try await WebSocketListener.listen(host: "127.0.0.1", port: 0, tls: nil, door: self, limits: limits)
      }
      opening = task
      return task
    }
    return try await task.value
  }
}
