// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI
internal import Synchronization

/// Interfaces of adapters whose devices speak first: each event is a call of its link like any other.
extension ValidationLayer {
  nonisolated(unsafe) private static var socket: UnsafePointer<bb_websocket_interface_t>?
  nonisolated(unsafe) private static var event: UnsafePointer<bb_event_interface_t>?
  nonisolated(unsafe) private static var async: UnsafePointer<bb_async_interface_t>?
  nonisolated(unsafe) private static var authorize: UnsafePointer<bb_authorize_interface_t>?

  /// Addresses of the tables that were made, by id.
  private static let made = Mutex<[String: UInt]>([:])

  /// The same table each time, with every slot watched; the plugin's own where there is nothing to watch.
  static func wrap(interface id: String, _ found: UnsafeRawPointer) -> UnsafeRawPointer {
    if let known = made.withLock({ $0[id] }), let table = unsafe UnsafeRawPointer(bitPattern: known) { return unsafe table }
    let wrapped: UnsafeRawPointer
    switch id {
    case BB_INTERFACE_COMMANDS: unsafe wrapped = unsafe wrapCommands(found)
    case BB_INTERFACE_WEBSOCKET: unsafe wrapped = unsafe wrapSocket(found.assumingMemoryBound(to: bb_websocket_interface_t.self))
    case BB_INTERFACE_EVENT: unsafe wrapped = unsafe wrapEvent(found.assumingMemoryBound(to: bb_event_interface_t.self))
    case BB_INTERFACE_ASYNC: unsafe wrapped = unsafe wrapAsync(found.assumingMemoryBound(to: bb_async_interface_t.self))
    case BB_INTERFACE_AUTHORIZE: unsafe wrapped = unsafe wrapAuthorize(found.assumingMemoryBound(to: bb_authorize_interface_t.self))
    default: return unsafe found
    }
    let address = UInt(bitPattern: wrapped)
    made.withLock { $0[id] = address }
    return unsafe wrapped
  }

  private static func wrapSocket(_ table: UnsafePointer<bb_websocket_interface_t>) -> UnsafeRawPointer {
    unsafe socket = unsafe table
    var copy = unsafe table.pointee
    if unsafe copy.on_open != nil {
      unsafe copy.on_open = { host, call, state, peer in
        guard let open = unsafe ValidationLayer.socket?.pointee.on_open else { return failed(BB_CLASS_BUG) }
        unsafe ValidationLayer.connected(call, true)
        let lent = ValidationLayer.lending
        return unsafe ValidationLayer.run("on_open", call, lent) { call in
          var record = unsafe peer.pointee
          unsafe record.identity = lent.copy(record.identity)
          unsafe record.subprotocol = lent.copy(record.subprotocol)
          unsafe record.address = lent.copy(record.address)
          unsafe record.subject = lent.copy(record.subject)
          unsafe record.fingerprint = lent.copy(record.fingerprint)
          unsafe record.ski = lent.copy(record.ski)
          return unsafe open(host, call, state, lent.copy(record))
        }
      }
    }
    if unsafe copy.on_message != nil {
      unsafe copy.on_message = { host, call, state, kind, message in
        guard let take = unsafe ValidationLayer.socket?.pointee.on_message else { return failed(BB_CLASS_BUG) }
        let lent = ValidationLayer.lending
        return unsafe ValidationLayer.run("on_message", call, lent) { call in unsafe take(host, call, state, kind, lent.copy(message)) }
      }
    }
    // Also where the plugin has no slot for it the connection is gone.
    unsafe copy.on_closed = { host, call, state, code, reason in
      unsafe ValidationLayer.connected(call, false)
      guard let closed = unsafe ValidationLayer.socket?.pointee.on_closed else { return bb_status_t(BB_OK) }
      let lent = ValidationLayer.lending
      return unsafe ValidationLayer.run("on_closed", call, lent) { call in unsafe closed(host, call, state, code, lent.copy(reason)) }
    }
    return unsafe immortal(copy)
  }

  private static func wrapEvent(_ table: UnsafePointer<bb_event_interface_t>) -> UnsafeRawPointer {
    unsafe event = unsafe table
    var copy = unsafe table.pointee
    if unsafe copy.on_timer != nil {
      unsafe copy.on_timer = { host, call, state, tag in
        guard let ring = unsafe ValidationLayer.event?.pointee.on_timer else { return failed(BB_CLASS_BUG) }
        return unsafe ValidationLayer.run("on_timer", call, ValidationLayer.lending) { call in unsafe ring(host, call, state, tag) }
      }
    }
    if unsafe copy.on_wake != nil {
      unsafe copy.on_wake = { host, call, state, tag in
        guard let wake = unsafe ValidationLayer.event?.pointee.on_wake else { return failed(BB_CLASS_BUG) }
        return unsafe ValidationLayer.run("on_wake", call, ValidationLayer.lending) { call in unsafe wake(host, call, state, tag) }
      }
    }
    return unsafe immortal(copy)
  }

  private static func wrapAsync(_ table: UnsafePointer<bb_async_interface_t>) -> UnsafeRawPointer {
    unsafe async = unsafe table
    var copy = unsafe table.pointee
    if unsafe copy.abandon != nil {
      unsafe copy.abandon = { host, call, state, token in
        _ = unsafe ValidationLayer.run("abandon", call, ValidationLayer.lending) { call in
          unsafe ValidationLayer.async?.pointee.abandon?(host, call, state, token)
          return bb_status_t(BB_OK)
        }
      }
    }
    return unsafe immortal(copy)
  }

  private static func wrapAuthorize(_ table: UnsafePointer<bb_authorize_interface_t>) -> UnsafeRawPointer {
    unsafe authorize = unsafe table
    var copy = unsafe table.pointee
    if unsafe copy.on_verdict != nil {
      unsafe copy.on_verdict = { host, call, state, ticket, verdict in
        guard let hear = unsafe ValidationLayer.authorize?.pointee.on_verdict else { return failed(BB_CLASS_BUG) }
        let lent = ValidationLayer.lending
        return unsafe ValidationLayer.run("on_verdict", call, lent) { call in
          var record = unsafe verdict.pointee
          unsafe record.group = lent.copy(record.group)
          return unsafe hear(host, call, state, ticket, lent.copy(record))
        }
      }
    }
    if unsafe copy.on_list != nil {
      unsafe copy.on_list = { host, call, state in
        guard let change = unsafe ValidationLayer.authorize?.pointee.on_list else { return failed(BB_CLASS_BUG) }
        return unsafe ValidationLayer.run("on_list", call, ValidationLayer.lending) { call in unsafe change(host, call, state) }
      }
    }
    return unsafe immortal(copy)
  }

  private static func immortal<Table>(_ table: Table) -> UnsafeRawPointer { unsafe UnsafeRawPointer(Services.immortal(table)) }

  private static func connected(_ call: UnsafePointer<bb_call_t>, _ isConnected: Bool) {
    let link = unsafe UInt32(call.pointee.token >> 32)
    state.withLock { state in
      if isConnected { state.connected.insert(link) } else { state.connected.remove(link) }
    }
  }
}
