// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI
internal import Synchronization

extension ValidationLayer {
  nonisolated(unsafe) private static var stream: UnsafePointer<bb_stream_service_t>?
  nonisolated(unsafe) private static var config: UnsafePointer<bb_config_service_t>?
  nonisolated(unsafe) private static var store: UnsafePointer<bb_store_service_t>?
  nonisolated(unsafe) private static var diagnostics: UnsafePointer<bb_diagnostics_service_t>?
  nonisolated(unsafe) private static var discovery: UnsafePointer<bb_discovery_service_t>?

  /// Addresses of the tables that were made, by id.
  private static let made = Mutex<[String: UInt]>([:])

  /// The same table each time, with every slot watched.
  static func wrap(service id: String, _ table: UnsafeRawPointer) -> UnsafeRawPointer {
    if let known = made.withLock({ $0[id] }), let table = unsafe UnsafeRawPointer(bitPattern: known) { return unsafe table }
    let wrapped: UnsafeRawPointer
    switch id {
    case BB_SERVICE_STREAM: unsafe wrapped = unsafe wrapStream(table.assumingMemoryBound(to: bb_stream_service_t.self))
    case BB_SERVICE_CONFIG: unsafe wrapped = unsafe wrapConfig(table.assumingMemoryBound(to: bb_config_service_t.self))
    case BB_SERVICE_STORE: unsafe wrapped = unsafe wrapStore(table.assumingMemoryBound(to: bb_store_service_t.self))
    case BB_SERVICE_DIAGNOSTICS:
      unsafe wrapped = unsafe wrapDiagnostics(table.assumingMemoryBound(to: bb_diagnostics_service_t.self))
    case BB_SERVICE_DISCOVERY: unsafe wrapped = unsafe wrapDiscovery(table.assumingMemoryBound(to: bb_discovery_service_t.self))
    default:
      guard let watched = unsafe wrap(eventService: id, table) else { return unsafe table }
      unsafe wrapped = unsafe watched
    }
    let address = UInt(bitPattern: wrapped)
    made.withLock { $0[id] = address }
    return unsafe wrapped
  }

  private static func wrapStream(_ table: UnsafePointer<bb_stream_service_t>) -> UnsafeRawPointer {
    unsafe stream = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.open = { host, call, link, endpoint, info in
      unsafe ValidationLayer.needsCall("stream.open", call)
      if ValidationLayer.isFailing("stream.open") { return failed(BB_CLASS_TRANSIENT, BB_REASON_REFUSED) }
      let status = unsafe ValidationLayer.stream?.pointee.open?(host, call, link, endpoint, info) ?? failed(BB_CLASS_BUG)
      if status >= 0 { unsafe ValidationLayer.lent(info.pointee.fd, link) }
      return status
    }
    unsafe copy.close = { host, link, descriptor in
      ValidationLayer.needsLink("stream.close", link)
      ValidationLayer.given(back: descriptor, link)
      unsafe ValidationLayer.stream?.pointee.close?(host, link, descriptor)
    }
    unsafe copy.exchange = { host, call, descriptor, request, mode, until, reply, capacity, length in
      unsafe ValidationLayer.needsCall("stream.exchange", call)
      if ValidationLayer.isFailing("stream.exchange") {
        unsafe length.pointee = 0
        return failed(BB_CLASS_TRANSIENT, BB_REASON_CLOSED)
      }
      return unsafe ValidationLayer.stream?.pointee.exchange?(host, call, descriptor, request, mode, until, reply, capacity, length)
        ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.pause = { host, call, milliseconds in
      unsafe ValidationLayer.needsCall("stream.pause", call)
      return unsafe ValidationLayer.stream?.pointee.pause?(host, call, milliseconds) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapConfig(_ table: UnsafePointer<bb_config_service_t>) -> UnsafeRawPointer {
    unsafe config = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.get_number = { host, document, pointer, value in
      if ValidationLayer.isFailing("config") { return failed(BB_CLASS_UNSUPPORTED) }
      return unsafe ValidationLayer.config?.pointee.get_number?(host, document, pointer, value) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.get_text = { host, document, pointer, out, capacity, length in
      if ValidationLayer.isFailing("config") { return failed(BB_CLASS_UNSUPPORTED) }
      return unsafe ValidationLayer.config?.pointee.get_text?(host, document, pointer, out, capacity, length) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapStore(_ table: UnsafePointer<bb_store_service_t>) -> UnsafeRawPointer {
    unsafe store = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.get = { host, call, link, key, out, capacity, length in
      unsafe ValidationLayer.needsCall("store.get", call)
      if ValidationLayer.isFailing("store") { return failed(BB_CLASS_UNSUPPORTED) }
      return unsafe ValidationLayer.store?.pointee.get?(host, call, link, key, out, capacity, length) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.set = { host, call, link, key, value in
      unsafe ValidationLayer.needsCall("store.set", call)
      if ValidationLayer.isFailing("store") { return failed(BB_CLASS_TRANSIENT) }
      return unsafe ValidationLayer.store?.pointee.set?(host, call, link, key, value) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapDiagnostics(_ table: UnsafePointer<bb_diagnostics_service_t>) -> UnsafeRawPointer {
    unsafe diagnostics = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.trace = { host, link, direction, frame in
      ValidationLayer.needsLink("diagnostics.trace", link)
      unsafe ValidationLayer.diagnostics?.pointee.trace?(host, link, direction, frame)
    }
    unsafe copy.problem = { host, link, device, name, active, text in
      ValidationLayer.needsLink("diagnostics.problem", link)
      unsafe ValidationLayer.diagnostics?.pointee.problem?(host, link, device, name, active, text)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }

  private static func wrapDiscovery(_ table: UnsafePointer<bb_discovery_service_t>) -> UnsafeRawPointer {
    unsafe discovery = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.propose = { host, call, candidate in
      unsafe ValidationLayer.needsCall("discovery.propose", call)
      return unsafe ValidationLayer.discovery?.pointee.propose?(host, call, candidate) ?? failed(BB_CLASS_BUG)
    }
    return unsafe UnsafeRawPointer(shaped(copy))
  }
}
