// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// The far end's side.
extension Visit {
  /// How long somebody may take from the door to the link, nanoseconds.
  private static let wayIn: Int64 = 2_000_000_000

  /// Somebody was sent here.
  func invited() { state.withLock { $0.invitedAt = Clock.boot() } }

  /// Waits until somebody has connected. False where nobody has, in the time.
  func arrive(until deadline: Int64) async throws -> Bool {
    var count = happened
    while !isConnected {
      let now = Clock.boot()
      guard now < deadline else { return false }
      let isOnItsWay = state.withLock { $0.newest != nil || $0.invitedAt + Self.wayIn > now }
      if !isOnItsWay { try await door.want(self) }
      count = await change(since: count, until: min(deadline, now + Self.wayIn))
    }
    return true
  }

  /// The connection that stands ends without a word. Returns when the plugin knows.
  func cut() async {
    if let connection = state.withLock({ $0.newest }) { cut(connection) }
    await drain()
  }

  private func cut(_ connection: any WebSocketSending) {
    ended(connection, code: 1006, reason: "")
    connection.close(code: 1001, reason: "cut off")
  }

  /// Time that passes while nobody is connected.
  func absence(_ time: Duration) async {
    let end = later(time)
    var count = happened
    while Clock.boot() < end { count = await change(since: count, until: end) }
  }

  /// The far end connects anew before anybody has seen that its old connection has ended.
  func replace() {
    let known = state.withLock { state in state.newest.flatMap { newest in state.newestPeer.map { (newest, $0) } } }
    guard let (connection, peer) = known else { return }
    put(.event(.closed(code: 1006, reason: "a newer connection takes its place"), connection))
    put(.event(.opened(peer), connection))
  }

  /// Takes the place of a connection that stands.
  func attach(_ connection: any WebSocketSending, _ peer: SocketPeer) {
    let (isOpen, former) = state.withLock { state -> (Bool, (any WebSocketSending)?) in
      state.invitedAt = 0
      guard state.isOpen else { return (false, nil) }
      defer { (state.newest, state.newestPeer) = (connection, peer) }
      state.isPaused = false
      return (true, state.newest)
    }
    guard isOpen else { return connection.close(code: 1012, reason: "the link is closed") }
    if let former {
      put(.event(.closed(code: 1006, reason: "a newer connection takes its place"), former))
      former.close(code: 1000, reason: "a newer connection takes your place")
    }
    put(.event(.opened(peer), connection))
  }

  func took(_ message: WebSocketMessage, from connection: any WebSocketSending) {
    guard let peer else { return hand(message, from: connection) }
    peer.pass(message) { delivery in
      switch delivery {
      case .message(let message): hand(message, from: connection)
      case .later(let time, let message):
        _ = alarms.alarm(at: Clock.boot() + time.nanoseconds) { self.hand(message, from: connection) }
      case .end: cut(connection)
      }
    }
  }

  private func hand(_ message: WebSocketMessage, from connection: any WebSocketSending) {
    let event: LinkEvent =
      switch message {
      case .text(let bytes): .message(text: true, bytes)
      case .binary(let bytes): .message(text: false, bytes)
      }
    let (isTaken, pauses) = state.withLock { state -> (Bool?, Bool) in
      // Of one that was replaced or has ended nothing counts any more.
      guard state.newest === connection else { return (nil, false) }
      let waiting = state.jobs.count { if case .event(.message, _) = $0 { true } else { false } }
      guard waiting < Self.mostMessages else { return (false, false) }
      let pauses = waiting >= Self.pauseBehind && !state.isPaused
      if pauses { state.isPaused = true }
      return (true, pauses)
    }
    guard let isTaken else { return }
    guard isTaken else { return connection.close(code: 1008, reason: "too many messages are waiting") }
    if pauses { connection.pauseReading(true) }
    put(.event(event, connection))
  }

  func ended(_ connection: any WebSocketSending, code: UInt16, reason: String) {
    let isKnown = state.withLock { state in
      guard state.newest === connection else { return false }
      state.newest = nil
      state.isPaused = false
      return true
    }
    if isKnown { put(.event(.closed(code: code, reason: reason), connection)) }
  }
}
