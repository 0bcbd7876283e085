// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// The host's tables, looked up once. They live until the process ends.
@safe struct Host: @unchecked Sendable {
  let table: UnsafePointer<bb_host_t>
  let stream: UnsafePointer<bb_stream_service_t>?
  let config: UnsafePointer<bb_config_service_t>?
  let diagnostics: UnsafePointer<bb_diagnostics_service_t>?
  let discovery: UnsafePointer<bb_discovery_service_t>?
  let store: UnsafePointer<bb_store_service_t>?
  let event: UnsafePointer<bb_event_service_t>?
  let socket: UnsafePointer<bb_websocket_service_t>?
  let async: UnsafePointer<bb_async_service_t>?
  let record: UnsafePointer<bb_record_service_t>?
  let authorize: UnsafePointer<bb_authorize_service_t>?
  let control: UnsafePointer<bb_control_service_t>?

  init(_ table: UnsafePointer<bb_host_t>) {
    unsafe self.table = table
    unsafe stream = Self.service(table, BB_SERVICE_STREAM)?.assumingMemoryBound(to: bb_stream_service_t.self)
    unsafe config = Self.service(table, BB_SERVICE_CONFIG)?.assumingMemoryBound(to: bb_config_service_t.self)
    unsafe diagnostics = Self.service(table, BB_SERVICE_DIAGNOSTICS)?.assumingMemoryBound(
      to: bb_diagnostics_service_t.self)
    unsafe store = Self.service(table, BB_SERVICE_STORE)?.assumingMemoryBound(to: bb_store_service_t.self)
    unsafe discovery = Self.service(table, BB_SERVICE_DISCOVERY)?.assumingMemoryBound(to: bb_discovery_service_t.self)
    unsafe event = Self.service(table, BB_SERVICE_EVENT)?.assumingMemoryBound(to: bb_event_service_t.self)
    unsafe socket = Self.service(table, BB_SERVICE_WEBSOCKET)?.assumingMemoryBound(to: bb_websocket_service_t.self)
    unsafe async = Self.service(table, BB_SERVICE_ASYNC)?.assumingMemoryBound(to: bb_async_service_t.self)
    unsafe record = Self.service(table, BB_SERVICE_RECORD)?.assumingMemoryBound(to: bb_record_service_t.self)
    unsafe authorize = Self.service(table, BB_SERVICE_AUTHORIZE)?.assumingMemoryBound(to: bb_authorize_service_t.self)
    unsafe control = Self.service(table, BB_SERVICE_CONTROL)?.assumingMemoryBound(to: bb_control_service_t.self)
  }

  private static func service(_ table: UnsafePointer<bb_host_t>, _ id: String) -> UnsafeRawPointer? {
    unsafe withText(id) { unsafe table.pointee.get_service?(table, $0) }
  }
}

/// Lends a Swift string to a call.
func withText<Result>(_ text: String, _ body: (bb_str_t) -> Result) -> Result {
  var text = text
  return text.withUTF8 { bytes in
    var lent = unsafe bb_str_t()
    unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe lent.data = $0.baseAddress }
    unsafe lent.length = UInt32(bytes.count)
    return unsafe body(lent)
  }
}

extension String {
  /// A copy of a lent text.
  init(_ lent: bb_str_t) {
    guard let data = unsafe lent.data else {
      self = ""
      return
    }
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(lent.length))
    self = unsafe String(decoding: bytes, as: UTF8.self)
  }
}
