// SPDX-License-Identifier: Apache-2.0

public import PluginAPI

public typealias PointID = bb_point_id_t
public typealias DeviceNumber = bb_device_id_t

/// One connection or bus: what an adapter uses to reach its devices and to deliver their values.
@safe public struct Link: Sendable {
  public let id: bb_link_id_t
  let host: Host

  public enum Level: Int32, Sendable {
    case error = 3, warning = 4, notice = 5, info = 6, debug = 7
  }

  public func log(_ level: Level, _ text: String) {
    unsafe withText(text) { unsafe host.table.pointee.log?(host.table, id, level.rawValue, $0) }
  }

  /// Opens the endpoint with this name; a second open gives the same stream.
  public func open(_ endpoint: String, _ call: borrowing Call) throws(AdapterError) -> ByteStream {
    guard let open = unsafe host.stream?.pointee.open else {
      throw AdapterError(.config, "this host offers no \(BB_SERVICE_STREAM)")
    }
    var info = bb_stream_info_t()
    info.size = UInt32(MemoryLayout<bb_stream_info_t>.size)
    let status = unsafe withText(endpoint) { unsafe open(host.table, call.pointer, id, $0, &info) }
    try call.check(status)
    return ByteStream(link: self, info: info)
  }

  /// Declares points of a device; the ids come in the same order. Repeating it is harmless.
  public func declare(_ points: [PointDeclaration], of device: DeviceNumber) throws(AdapterError) -> [PointID] {
    guard let declare = unsafe host.table.pointee.declare_points else { return [] }
    var ids = [PointID](repeating: 0, count: points.count)
    // One at a time: each text is lent for its own call only.
    for (index, point) in points.enumerated() {
      let status = unsafe point.withDescriptor { unsafe declare(host.table, id, device, $0, 1, UInt32(MemoryLayout<bb_point_desc_t>.stride), &ids[index]) }
      if status < 0 { throw AdapterError(status: status) }
    }
    return ids
  }

  /// Tells who the device is, as far as it is known; empty texts change nothing. `detail` is a JSON object that declares its
  /// actions (host.h).
  public func identify(
    _ device: DeviceNumber, vendor: String = "", model: String = "", serial: String = "", firmware: String = "",
    detail: String = ""
  ) {
    unsafe withText(vendor) { vendor in
      unsafe withText(model) { model in
        unsafe withText(serial) { serial in
          unsafe withText(firmware) { firmware in
            unsafe withText(detail) { detail in
              var identity = unsafe bb_identity_t()
              unsafe identity.size = UInt32(MemoryLayout<bb_identity_t>.size)
              unsafe identity.vendor = vendor
              unsafe identity.model = model
              unsafe identity.serial = serial
              unsafe identity.firmware = firmware
              unsafe identity.detail = detail
              _ = unsafe host.table.pointee.identify?(host.table, id, device, &identity)
            }
          }
        }
      }
    }
  }

  /// Fills one batch and hands it over. False where the host pushes back or refused it.
  @discardableResult
  public func emit(
    upTo samples: Int, textBytes: Int = 0, durable: Bool = false, _ fill: (inout Batch) -> Void
  ) -> Bool {
    let flags = durable ? UInt32(BB_BATCH_DURABLE) : 0
    guard
      let slot = unsafe host.table.pointee.batch_begin?(host.table, id, UInt32(samples), UInt32(textBytes), flags)
    else { return false }
    var batch = unsafe Batch(slot)
    fill(&batch)
    return unsafe host.table.pointee.batch_commit?(host.table, id, slot) ?? BB_OK_STATUS >= 0
  }

  /// Raises or clears a named fault of a device, or of the link with device 0. Repeating it is harmless.
  public func problem(_ name: String, of device: DeviceNumber, active: Bool, _ text: String) {
    unsafe withText(name) { name in
      unsafe withText(text) { text in
        unsafe host.diagnostics?.pointee.problem?(host.table, id, device, name, active ? 1 : 0, text)
      }
    }
  }

  /// Frames of this link are kept.
  public var tracing: Bool { unsafe host.diagnostics?.pointee.tracing?(host.table, id) ?? 0 != 0 }

  public enum Direction: Sendable {
    case sent, received
    /// No more came in time; without bytes.
    case timeout
    /// Bytes that answer no question and were thrown away.
    case discarded
  }

  /// One frame that did not go through `ByteStream.exchange`, which the host sees itself.
  public func trace(_ direction: Direction, _ frame: [UInt8]) {
    unsafe frame.withUnsafeBufferPointer { bytes in
      var lent = unsafe bb_bytes_t()
      unsafe lent.data = bytes.baseAddress
      unsafe lent.length = UInt32(bytes.count)
      let code =
        switch direction {
        case .sent: BB_TRACE_SENT
        case .received: BB_TRACE_RECEIVED
        case .timeout: BB_TRACE_TIMEOUT
        case .discarded: BB_TRACE_DISCARDED
        }
      unsafe host.diagnostics?.pointee.trace?(host.table, id, UInt32(code), lent)
    }
  }
}

let BB_OK_STATUS: bb_status_t = 0
