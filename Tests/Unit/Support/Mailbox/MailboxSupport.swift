// SPDX-License-Identifier: Apache-2.0

package import BusbarPlugins
internal import BusbarSystem
package import BusbarTransports
internal import Synchronization

/// A connection that the test plays.
package final class FakeSocket: WebSocketSending {
  package enum Event: Equatable {
    case sent(WebSocketMessage)
    case closed(UInt16)
    case paused(Bool)
  }

  private let happened = Mutex<[Event]>([])

  package init() {}

  package var events: [Event] { happened.withLock { $0 } }
  package func send(_ message: WebSocketMessage) -> Bool {
    happened.withLock { $0.append(.sent(message)) }
    return true
  }
  package func close(code: UInt16, reason: String) { happened.withLock { $0.append(.closed(code)) } }
  package func pauseReading(_ paused: Bool) { happened.withLock { $0.append(.paused(paused)) } }
  package var isOpen: Bool { true }
}

/// Answers nobody before the test does.
package final class FakeDesk: LinkDesk {
  private let questions = Mutex<[@Sendable (TagAnswer) -> Void]>([])

  package func ask(device: UInt32, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) {
    questions.withLock { $0.append(answer) }
  }
  package func answer(_ verdict: TagAnswer) { for answer in questions.withLock({ $0 }) { answer(verdict) } }
  package func tags() -> [UInt8] { [] }
  package func record(device: UInt32, kind: String, document: [UInt8]) -> String? { nil }
  package func request(device: String, point: String, value: Double?, valid: Int64) -> String? { nil }
}

/// A mailbox of an open link.
package struct Post {
  package let desk = FakeDesk()
  package let mailbox: LinkMailbox
  package let peer = SocketPeer(identity: "CP-1", subprotocol: "v1", address: "192.0.2.7:50123")

  package init(_ trace: LinkTrace? = nil) {
    mailbox = LinkMailbox(trace: trace, desk: desk)
    mailbox.prepare()
    mailbox.setOpen(true)
  }

  /// Connects; with a connection that stands it takes its place as soon as it says something.
  package func connect(_ socket: FakeSocket) -> MailboxReceiver {
    let receiver = MailboxReceiver(mailbox, peer)
    receiver.opened(socket)
    return receiver
  }

  package func next(_ now: Int64? = nil) -> LinkEvent? { mailbox.next(now: now ?? Clock.boot()) }

  /// All that is due.
  package func all(_ now: Int64? = nil) -> [LinkEvent] {
    var events: [LinkEvent] = []
    while let event = next(now) { events.append(event) }
    return events
  }
}
