// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import PluginAPI

/// The services that this host offers (HostABI.services).
enum Services {
  static func table(_ id: String) -> UnsafeRawPointer? {
    switch id {
    case BB_SERVICE_STREAM: unsafe UnsafeRawPointer(stream)
    case BB_SERVICE_CONFIG: unsafe UnsafeRawPointer(config)
    case BB_SERVICE_STORE: unsafe UnsafeRawPointer(store)
    case BB_SERVICE_DIAGNOSTICS: unsafe UnsafeRawPointer(diagnostics)
    case BB_SERVICE_DISCOVERY: unsafe UnsafeRawPointer(discovery)
    default: unsafe EventServices.table(id)
    }
  }

  static func immortal<Table>(_ table: Table) -> UnsafePointer<Table> {
    let place = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    unsafe place.initialize(to: table)
    return unsafe UnsafePointer(place)
  }

  nonisolated(unsafe) private static let stream: UnsafePointer<bb_stream_service_t> = {
    var table = bb_stream_service_t()
    table.size = UInt32(MemoryLayout<bb_stream_service_t>.size)
    unsafe table.open = { _, call, link, endpoint, info in
      guard let link = LinkTable.shared[link] else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.openStream(copied(endpoint, limit: 64), call.pointee.deadline_ns, info)
    }
    unsafe table.close = { _, link, descriptor in
      guard let link = LinkTable.shared[link], link.stream?.open.descriptor.number == descriptor else { return }
      link.closeStream()
    }
    unsafe table.exchange = { _, call, descriptor, request, mode, until, reply, capacity, length in
      guard let link = unsafe linkOf(call), unsafe request.length <= 65_536 else {
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      var received: [UInt8] = []
      let status = unsafe link.exchange(
        descriptor, copied(request, limit: 65_536), mode, until, &received, Int(min(capacity, 65_536)), call.pointee.deadline_ns)
      unsafe received.withUnsafeBufferPointer { unsafe reply.update(from: $0.baseAddress ?? UnsafePointer(reply), count: $0.count) }
      unsafe length.pointee = UInt32(received.count)
      return status
    }
    unsafe table.pause = { _, call, milliseconds in
      guard let link = unsafe linkOf(call) else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      let whole = unsafe StreamExchange.pause(
        milliseconds: Int(milliseconds), deadline: call.pointee.deadline_ns, stop: link.signal)
      if whole { return bb_status_t(BB_OK) }
      return link.signal.isSet ? failed(BB_CLASS_CANCELLED) : failed(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT)
    }
    return unsafe immortal(table)
  }()

  nonisolated(unsafe) private static let config: UnsafePointer<bb_config_service_t> = {
    var table = bb_config_service_t()
    table.size = UInt32(MemoryLayout<bb_config_service_t>.size)
    unsafe table.get_number = { _, document, pointer, value in
      guard let found = unsafe lookUp(document, pointer) else { return failed(BB_CLASS_UNSUPPORTED) }
      guard let number = found.number ?? found.boolean.map({ $0 ? 1 : 0 }) else { return failed(BB_CLASS_UNSUPPORTED) }
      unsafe value.pointee = number
      return bb_status_t(BB_OK)
    }
    unsafe table.get_text = { _, document, pointer, out, capacity, length in
      guard let found = unsafe lookUp(document, pointer) else { return failed(BB_CLASS_UNSUPPORTED) }
      return unsafe hand(Array((found.string ?? found.text).utf8), out, capacity, length)
    }
    return unsafe immortal(table)
  }()

  nonisolated(unsafe) private static let store: UnsafePointer<bb_store_service_t> = {
    var table = bb_store_service_t()
    table.size = UInt32(MemoryLayout<bb_store_service_t>.size)
    unsafe table.get = { _, _, link, key, out, capacity, length in
      guard let link = LinkTable.shared[link], let value = unsafe link.resources.store.get(copied(key, limit: 64)) else {
        return failed(BB_CLASS_UNSUPPORTED)
      }
      return unsafe hand(value, out, capacity, length)
    }
    unsafe table.set = { _, call, link, key, value in
      guard let link = LinkTable.shared[link], unsafe key.length <= 64, unsafe value.length <= 4096 else {
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      do {
        unsafe try link.resources.store.set(copied(key, limit: 64), to: copied(value, limit: 4096))
        return bb_status_t(BB_OK)
      } catch {
        link.explanation = "a value of the plugin could not be stored: \(error)"
        return failed(BB_CLASS_TRANSIENT)
      }
    }
    return unsafe immortal(table)
  }()

  nonisolated(unsafe) private static let diagnostics: UnsafePointer<bb_diagnostics_service_t> = {
    var table = bb_diagnostics_service_t()
    table.size = UInt32(MemoryLayout<bb_diagnostics_service_t>.size)
    // The last frames are always kept, so that those before a fault are there.
    unsafe table.tracing = { _, link in LinkTable.shared[link]?.resources.events.trace == nil ? 0 : 1 }
    unsafe table.trace = { _, link, direction, frame in
      guard let link = LinkTable.shared[link], let trace = link.resources.events.trace else { return }
      switch Int(direction) {
      case BB_TRACE_SENT: unsafe trace.record(.sent, copied(frame, limit: 65_536), device: link.device)
      case BB_TRACE_RECEIVED: unsafe trace.record(.received, copied(frame, limit: 65_536), device: link.device)
      case BB_TRACE_TIMEOUT: trace.record(.timeout, device: link.device)
      case BB_TRACE_DISCARDED: unsafe trace.record(.discarded(Int(frame.length)), device: link.device)
      default: break
      }
    }
    unsafe table.problem = { _, link, device, name, active, text in
      guard let link = LinkTable.shared[link] else { return }
      unsafe link.resources.events.problem(
        device, name: copied(name, limit: 64), active: active != 0, text: copied(text, limit: 1024))
    }
    return unsafe immortal(table)
  }()
}

extension Services {
  nonisolated(unsafe) fileprivate static let discovery: UnsafePointer<bb_discovery_service_t> = {
    var table = bb_discovery_service_t()
    table.size = UInt32(MemoryLayout<bb_discovery_service_t>.size)
    unsafe table.propose = { _, call, candidate in
      guard let link = unsafe linkOf(call) else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.propose(candidate)
    }
    return unsafe immortal(table)
  }()
}

/// RFC 6901.
private func lookUp(_ document: bb_str_t, _ pointer: bb_str_t) -> JSONValue? {
  let text = unsafe copied(document, limit: 1 << 20)
  guard var value = try? JSONValue(parsing: Array(text.utf8), depth: 64) else { return nil }
  let path = unsafe copied(pointer, limit: 512)
  guard !path.isEmpty else { return value }
  guard path.hasPrefix("/") else { return nil }
  for token in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
    let name = token.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
      .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    switch value {
    case .object(let members):
      guard let member = members[name] else { return nil }
      value = member
    case .array(let items):
      guard let index = Int(name), items.indices.contains(index) else { return nil }
      value = items[index]
    default: return nil
    }
  }
  return value
}

/// Fills a caller's buffer; `length` is what was needed.
func hand(
  _ bytes: [UInt8], _ out: UnsafeMutablePointer<UInt8>, _ capacity: UInt32, _ length: UnsafeMutablePointer<UInt32>
) -> bb_status_t {
  unsafe length.pointee = UInt32(bytes.count)
  guard bytes.count <= Int(capacity) else { return failed(BB_CLASS_DEVICE, BB_REASON_NO_SPACE) }
  for (index, byte) in bytes.enumerated() { unsafe out[index] = byte }
  return bb_status_t(BB_OK)
}

extension DirectLink {
  func openStream(_ name: String, _ deadline: Int64, _ info: UnsafeMutablePointer<bb_stream_info_t>) -> bb_status_t {
    guard unsafe info.pointee.size >= UInt32(MemoryLayout<bb_stream_info_t>.size) else {
      return failed(BB_CLASS_BUG, BB_REASON_RANGE)
    }
    if stream?.endpoint != name {
      do throws(TransportError) {
        closeStream()
        guard let opened = try resources.streams.open(name, deadline: deadline, stop: signal) else {
          explanation = "the link has no endpoint named \(name)"
          return failed(BB_CLASS_CONFIG, BB_REASON_ADDRESS)
        }
        stream = (name, opened)
        note(.opened)
      } catch {
        note(error)
        return status(error)
      }
    }
    guard let stream = stream?.open else { return failed(BB_CLASS_BUG) }
    var record = bb_stream_info_t()
    record.size = UInt32(MemoryLayout<bb_stream_info_t>.size)
    record.fd = stream.descriptor.number
    record.kind = stream.facts.kind
    record.baud = stream.facts.baud
    record.bits_a_byte = stream.facts.bitsPerByte
    unsafe info.pointee = record
    return bb_status_t(BB_OK)
  }

