// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// What happens on a link without being asked for. Handed to the plugin as a call like any other.
package enum LinkEvent: Sendable, Equatable {
  /// A connection of a listener stands (websocket.h).
  case opened(SocketPeer)
  case message(text: Bool, [UInt8])
  case closed(code: UInt16, reason: String)
  /// event.h
  case timer(tag: UInt64)
  case wake(tag: UInt64)
  /// authorize.h
  case verdict(ticket: UInt64, TagAnswer)
  case listChanged
  /// async.h
  case abandoned(token: UInt64)
}

/// Who is at the far end of a connection (websocket.h, bb_peer).
package struct SocketPeer: Sendable, Equatable {
  package enum Trust: UInt32, Sendable {
    case none = 1, pending, password, certificate
  }

  package var identity: String
  package var subprotocol: String
  package var address: String
  package var subject = ""
  package var fingerprint = ""
  package var ski = ""
  package var trust = Trust.none
  package var tls = false

  package init(identity: String, subprotocol: String, address: String) {
    self.identity = identity
    self.subprotocol = subprotocol
    self.address = address
  }
}

/// The answer about a tag (authorize.h, bb_tag_verdict).
package struct TagAnswer: Sendable, Equatable {
  /// BB_TAG_…
  package var verdict: UInt32
  package var group: String
  /// Unix milliseconds; 0 = never.
  package var expires: Int64

  package init(verdict: UInt32, group: String = "", expires: Int64 = 0) {
    self.verdict = verdict
    self.group = group
    self.expires = expires
  }

  /// It may charge.
  package static let accepted = TagAnswer(verdict: UInt32(BB_TAG_ACCEPTED))

  /// Nobody could be asked.
  package static let undecided = TagAnswer(verdict: UInt32(BB_TAG_UNDECIDED))
}

/// What a plugin asks of its link's host beside a call's answer. Told on the plugin's thread; nothing may block, but
/// `record` until the disk has it.
package protocol LinkServices: Sendable {
  /// One message to the far end. What cannot be taken closes the connection.
  func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome
  func close(code: UInt16, reason: String)
  /// Nanoseconds; period 0 = once, delay below 0 = stop.
  func timer(tag: UInt64, delay: Int64, period: Int64)
  func wake(tag: UInt64)
  /// A command that was pending has ended. False where nobody waits for it.
  func completed(token: UInt64, _ result: CommandResult) -> Bool
  func ask(device: UInt32, ticket: UInt64, tag: String, kind: String)
  /// The local list of tags, as JSON.
  func tags() -> [UInt8]
  /// Nil = on disk; else a sentence.
  func record(device: UInt32, kind: String, document: [UInt8]) -> String?
  /// Nil = taken; nil value = released. Else a sentence.
  func request(device: String, point: String, value: Double?, valid: Int64) -> String?
}

package enum SendOutcome: Sendable, Equatable {
  case taken, full, closed
}

/// A link whose host offers none of it.
package struct NoServices: LinkServices {
  package init() {}
  package func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome { .closed }
  package func close(code: UInt16, reason: String) {}
  package func timer(tag: UInt64, delay: Int64, period: Int64) {}
  package func wake(tag: UInt64) {}
  package func completed(token: UInt64, _ result: CommandResult) -> Bool { false }
  package func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) {}
  package func tags() -> [UInt8] { Array(#"{"version":0,"tags":[]}"#.utf8) }
  package func record(device: UInt32, kind: String, document: [UInt8]) -> String? { "this link keeps no records" }
  package func request(device: String, point: String, value: Double?, valid: Int64) -> String? { "nobody granted this link anything" }
}

/// Limits of the headers.
enum EventLimit {
  /// Bytes of one message of a WebSocket.
  static let message = 1 << 20
  static let reason = 123
  static let tag = 255
  /// Bytes of a record.
  static let record = 16 << 10
  /// Bytes of an action's answer.
  static let answer = TextLimit.answer
}
