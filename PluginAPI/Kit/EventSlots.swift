// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// The C functions behind the tables of an adapter whose devices speak first.
enum EventSlots {
  /// Nil for an id that is not one of these.
  static func table(_ id: String) -> UnsafeRawPointer? {
    switch id {
    case BB_INTERFACE_WEBSOCKET: unsafe UnsafeRawPointer(socket)
    case BB_INTERFACE_EVENT: unsafe UnsafeRawPointer(event)
    case BB_INTERFACE_ASYNC: unsafe UnsafeRawPointer(async)
    case BB_INTERFACE_AUTHORIZE: unsafe UnsafeRawPointer(authorize)
    default: nil
    }
  }

  /// Commands of one link that may be pending at a time; more than an operator has at once.
  private static let mostPending: UInt32 = 16

  private static func tell(
    _ state: UnsafeMutableRawPointer?, _ call: UnsafePointer<bb_call_t>, _ event: Event
  ) -> bb_status_t {
    guard let plugin = ExportedPlugin.current, let link = unsafe object(state, LinkBox.self) else { return failure(.bug) }
    return report(unsafe Call(plugin.host, call)) { call throws(AdapterError) in try link.handle(event, call) }
  }

  nonisolated(unsafe) private static let socket: UnsafePointer<bb_websocket_interface_t> = {
    var table = bb_websocket_interface_t()
    table.size = UInt32(MemoryLayout<bb_websocket_interface_t>.size)
    unsafe table.on_open = { _, call, state, peer in unsafe tell(state, call, .opened(Peer(peer.pointee))) }
    unsafe table.on_message = { _, call, state, kind, message in
      let bytes = unsafe Array(UnsafeBufferPointer(start: message.data, count: Int(message.length)))
      return unsafe tell(state, call, .message(text: Int(kind) == BB_MESSAGE_TEXT, bytes))
    }
    unsafe table.on_closed = { _, call, state, code, reason in
      unsafe tell(state, call, .closed(code: Int(code), reason: String(reason)))
    }
    return unsafe Slots.immortal(table)
  }()

  nonisolated(unsafe) private static let event: UnsafePointer<bb_event_interface_t> = {
    var table = bb_event_interface_t()
    table.size = UInt32(MemoryLayout<bb_event_interface_t>.size)
    unsafe table.on_timer = { _, call, state, tag in unsafe tell(state, call, .timer(tag: tag)) }
    unsafe table.on_wake = { _, call, state, tag in unsafe tell(state, call, .wake(tag: tag)) }
    return unsafe Slots.immortal(table)
  }()

  nonisolated(unsafe) private static let async: UnsafePointer<bb_async_interface_t> = {
    var table = bb_async_interface_t()
    table.size = UInt32(MemoryLayout<bb_async_interface_t>.size)
    table.max_pending = mostPending
    unsafe table.abandon = { _, call, state, token in _ = unsafe tell(state, call, .abandoned(token: token)) }
    return unsafe Slots.immortal(table)
  }()

  nonisolated(unsafe) private static let authorize: UnsafePointer<bb_authorize_interface_t> = {
    var table = bb_authorize_interface_t()
    table.size = UInt32(MemoryLayout<bb_authorize_interface_t>.size)
    unsafe table.on_verdict = { _, call, state, ticket, verdict in
      unsafe tell(state, call, .verdict(ticket: ticket, TagVerdict(verdict.pointee)))
    }
    unsafe table.on_list = { _, call, state in unsafe tell(state, call, .tagsChanged) }
    return unsafe Slots.immortal(table)
  }()
}
