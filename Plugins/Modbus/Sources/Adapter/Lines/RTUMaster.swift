// SPDX-License-Identifier: Apache-2.0

internal import CModbus
internal import Glibc
internal import ModbusCodec

/// libmodbus as RTU master on a descriptor that somebody else opened: it is never connected and never closed here.
@safe final class RTUMaster {
  enum Failure {
    case silent
    case garbled(String)
    case lost(String)
  }

  enum Result {
    case frame(unit: UInt8, pdu: [UInt8])
    case stranger
    case failed(Failure)
  }

  private let context: OpaquePointer
  /// EMBBADCRC of modbus.h, a macro that does not reach Swift: one above the last exception code, 11.
  private static let badSum = MODBUS_ENOBASE + 12

  /// nil without memory.
  init?(descriptor: Int32, baud: Int) {
    // Name and parameters are of no effect: the line is open and set up.
    guard
      let context = unsafe modbus_new_rtu("/dev/null", Int32(baud > 0 ? baud : 9_600), CChar(UInt8(ascii: "N")), 8, 1)
    else { return nil }
    unsafe self.context = context
    unsafe modbus_set_socket(context, descriptor)
    unsafe modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_NONE)
  }

  deinit { unsafe modbus_free(context) }

  func flush() { _ = unsafe modbus_flush(context) }

  /// Sends a request; nil where it left.
  func send(_ request: Request, unit: UInt8) -> Failure? {
    _ = unsafe modbus_set_slave(context, Int32(unit))
    let question = [unit] + request.pdu
    guard unsafe modbus_send_raw_request(context, question, Int32(question.count)) >= 0 else { return Self.failure(errno) }
    return nil
  }

  /// The next frame. Its sum is checked by libmodbus, whether it is the answer by the caller; a frame of another unit, whose
  /// sum libmodbus does not look at, is `stranger`. `received` is told what was on the line.
  func receive(milliseconds: Int, received: ([UInt8]) -> Void) -> Result {
    _ = unsafe modbus_set_response_timeout(
      context, UInt32(milliseconds / 1_000), UInt32(milliseconds % 1_000) * 1_000)
    var frame = [UInt8](repeating: 0, count: Int(MODBUS_MAX_ADU_LENGTH))
    let count = unsafe modbus_receive_confirmation(context, &frame)
    let code = errno
    guard count > 0 else {
      if count == 0 || code == Self.badSum { received(Array(frame.prefix(Self.length(frame)))) }
      return count == 0 ? .stranger : .failed(Self.failure(code))
    }
    frame.removeLast(frame.count - Int(count))
    received(frame)
    guard frame.count >= 5 else { return .failed(.garbled("it is too short")) }
    return .frame(unit: frame[0], pdu: Array(frame[1..<(frame.count - 2)]))
  }

  /// Length of a whole reply, by what it says of itself.
  private static func length(_ frame: [UInt8]) -> Int {
    switch frame[1] {
    case 0x80...: 5
    case 1...4: min(frame.count, 5 + Int(frame[2]))
    default: 8
    }
  }

  private static func failure(_ code: Int32) -> Failure {
    let text = unsafe modbus_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    switch code {
    case ETIMEDOUT: return .silent
    case EIO, EBADF, ENODEV, ENXIO, EPIPE, ECONNRESET: return .lost(text)
    default: return .garbled(text)
    }
  }
}
