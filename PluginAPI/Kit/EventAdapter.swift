// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// An adapter whose devices speak first: it is told what happens on its link. Nothing that it does then may block.
public protocol EventAdapter: Adapter {
  func handle(_ event: Event, _ call: borrowing Call) throws(AdapterError)
}

/// What happens on a link without being asked for.
public enum Event: Sendable {
  /// A connection of a listener stands (websocket.h); one that stood before was closed.
  case opened(Peer)
  /// A whole message, at most 1 MiB.
  case message(text: Bool, [UInt8])
  /// The connection is gone; 1006 where it ended without a closing handshake.
  case closed(code: Int, reason: String)
  /// A timer is due (event.h).
  case timer(tag: UInt64)
  case wake(tag: UInt64)
  /// The answer to `Link.ask` (authorize.h).
  case verdict(ticket: UInt64, TagVerdict)
  /// The local list of tags has changed.
  case tagsChanged
  /// Nobody waits any longer for the command whose call had this token (async.h).
  case abandoned(token: UInt64)
}

/// Who is at the far end of a connection, as the host verified it (websocket.h).
public struct Peer: Sendable, Equatable {
  /// The higher, the surer.
  public enum Trust: UInt32, Sendable {
    case none = 1, pending, password, certificate
  }

  /// The last part of the path.
  public var identity: String
  /// The chosen one, "ocpp1.6".
  public var subprotocol: String
  public var address: String
  /// Of the client certificate: subject, SHA-256 and subject key identifier; empty without one.
  public var subject: String
  public var fingerprint: String
  public var ski: String
  public var trust: Trust
  public var isEncrypted: Bool
}

/// The answer about a tag (authorize.h).
public struct TagVerdict: Sendable, Equatable {
  public enum Verdict: UInt32, Sendable {
    case accepted = 1, blocked, expired, unknown
    /// Nobody could be asked, and the rules say nothing.
    case undecided
  }

  public var verdict: Verdict
  /// Empty where there is none.
  public var group: String
  /// Unix milliseconds; nil = never.
  public var expires: Int64?
}

extension Peer {
  init(_ peer: bb_peer_t) {
    identity = unsafe String(peer.identity)
    subprotocol = unsafe String(peer.subprotocol)
    address = unsafe String(peer.address)
    subject = unsafe String(peer.subject)
    fingerprint = unsafe String(peer.fingerprint)
    ski = unsafe String(peer.ski)
    trust = unsafe Trust(rawValue: peer.trust) ?? .none
    isEncrypted = unsafe peer.flags & UInt32(BB_PEER_TLS) != 0
  }
}

extension TagVerdict {
  init(_ record: bb_tag_verdict_t) {
    verdict = unsafe Verdict(rawValue: record.verdict) ?? .undecided
    group = unsafe String(record.group)
    expires = unsafe record.expires_ms == 0 ? nil : record.expires_ms
  }
}
