// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import PluginAPI

extension DirectLink {
  package func event(
    _ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void
  ) {
    unsafe run(deadline, completion) { link, call in unsafe link.deliver(event, call) }
  }

  private func deliver(_ event: LinkEvent, _ call: UnsafePointer<bb_call_t>) -> bb_status_t {
    switch event {
    case .opened(let peer):
      guard let slot = unsafe socket?.pointee.on_open else { return bb_status_t(BB_OK) }
      return unsafe withPeer(peer) { unsafe slot(host, call, pluginState, $0) }
    case .message(let text, let bytes):
      guard let slot = unsafe socket?.pointee.on_message else { return bb_status_t(BB_OK) }
      return unsafe bytes.withUnsafeBufferPointer { bytes in
        var lent = unsafe bb_bytes_t()
        unsafe lent.data = bytes.baseAddress
        unsafe lent.length = UInt32(bytes.count)
        return unsafe slot(host, call, pluginState, UInt32(text ? BB_MESSAGE_TEXT : BB_MESSAGE_BINARY), lent)
      }
    case .closed(let code, let reason):
      guard let slot = unsafe socket?.pointee.on_closed else { return bb_status_t(BB_OK) }
      return unsafe withLentText(reason) { unsafe slot(host, call, pluginState, UInt32(code), $0) }
    case .timer(let tag):
      guard let slot = unsafe events?.pointee.on_timer else { return bb_status_t(BB_OK) }
      return unsafe slot(host, call, pluginState, tag)
    case .wake(let tag):
      guard let slot = unsafe events?.pointee.on_wake else { return bb_status_t(BB_OK) }
      return unsafe slot(host, call, pluginState, tag)
    case .verdict(let ticket, let answer):
      guard let slot = unsafe authorize?.pointee.on_verdict else { return bb_status_t(BB_OK) }
      return unsafe withLentText(answer.group) { group in
        var record = unsafe bb_tag_verdict_t()
        unsafe record.size = UInt32(MemoryLayout<bb_tag_verdict_t>.size)
        unsafe record.verdict = answer.verdict
        unsafe record.group = group
        unsafe record.expires_ms = answer.expires
        return unsafe slot(host, call, pluginState, ticket, &record)
      }
    case .listChanged:
      guard let slot = unsafe authorize?.pointee.on_list else { return bb_status_t(BB_OK) }
      return unsafe slot(host, call, pluginState)
    case .abandoned(let token):
      if let slot = unsafe async?.pointee.abandon { unsafe slot(host, call, pluginState, token) }
      return bb_status_t(BB_OK)
    }
  }

  /// Commands that may be pending at a time (async.h, max_pending).
  var mostPending: Int { unsafe min(64, max(1, async.map { unsafe Int($0.pointee.max_pending) } ?? 1)) }

  private var socket: UnsafePointer<bb_websocket_interface_t>? {
    unsafe interface(BB_INTERFACE_WEBSOCKET)?.assumingMemoryBound(to: bb_websocket_interface_t.self)
  }

  private var events: UnsafePointer<bb_event_interface_t>? {
    unsafe interface(BB_INTERFACE_EVENT)?.assumingMemoryBound(to: bb_event_interface_t.self)
  }

  private var authorize: UnsafePointer<bb_authorize_interface_t>? {
    unsafe interface(BB_INTERFACE_AUTHORIZE)?.assumingMemoryBound(to: bb_authorize_interface_t.self)
  }

  private var async: UnsafePointer<bb_async_interface_t>? {
    unsafe interface(BB_INTERFACE_ASYNC)?.assumingMemoryBound(to: bb_async_interface_t.self)
  }
}

private func withPeer<Result>(_ peer: SocketPeer, _ body: (UnsafePointer<bb_peer_t>) -> Result) -> Result {
  let texts = [peer.identity, peer.subprotocol, peer.address, peer.subject, peer.fingerprint, peer.ski]
  return unsafe withLentTexts(texts) { lent in
    var record = unsafe bb_peer_t()
    unsafe record.size = UInt32(MemoryLayout<bb_peer_t>.size)
    unsafe record.flags = peer.tls ? UInt32(BB_PEER_TLS) : 0
    unsafe record.trust = peer.trust.rawValue
    unsafe record.identity = lent[0]
    unsafe record.subprotocol = lent[1]
    unsafe record.address = lent[2]
    unsafe record.subject = lent[3]
    unsafe record.fingerprint = lent[4]
    unsafe record.ski = lent[5]
    return unsafe body(&record)
  }
}
