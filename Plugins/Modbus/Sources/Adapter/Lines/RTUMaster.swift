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
    case reply(Reply)
    case failed(Failure)
  }

  private let context: OpaquePointer

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

  func perform(_ request: Request, unit: UInt8, milliseconds: Int) -> Result {
    _ = unsafe modbus_set_slave(context, Int32(unit))
    _ = unsafe modbus_set_response_timeout(
      context, UInt32(milliseconds / 1_000), UInt32(milliseconds % 1_000) * 1_000)
    // A late answer to an earlier request carries nothing that would tell it from the answer to this one.
    flush()
    let done: Int32
    var reply = Reply.written
    switch request {
    case .read(let address, let count):
      let (register, number) = (Int32(address.register), Int32(count))
      if address.table.isBits {
        var bits = [UInt8](repeating: 0, count: count)
        done = unsafe bits.withUnsafeMutableBufferPointer { bits in
          unsafe address.table == .coil
            ? modbus_read_bits(context, register, number, bits.baseAddress)
            : modbus_read_input_bits(context, register, number, bits.baseAddress)
        }
        reply = .values(bits.map { UInt16($0) })
      } else {
        var words = [UInt16](repeating: 0, count: count)
        done = unsafe words.withUnsafeMutableBufferPointer { words in
          unsafe address.table == .holding
            ? modbus_read_registers(context, register, number, words.baseAddress)
            : modbus_read_input_registers(context, register, number, words.baseAddress)
        }
        reply = .values(words)
      }
    case .writeCoil(let register, let value):
      done = unsafe modbus_write_bit(context, Int32(register), value ? 1 : 0)
    case .writeRegister(let register, let value):
      done = unsafe modbus_write_register(context, Int32(register), value)
    case .writeRegisters(let register, let values):
      done = unsafe modbus_write_registers(context, Int32(register), Int32(values.count), values)
    }
    if done >= 0 { return .reply(reply) }
    return Self.failure(errno)
  }

  private static func failure(_ code: Int32) -> Result {
    // The codes 1 to 11 of the device, moved up (modbus.h, MODBUS_ENOBASE).
    let exception = code - MODBUS_ENOBASE
    if 1...11 ~= exception { return .reply(.exception(UInt8(exception))) }
    let text = unsafe modbus_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    switch code {
    case ETIMEDOUT: return .failed(.silent)
    case EIO, EBADF, ENODEV, ENXIO, EPIPE, ECONNRESET: return .failed(.lost(text))
    default: return .failed(.garbled(text))
    }
  }
}
