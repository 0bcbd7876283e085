// SPDX-License-Identifier: Apache-2.0

internal import CModbus
internal import Glibc
internal import ModbusCodec

/// libmodbus as server on one connection or line that somebody else opened and will close.
@safe final class ModbusServer {
  struct Query {
    var unit: UInt8
    /// nil: a function that is not simulated.
    var request: Request?
    fileprivate var bytes: [UInt8]
  }

  enum Event {
    case nothing
    case query(Query)
    case closed
  }

  private let context: OpaquePointer
  private let descriptor: Int32
  private let isSerial: Bool
  private let headLength: Int

  /// nil without memory.
  init?(descriptor: Int32, isSerial: Bool, unit: UInt8) {
    // Names and parameters are of no effect: the connection is there.
    let made =
      unsafe isSerial
      ? modbus_new_rtu("/dev/null", 9_600, CChar(UInt8(ascii: "N")), 8, 1) : modbus_new_tcp("127.0.0.1", 502)
    guard let context = unsafe made else { return nil }
    unsafe self.context = context
    self.descriptor = descriptor
    self.isSerial = isSerial
    headLength = Int(unsafe modbus_get_header_length(context))
    _ = unsafe modbus_set_socket(context, descriptor)
    _ = unsafe modbus_set_slave(context, Int32(unit))
    // A frame that ends in the middle must not hold the connection.
    _ = unsafe modbus_set_indication_timeout(context, 1, 0)
  }

  deinit { unsafe modbus_free(context) }

  func receive(milliseconds: Int32) -> Event {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&watched, 1, milliseconds) > 0 else { return .nothing }
    guard watched.revents & Int16(POLLIN) != 0 else { return gone(milliseconds) }
    var bytes = [UInt8](repeating: 0, count: Int(MODBUS_MAX_ADU_LENGTH))
    let count = unsafe modbus_receive(context, &bytes)
    if count > 0 { return .query(query(Array(bytes.prefix(Int(count))))) }
    if count == 0 {
      // On a line libmodbus passes over every unit but its own and does not check the sum of such a frame; between two
      // simulators the line is clean.
      return isSerial ? .query(query(Array(bytes.prefix(Self.requestLength(bytes))))) : .nothing
    }
    let code = errno
    if code == ECONNRESET || code == EBADF || code == EIO || code == EPIPE { return gone(milliseconds) }
    guard isSerial else { return code == EINTR || code == ETIMEDOUT ? .nothing : .closed }
    _ = unsafe modbus_flush(context)
    return .nothing
  }

  /// A connection ends; on a line the far end may come back.
  private func gone(_ milliseconds: Int32) -> Event {
    guard isSerial else { return .closed }
    _ = poll(nil, 0, milliseconds)
    return .nothing
  }

  func refuse(_ query: Query, code: UInt8) {
    _ = unsafe modbus_reply_exception(context, query.bytes, UInt32(code))
  }

  /// Answers out of `word`; returns what was written.
  func reply(
    _ query: Query, _ request: Request, _ word: (Address) -> UInt16
  ) -> (address: Address, words: [UInt16])? {
    let (address, count) = request.range
    guard let mapping = unsafe Self.mapping(address, count) else { return nil }
    defer { unsafe modbus_mapping_free(mapping) }
    for offset in 0..<count {
      let value = word(Address(address.table, address.register + offset))
      switch address.table {
      case .coil: unsafe mapping.pointee.tab_bits[offset] = value == 0 ? 0 : 1
      case .discrete: unsafe mapping.pointee.tab_input_bits[offset] = value == 0 ? 0 : 1
      case .holding: unsafe mapping.pointee.tab_registers[offset] = value
      case .input: unsafe mapping.pointee.tab_input_registers[offset] = value
      }
    }
    _ = unsafe modbus_reply(context, query.bytes, Int32(query.bytes.count), mapping)
    guard request.isWrite else { return nil }
    let words = (0..<count).map { offset in
      unsafe address.table == .coil ? UInt16(mapping.pointee.tab_bits[offset]) : mapping.pointee.tab_registers[offset]
    }
    return (address, words)
  }

  private static func mapping(_ address: Address, _ count: Int) -> UnsafeMutablePointer<modbus_mapping_t>? {
    let (start, number) = (UInt32(address.register), UInt32(count))
    func length(_ table: Table) -> UInt32 { table == address.table ? number : 0 }
    return unsafe modbus_mapping_new_start_address(
      start, length(.coil), start, length(.discrete), start, length(.holding), start, length(.input))
  }

  private func query(_ bytes: [UInt8]) -> Query {
    let pdu = bytes.dropFirst(headLength)
    return Query(
      unit: headLength > 0 && bytes.count >= headLength ? bytes[headLength - 1] : 0, request: Request(pdu: Array(pdu)),
      bytes: bytes)
  }

  /// Length of a request with unit and sum, told by its function.
  private static func requestLength(_ bytes: [UInt8]) -> Int {
    switch bytes[1] {
    case 15, 16: min(bytes.count, 9 + Int(bytes[6]))
    default: 8
    }
  }
}

extension Request {
  /// A request as a server sees it; nil for functions and lengths that are not simulated. What follows the request (a
  /// checksum) is ignored.
  fileprivate init?(pdu: [UInt8]) {
    guard pdu.count >= 5 else { return nil }
    let register = Int(pdu[1]) << 8 | Int(pdu[2])
    let second = Int(pdu[3]) << 8 | Int(pdu[4])
    switch pdu[0] {
    case 1...4:
      guard let table = Table.allCases.first(where: { $0.readFunction == pdu[0] }), second > 0 else { return nil }
      self = .read(Address(table, register), count: second)
    case 5: self = .writeCoil(register, second != 0)
    case 6: self = .writeRegister(register, UInt16(second))
    case 16:
      guard 1...Request.maximumWriteCount ~= second, pdu.count >= 6 + second * 2 else { return nil }
      self = .writeRegisters(register, (0..<second).map { UInt16(pdu[6 + $0 * 2]) << 8 | UInt16(pdu[7 + $0 * 2]) })
    default: return nil
    }
  }

  fileprivate var range: (Address, Int) {
    switch self {
    case .read(let address, let count): (address, count)
    case .writeCoil(let register, _): (Address(.coil, register), 1)
    case .writeRegister(let register, _): (Address(.holding, register), 1)
    case .writeRegisters(let register, let words): (Address(.holding, register), words.count)
    case .identification: (Address(.holding, 0), 0)
    }
  }
}
