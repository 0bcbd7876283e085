// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// A connection or serial line that the host opened: plain bytes.
@safe public struct ByteStream: Sendable {
  private let link: Link
  /// Lent: never close or duplicate it. For libraries that want a descriptor.
  public let descriptor: Int32
  public let isSerial: Bool
  /// Serial: bit/s, else 0.
  public let baud: Int
  /// Serial: start, data, parity and stop bits of one byte, else 0.
  public let bitsPerByte: Int

  init(link: Link, info: bb_stream_info_t) {
    self.link = link
    descriptor = info.fd
    isSerial = info.kind == UInt32(BB_STREAM_SERIAL)
    baud = Int(info.baud)
    bitsPerByte = Int(info.bits_a_byte)
  }

  public enum Until: Sendable {
    case length(Int)
    case byte(UInt8)
    /// At least one byte, then all that is there.
    case some
    /// Until nothing came for so many milliseconds; may end with none.
    case quiet(Int)
  }

  /// Sends the request, which may be empty, and reads until there is enough, the deadline, or the call is cancelled.
  /// `milliseconds` sets an earlier deadline than the call's.
  public func exchange(
    _ request: [UInt8], until: Until, capacity: Int = 512, within milliseconds: Int? = nil, _ call: borrowing Call
  ) throws(AdapterError) -> [UInt8] {
    guard let exchange = unsafe link.host.stream?.pointee.exchange else {
      throw AdapterError(.config, "this host offers no \(BB_SERVICE_STREAM)")
    }
    let mode: Int
    let amount: UInt32
    switch until {
    case .length(let count): (mode, amount) = (BB_UNTIL_LENGTH, UInt32(count))
    case .byte(let byte): (mode, amount) = (BB_UNTIL_BYTE, UInt32(byte))
    case .some: (mode, amount) = (BB_UNTIL_SOME, 0)
    case .quiet(let milliseconds): (mode, amount) = (BB_UNTIL_QUIET, UInt32(milliseconds))
    }
    var status = failure(.bug)
    let reply = unsafe [UInt8](unsafeUninitializedCapacity: max(1, capacity)) { reply, count in
      guard let place = reply.baseAddress else { return }
      var length: UInt32 = 0
      status = unsafe request.withUnsafeBufferPointer { bytes in
        var lent = unsafe bb_bytes_t()
        unsafe lent.data = bytes.baseAddress
        unsafe lent.length = UInt32(bytes.count)
        // The host finds the call by its token and takes the earlier deadline from the record it is handed.
        var record = unsafe call.pointer.pointee
        record.size = UInt32(MemoryLayout<bb_call_t>.size)
        if let milliseconds {
          record.deadline_ns = min(record.deadline_ns, BootClock.now + Int64(milliseconds) * 1_000_000)
        }
        return unsafe exchange(
          link.host.table, &record, descriptor, lent, UInt32(mode), amount, place, UInt32(capacity), &length)
      }
      count = Int(length)
    }
    try call.check(status)
    return reply
  }

  /// Waits for a gap that the device needs between requests.
  public func pause(milliseconds: Int, _ call: borrowing Call) throws(AdapterError) {
    guard milliseconds > 0, let pause = unsafe link.host.stream?.pointee.pause else { return }
    try call.check(unsafe pause(link.host.table, call.pointer, UInt32(milliseconds)))
  }
}
