// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import Synchronization

/// The far end's side.
extension Visit {
  /// How long somebody may take from the door to the link, nanoseconds.
  private static let wayIn: Int64 = 2_000_000_000

  /// The plugin knows of somebody.
  var isConnected: Bool { mailbox.isConnected }

  /// Somebody is sent here.
  func invite(_ peer: SocketPeer) -> VisitReceiver {
    let visitor = VisitReceiver(mailbox, peer, self.peer) { [weak self] in self?.stir() }
    state.withLock { $0.visitor = visitor }
    return visitor
  }

  /// Waits until somebody has connected. False where nobody has, in the time.
  func arrive(until deadline: Int64) async throws -> Bool {
    var count = happened
    while !isConnected {
      let now = Clock.boot()
      guard now < deadline else { return false }
      let isOnItsWay = mailbox.isAwaiting || state.withLock { $0.visitor?.isExpected(since: now - Self.wayIn) ?? false }
      if !isOnItsWay { try await door.want(self) }
      count = await change(since: count, until: min(deadline, now + Self.wayIn))
    }
    return true
  }

  /// The connection that stands ends without a word. Returns when the plugin knows.
  func cut() async {
    state.withLock { $0.visitor }?.cut()
    await drain()
  }

  /// Time that passes while nobody is connected.
  func absence(_ time: Duration) async {
    let end = later(time)
    var count = happened
    while Clock.boot() < end { count = await change(since: count, until: end) }
  }

  /// The far end connects anew before anybody has seen that its old connection has ended.
  func replace() { state.withLock { $0.visitor }?.replace() }
}