  func exchange(
    _ descriptor: Int32, _ request: [UInt8], _ mode: UInt32, _ amount: UInt32, _ reply: inout [UInt8], _ capacity: Int,
    _ deadline: Int64
  ) -> bb_status_t {
    guard let stream = stream?.open, stream.descriptor.number == descriptor else { return failed(BB_CLASS_TRANSIENT, BB_REASON_CLOSED) }
    let until: StreamExchange.Until
    switch Int(mode) {
    case BB_UNTIL_LENGTH: until = .length(Int(amount))
    case BB_UNTIL_BYTE: until = .byte(UInt8(truncatingIfNeeded: amount))
    case BB_UNTIL_SOME: until = .some
    case BB_UNTIL_QUIET: until = .quiet(Int(amount))
    default: return failed(BB_CLASS_BUG, BB_REASON_RANGE)
    }
    let trace = resources.events.trace
    if !request.isEmpty { trace?.record(.sent, request, device: device) }
    do throws(TransportError) {
      try StreamExchange.run(
        stream.descriptor, request: request[...], until: until, reply: &reply, capacity: capacity, deadline: deadline,
        stop: signal)
      if !reply.isEmpty { trace?.record(.received, reply, device: device) }
      return bb_status_t(BB_OK)
    } catch {
      if !reply.isEmpty { trace?.record(.received, reply, device: device) }
      var error = error
      if error.cause == .closed, let more = resources.streams.ending { error.message = more }
      note(error)
      return status(error)
    }
  }

