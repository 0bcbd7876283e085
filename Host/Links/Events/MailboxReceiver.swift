// SPDX-License-Identifier: Apache-2.0

package import BusbarPlugins
package import BusbarTransports
internal import Synchronization

/// One connection's way into the mailbox.
package final class MailboxReceiver: WebSocketReceiver {
  private let mailbox: LinkMailbox
  private let peer: SocketPeer
  private let connection = Mutex<(any WebSocketSending)?>(nil)

  package init(_ mailbox: LinkMailbox, _ peer: SocketPeer) {
    self.mailbox = mailbox
    self.peer = peer
  }

  package func opened(_ connection: any WebSocketSending) {
    self.connection.withLock { $0 = connection }
    mailbox.attach(connection, peer)
  }

  package func received(_ message: WebSocketMessage) {
    guard let connection = connection.withLock({ $0 }) else { return }
    mailbox.took(message, from: connection)
  }

  package func closed(code: UInt16, reason: String) {
    guard let connection = connection.withLock({ $0 }) else { return }
    mailbox.ended(connection, code: code, reason: reason)
  }
}
