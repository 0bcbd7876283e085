// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI
internal import Synchronization

/// Services for adapters whose devices speak first.
extension ValidationLayer {
  nonisolated(unsafe) private static var socket: UnsafePointer<bb_websocket_service_t>?
  nonisolated(unsafe) private static var event: UnsafePointer<bb_event_service_t>?
  nonisolated(unsafe) private static var authorize: UnsafePointer<bb_authorize_service_t>?
  nonisolated(unsafe) private static var record: UnsafePointer<bb_record_service_t>?
  nonisolated(unsafe) private static var control: UnsafePointer<bb_control_service_t>?

  /// Nil where it is none of these. `busbar.async/1` is [any] and passes nothing that could be watched.
  static func wrap(eventService id: String, _ table: UnsafeRawPointer) -> UnsafeRawPointer? {
    switch id {
    case BB_SERVICE_WEBSOCKET: unsafe wrapSocket(table.assumingMemoryBound(to: bb_websocket_service_t.self))
    case BB_SERVICE_EVENT: unsafe wrapEvent(table.assumingMemoryBound(to: bb_event_service_t.self))
    case BB_SERVICE_ASYNC: unsafe UnsafeRawPointer(shaped(table.assumingMemoryBound(to: bb_async_service_t.self).pointee))
    case BB_SERVICE_AUTHORIZE: unsafe wrapAuthorize(table.assumingMemoryBound(to: bb_authorize_service_t.self))
    case BB_SERVICE_RECORD: unsafe wrapRecord(table.assumingMemoryBound(to: bb_record_service_t.self))
    case BB_SERVICE_CONTROL: unsafe wrapControl(table.assumingMemoryBound(to: bb_control_service_t.self))
    default: nil
    }
  }

  private static func wrapSocket(_ table: UnsafePointer<bb_websocket_service_t>) -> UnsafeRawPointer {
    unsafe socket = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.send = { host, link, kind, message in
      ValidationLayer.needsLink("websocket.send", link)
      if ValidationLayer.state.withLock({ !$0.connected.contains(link) }) {
        ValidationLayer.note("nothing-while-alone", "websocket.send was called while nobody was connected")
      }
      if ValidationLayer.isFailing("websocket.send") { return failed(BB_CLASS_TRANSIENT, BB_REASON_CLOSED) }
      return unsafe ValidationLayer.socket?.pointee.send?(host, link, kind, message) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.close = { host, link, code, reason in
      ValidationLayer.needsLink("websocket.close", link)
      return unsafe ValidationLayer.socket?.pointee.close?(host, link, code, reason) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapEvent(_ table: UnsafePointer<bb_event_service_t>) -> UnsafeRawPointer {
    unsafe event = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.timer = { host, link, delay, period, tag in
      ValidationLayer.needsLink("event.timer", link)
      if ValidationLayer.isFailing("event.timer") { return failed(BB_CLASS_TRANSIENT) }
      return unsafe ValidationLayer.event?.pointee.timer?(host, link, delay, period, tag) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapAuthorize(_ table: UnsafePointer<bb_authorize_service_t>) -> UnsafeRawPointer {
    unsafe authorize = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.ask = { host, link, device, ticket, tag, kind in
      ValidationLayer.needsLink("authorize.ask", link)
      if ValidationLayer.isFailing("authorize") { return failed(BB_CLASS_TRANSIENT) }
      return unsafe ValidationLayer.authorize?.pointee.ask?(host, link, device, ticket, tag, kind) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.list = { host, link, out, capacity, length in
      ValidationLayer.needsLink("authorize.list", link)
      if ValidationLayer.isFailing("authorize") { return failed(BB_CLASS_TRANSIENT) }
      return unsafe ValidationLayer.authorize?.pointee.list?(host, link, out, capacity, length) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapRecord(_ table: UnsafePointer<bb_record_service_t>) -> UnsafeRawPointer {
    unsafe record = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.record = { host, link, device, kind, document in
      ValidationLayer.needsLink("record", link)
      if ValidationLayer.isFailing("record") { return failed(BB_CLASS_TRANSIENT) }
      return unsafe ValidationLayer.record?.pointee.record?(host, link, device, kind, document) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapControl(_ table: UnsafePointer<bb_control_service_t>) -> UnsafeRawPointer {
    unsafe control = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.request = { host, link, device, point, value, valid in
      ValidationLayer.needsLink("control.request", link)
      return unsafe ValidationLayer.control?.pointee.request?(host, link, device, point, value, valid) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.release = { host, link, device, point in
      ValidationLayer.needsLink("control.release", link)
      return unsafe ValidationLayer.control?.pointee.release?(host, link, device, point) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }
}