  func closeStream() {
    guard stream != nil else { return }
    note(.released)
    stream = nil
    resources.streams.released()
  }

  private func note(_ event: TraceEvent) { resources.events.trace?.record(event, device: device) }

  private func note(_ error: TransportError) {
    switch error.cause {
    case .timeout: note(stream == nil ? .failed(error.message) : .timeout)
    case .closed: note(.closed)
    case .cancelled: note(.cancelled)
    case .refused, .address, .noSpace, .untrusted, .other: note(.failed(error.message))
    }
  }

  /// The status that tells the guard what to do, and the sentence for a person.
  private func status(_ error: TransportError) -> bb_status_t {
    explanation = error.message
    return switch error.cause {
    case .timeout: failed(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT)
    case .closed: failed(BB_CLASS_TRANSIENT, BB_REASON_CLOSED)
    case .refused: failed(BB_CLASS_TRANSIENT, BB_REASON_REFUSED)
    case .address: failed(BB_CLASS_TRANSIENT, BB_REASON_ADDRESS)
    case .cancelled: failed(BB_CLASS_CANCELLED)
    case .noSpace: failed(BB_CLASS_BUG, BB_REASON_NO_SPACE)
    // Not AUTH, which waits for a person at the host: a device may get its new certificate from somebody else.
    case .untrusted: failed(BB_CLASS_TRANSIENT, BB_REASON_REFUSED)
    case .other: failed(BB_CLASS_TRANSIENT)
    }
  }
}
