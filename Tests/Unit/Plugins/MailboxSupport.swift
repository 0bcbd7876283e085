// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Synchronization

/// A connection that the test plays.
final class FakeSocket: WebSocketSending {
  enum Event: Equatable {
    case sent(WebSocketMessage)
    case closed(UInt16)
    case paused(Bool)
  }

  private let happened = Mutex<[Event]>([])

  var events: [Event] { happened.withLock { $0 } }
  func send(_ message: WebSocketMessage) -> Bool {
    happened.withLock { $0.append(.sent(message)) }
    return true
  }
  func close(code: UInt16, reason: String) { happened.withLock { $0.append(.closed(code)) } }
  func pauseReading(_ paused: Bool) { happened.withLock { $0.append(.paused(paused)) } }
  var isOpen: Bool { true }
}

/// Answers nobody before the test does.
final class FakeDesk: LinkDesk {
  private let questions = Mutex<[@Sendable (TagAnswer) -> Void]>([])

  func ask(device: UInt32, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) {
    questions.withLock { $0.append(answer) }
  }
  func answer(_ verdict: TagAnswer) { for answer in questions.withLock({ $0 }) { answer(verdict) } }
  func tags() -> [UInt8] { [] }
  func record(device: UInt32, kind: String, document: [UInt8]) -> String? { nil }
  func request(device: String, point: String, value: Double?, valid: Int64) -> String? { nil }
}

/// A mailbox of an open link.
struct Post {
  let desk = FakeDesk()
  let mailbox: LinkMailbox
  let peer = SocketPeer(identity: "CP-1", subprotocol: "v1", address: "192.0.2.7:50123")

  init(_ trace: LinkTrace? = nil) {
    mailbox = LinkMailbox(trace: trace, desk: desk)
    mailbox.prepare()
    mailbox.setOpen(true)
  }

  /// Connects; with a connection that stands it takes its place as soon as it says something.
  func connect(_ socket: FakeSocket) -> MailboxReceiver {
    let receiver = MailboxReceiver(mailbox, peer)
    receiver.opened(socket)
    return receiver
  }

  func next(_ now: Int64 = Clock.boot()) -> LinkEvent? { mailbox.next(now: now) }

  /// All that is due.
  func all(_ now: Int64 = Clock.boot()) -> [LinkEvent] {
    var events: [LinkEvent] = []
    while let event = next(now) { events.append(event) }
    return events
  }
}
