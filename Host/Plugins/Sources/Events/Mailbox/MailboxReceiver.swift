// SPDX-License-Identifier: Apache-2.0

package import BusbarTransports
internal import Synchronization

/// One connection's way into the mailbox.
///
/// A connection takes the place of one that stands with its first message, or after a moment: one that only looks whether it would be let in,
/// as chargers and their testers do, ends before that and disturbs nobody.
package final class MailboxReceiver: WebSocketReceiver {
  private struct State {
    var connection: (any WebSocketSending)?
    var isAttached = false
  }

  /// Also how long a charger may be late that lost its line without a word and comes anew without one.
  private static let moment = Duration.seconds(1)

  private let mailbox: LinkMailbox
  private let peer: SocketPeer
  private let state = Mutex(State())
  /// A message waits until its connection is attached.
  private let attaching = Mutex(())

  /// `peer` is who is at the far end.
  package init(_ mailbox: LinkMailbox, _ peer: SocketPeer) {
    self.mailbox = mailbox
    self.peer = peer
  }

  package func opened(_ connection: any WebSocketSending) {
    state.withLock { $0.connection = connection }
    guard mailbox.isAwaiting else { return attach() }
    Task {
      try? await Task.sleep(for: Self.moment)
      attach()
    }
  }

  package func received(_ message: WebSocketMessage) {
    attach()
    guard let connection = state.withLock({ $0.connection }) else { return }
    mailbox.took(message, from: connection)
  }

  package func closed(code: UInt16, reason: String) {
    let ended = state.withLock { state in
      defer { state.connection = nil }
      return state.isAttached ? state.connection : nil
    }
    if let ended { mailbox.ended(ended, code: code, reason: reason) }
  }

  /// Takes the place of a connection that stands, now.
  package func attach() {
    attaching.withLock { _ in
      let new = state.withLock { state -> (any WebSocketSending)? in
        guard !state.isAttached, let connection = state.connection else { return nil }
        state.isAttached = true
        return connection
      }
      guard let new else { return }
      mailbox.attach(new, peer)
      // It may have ended just now, before the mailbox knew it.
      if state.withLock({ $0.connection == nil }) { mailbox.ended(new, code: 1006, reason: "the connection has ended") }
    }
  }
}
