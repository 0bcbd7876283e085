// SPDX-License-Identifier: Apache-2.0

package import BusbarPlugins
internal import BusbarSystem
package import BusbarTransports
internal import Synchronization

/// One connection's way to its link, through the hostile peer where there is one.
package final class VisitReceiver: WebSocketReceiver {
  private struct State {
    var inbox: MailboxReceiver
    /// The connection while it stands.
    var line: VisitLine?
    var hasArrived = false
  }

  private let mailbox: LinkMailbox
  private let peer: SocketPeer
  private let hostile: HostileVisitor?
  private let invited = Clock.boot()
  /// Called when it has gone.
  private let gone: @Sendable () -> Void
  private let state: Mutex<State>

  package init(_ mailbox: LinkMailbox, _ peer: SocketPeer, _ hostile: HostileVisitor?, gone: @escaping @Sendable () -> Void) {
    self.mailbox = mailbox
    self.peer = peer
    self.hostile = hostile
    self.gone = gone
    state = Mutex(State(inbox: MailboxReceiver(mailbox, peer)))
  }

  /// It was sent here after this time, boot clock, and has not arrived yet.
  package func isExpected(since time: Int64) -> Bool { invited > time && state.withLock { !$0.hasArrived } }

  package func opened(_ connection: any WebSocketSending) {
    let line = VisitLine(connection, hostile)
    let inbox = state.withLock { state in
      (state.line, state.hasArrived) = (line, true)
      return state.inbox
    }
    inbox.opened(line)
  }

  package func received(_ message: WebSocketMessage) {
    guard let hostile else { return hand(message) }
    hostile.pass(message) { delivery in
      switch delivery {
      case .message(let message): hand(message)
      case .later(let time, let message): _ = alarms.alarm(at: later(time)) { self.hand(message) }
      case .end: cut()
      }
    }
  }

  private func hand(_ message: WebSocketMessage) { state.withLock { $0.inbox }.received(message) }

  package func closed(code: UInt16, reason: String) {
    end().inbox.closed(code: code, reason: reason)
    gone()
  }

  /// Its connection ends without a word.
  package func cut() {
    let (inbox, line) = end()
    inbox.closed(code: 1006, reason: "")
    line?.close(code: 1001, reason: "cut off")
    gone()
  }

  private func end() -> (inbox: MailboxReceiver, line: VisitLine?) {
    state.withLock { state in
      defer { state.line = nil }
      return (state.inbox, state.line)
    }
  }

  /// From now on the same program is somebody new to the link.
  package func replace() {
    let new = state.withLock { state -> (inbox: MailboxReceiver, line: VisitLine)? in
      guard let line = state.line?.successor() else { return nil }
      (state.inbox, state.line) = (MailboxReceiver(mailbox, peer), line)
      return (state.inbox, line)
    }
    guard let new else { return }
    new.inbox.opened(new.line)
    new.inbox.attach()
    // It may have ended before the new way in knew of it.
    if state.withLock({ $0.line == nil }) { new.inbox.closed(code: 1006, reason: "the connection has ended") }
  }
}

/// A program's connection as the link sees it.
private final class VisitLine: WebSocketSending {
  private let connection: any WebSocketSending
  private let hostile: HostileVisitor?
  private let isReplaced = Atomic(false)

  init(_ connection: any WebSocketSending, _ hostile: HostileVisitor?) {
    self.connection = connection
    self.hostile = hostile
  }

  /// Another one over the same connection; this one's end is no longer that of the program.
  func successor() -> VisitLine {
    isReplaced.store(true, ordering: .releasing)
    return VisitLine(connection, hostile)
  }

  func send(_ message: WebSocketMessage) -> Bool {
    switch message {
    case .text(let bytes), .binary(let bytes): hostile?.hear(bytes)
    }
    return connection.send(message)
  }

  func close(code: UInt16, reason: String) {
    // What it had to wait for is over.
    guard !isReplaced.load(ordering: .acquiring) else { return connection.pauseReading(false) }
    connection.close(code: code, reason: reason)
  }

  func pauseReading(_ paused: Bool) {
    if !isReplaced.load(ordering: .acquiring) { connection.pauseReading(paused) }
  }

  var isOpen: Bool { connection.isOpen }
}
