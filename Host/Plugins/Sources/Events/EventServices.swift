// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import PluginAPI

/// The tables of the services that carry events: event.h, websocket.h, async.h, authorize.h, record.h, control.h.
enum EventServices {
  /// Nil where it is none of these.
  static func table(_ id: String) -> UnsafeRawPointer? {
    switch id {
    case BB_SERVICE_EVENT: unsafe UnsafeRawPointer(event)
    case BB_SERVICE_WEBSOCKET: unsafe UnsafeRawPointer(websocket)
    case BB_SERVICE_ASYNC: unsafe UnsafeRawPointer(async)
    case BB_SERVICE_AUTHORIZE: unsafe UnsafeRawPointer(authorize)
    case BB_SERVICE_RECORD: unsafe UnsafeRawPointer(record)
    case BB_SERVICE_CONTROL: unsafe UnsafeRawPointer(control)
    default: nil
    }
  }

  /// `watch` is left out: no adapter watches descriptors of its own yet.
  nonisolated(unsafe) private static let event: UnsafePointer<bb_event_service_t> = {
    var table = bb_event_service_t()
    table.size = UInt32(MemoryLayout<bb_event_service_t>.size)
    unsafe table.timer = { _, link, delay, period, tag in
      guard let link = LinkTable.shared[link], period >= 0 else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      link.resources.services.timer(tag: tag, delay: delay, period: period)
      return bb_status_t(BB_OK)
    }
    unsafe table.wake = { _, link, tag in
      guard let link = LinkTable.shared[link] else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      link.resources.services.wake(tag: tag)
      return bb_status_t(BB_OK)
    }
    return unsafe Services.immortal(table)
  }()

  nonisolated(unsafe) private static let websocket: UnsafePointer<bb_websocket_service_t> = {
    var table = bb_websocket_service_t()
    table.size = UInt32(MemoryLayout<bb_websocket_service_t>.size)
    unsafe table.send = { _, link, kind, message in
      guard let link = LinkTable.shared[link], unsafe message.length <= UInt32(EventLimit.message),
        Int(kind) == BB_MESSAGE_TEXT || Int(kind) == BB_MESSAGE_BINARY
      else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      let bytes = unsafe copied(message, limit: EventLimit.message)
      let text = Int(kind) == BB_MESSAGE_TEXT
      guard !text || String(validating: bytes, as: UTF8.self) != nil else { return failed(BB_CLASS_BUG, BB_REASON_GARBLED) }
      return switch link.resources.services.send(text: text, bytes) {
      case .taken: bb_status_t(BB_OK)
      case .full: failed(BB_CLASS_TRANSIENT, BB_REASON_NO_SPACE)
      case .closed: failed(BB_CLASS_TRANSIENT, BB_REASON_CLOSED)
      }
    }
    unsafe table.close = { _, link, code, reason in
      // RFC 6455 section 7.4: what an endpoint may send.
      guard let link = LinkTable.shared[link], (1000...1014).contains(code) || (3000...4999).contains(code), code != 1005, code != 1006
      else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      unsafe link.resources.services.close(code: UInt16(code), reason: copied(reason, limit: EventLimit.reason))
      return bb_status_t(BB_OK)
    }
    return unsafe Services.immortal(table)
  }()

  nonisolated(unsafe) private static let async: UnsafePointer<bb_async_service_t> = {
    var table = bb_async_service_t()
    table.size = UInt32(MemoryLayout<bb_async_service_t>.size)
    unsafe table.complete = { _, link, token, status, outcome, text in
      guard let link = LinkTable.shared[link], unsafe text.length <= UInt32(EventLimit.answer) else {
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      let sentence = unsafe copied(text, limit: EventLimit.answer)
      let result: CommandResult
      if status < 0 {
        result = .failed(CallResult(status: status, text: sentence))
      } else {
        guard let outcome = unsafe outcome, unsafe outcome.pointee.size >= UInt32(MemoryLayout<bb_outcome_t>.size) else {
          return failed(BB_CLASS_BUG, BB_REASON_RANGE)
        }
        let box = OutcomeBox()
        box.explanation = sentence
        _ = unsafe box.fill { place in
          unsafe place.pointee = outcome.pointee
          return bb_status_t(BB_OK)
        }
        result = box.result(answer: sentence)
      }
      return link.resources.services.completed(token: token, result) ? bb_status_t(BB_OK) : failed(BB_CLASS_UNSUPPORTED)
    }
    return unsafe Services.immortal(table)
  }()

  nonisolated(unsafe) private static let authorize: UnsafePointer<bb_authorize_service_t> = {
    var table = bb_authorize_service_t()
    table.size = UInt32(MemoryLayout<bb_authorize_service_t>.size)
    unsafe table.ask = { _, link, device, ticket, tag, kind in
      guard let link = LinkTable.shared[link], unsafe tag.length >= 1, unsafe tag.length <= UInt32(EventLimit.tag) else {
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      unsafe link.resources.services.ask(
        device: device, ticket: ticket, tag: copied(tag, limit: EventLimit.tag), kind: copied(kind, limit: 64))
      return bb_status_t(BB_OK)
    }
    unsafe table.list = { _, link, out, capacity, length in
      guard let link = LinkTable.shared[link] else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe hand(link.resources.services.tags(), out, capacity, length)
    }
    return unsafe Services.immortal(table)
  }()

  nonisolated(unsafe) private static let record: UnsafePointer<bb_record_service_t> = {
    var table = bb_record_service_t()
    table.size = UInt32(MemoryLayout<bb_record_service_t>.size)
    unsafe table.record = { _, link, device, kind, document in
      guard let link = LinkTable.shared[link], unsafe document.length <= UInt32(EventLimit.record) else {
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      let (kind, text) = unsafe (copied(kind, limit: 64), copied(document, limit: EventLimit.record))
      guard !kind.isEmpty, kind.utf8.allSatisfy({ isKindByte($0) }),
        let value = try? JSONValue(parsing: Array(text.utf8), depth: 32), value.object != nil
      else { return failed(BB_CLASS_BUG, BB_REASON_GARBLED) }
      guard let sentence = link.resources.services.record(device: device, kind: kind, document: Array(text.utf8)) else {
        return bb_status_t(BB_OK)
      }
      link.explanation = sentence
      return failed(BB_CLASS_TRANSIENT)
    }
    return unsafe Services.immortal(table)
  }()

  nonisolated(unsafe) private static let control: UnsafePointer<bb_control_service_t> = {
    var table = bb_control_service_t()
    table.size = UInt32(MemoryLayout<bb_control_service_t>.size)
    unsafe table.request = { _, link, device, point, value, valid in
      guard let link = LinkTable.shared[link], value.isFinite, valid > 0 else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.requested(copied(device, limit: 64), copied(point, limit: 64), value, valid)
    }
    unsafe table.release = { _, link, device, point in
      guard let link = LinkTable.shared[link] else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.requested(copied(device, limit: 64), copied(point, limit: 64), nil, 0)
    }
    return unsafe Services.immortal(table)
  }()
}

extension DirectLink {
  fileprivate func requested(_ device: String, _ point: String, _ value: Double?, _ valid: Int64) -> bb_status_t {
    guard let sentence = resources.services.request(device: device, point: point, value: value, valid: valid) else {
      return bb_status_t(BB_OK)
    }
    explanation = sentence
    return failed(BB_CLASS_AUTH)
  }
}

private func isKindByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"): true
  default: false
  }
}
