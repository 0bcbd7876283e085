// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// A checked template.
struct Template: Sendable {
  var map: DeviceMap
  var points: [DeclaredPoint]

  init(_ text: String) throws(AdapterError) {
    guard !text.isEmpty else { throw AdapterError(.config, "a Modbus device needs a template") }
    do {
      try self.init(decode(TemplateBody.self, text))
    } catch {
      throw error.adapterError
    }
  }

  init(_ body: TemplateBody) throws(TemplateError) {
    let reader = try TemplateReader(body)
    var errors: [TemplateError] = []
    points = []
    do { points = try reader.points() } catch { errors.append(error) }
    map = DeviceMap(points: points.map(\.point))
    do { try reader.fillSettings(of: &map) } catch { errors.append(error) }
    if let error = TemplateError(all: errors) { throw error }
  }
}

/// Turns what is written into what is used, and finds what does not fit together.
struct TemplateReader {
  let body: TemplateBody
  let table: Table
  private let order: WordOrder
  let writeFunction: UInt8
  private let nan: [ValueType: [UInt64]]

  init(_ body: TemplateBody) throws(TemplateError) {
    self.body = body
    table = try Self.named(body.table, "table") ?? .holding
    order = try Self.named(body.wordOrder, "word_order") ?? .highFirst
    writeFunction = UInt8(clamping: body.writeFunction ?? 16)
    var patterns: [ValueType: [UInt64]] = [:]
    for (name, values) in body.nan ?? [:] {
      guard let type = ValueType(rawValue: name) else { throw TemplateError("nan", "knows no type \"\(name)\"") }
      patterns[type] = values.map { Self.cut($0.bits, to: type) }
    }
    nan = patterns
  }

  func fillSettings(of map: inout DeviceMap) throws(TemplateError) {
    map.framing = try Self.named(body.framing, "framing")
    map.timeout = try duration(body.timeout, "timeout") ?? map.timeout
    map.connectDelay = try duration(body.connectDelay, "connect_delay") ?? 0
    map.readSpacing = try duration(body.readSpacing, "read_spacing") ?? 0
    map.writeSpacing = try duration(body.writeSpacing, "write_spacing") ?? 0
    map.limits.maximumRegisters = body.maximumRegisters ?? Request.maximumReadCount
    guard 1...Request.maximumReadCount ~= map.limits.maximumRegisters else {
      throw TemplateError("max_registers", "is not from 1 to \(Request.maximumReadCount)")
    }
    map.limits.maximumGap = max(0, body.maximumGap ?? 0)
    map.limits.isSingle = body.single ?? false
    map.asksTwice = body.askTwice ?? false
    map.windows = try windows()
    map.limits.writeFunction = writeFunction
    for (index, block) in (body.blocks ?? []).enumerated() {
      let table = try Self.named(block.table, "blocks.[\(index)].table") ?? table
      guard 0...0xFFFF ~= block.register, 1...Request.maximumReadCount ~= block.count else {
        throw TemplateError("blocks.[\(index)]", "is outside of registers 0 to 65535 or longer than 125")
      }
      guard block.count <= map.limits.maximumRegisters else {
        throw TemplateError("blocks.[\(index)].count", "is more than max_registers")
      }
      map.explicitBlocks.append(Block(Address(table, block.register), count: block.count))
    }
    for (name, source) in body.identity ?? [:] {
      guard let part = IdentityPart(rawValue: name) else {
        throw TemplateError("identity", "knows no \"\(name)\"; there are vendor, model, serial and firmware")
      }
      if let text = source.text {
        map.identity[part] = .text(text)
      } else if let field = source.field {
        map.identity[part] = .field(
          try self.field(field, "identity.\(name)"), labels: try codes(source.labels ?? [:], "identity.\(name).enum"))
      }
    }
  }

  /// `path` is where the field is written, for messages.
  func field(_ body: FieldBody, _ path: String) throws(TemplateError) -> Field {
    guard let register = body.register else { throw TemplateError("\(path).register", "is missing") }
    if let window = body.window { return try field(body, in: window, path) }
    return try field(body, Address(Self.named(body.table, "\(path).table") ?? table, register), path)
  }

  func field(_ body: FieldBody, _ address: Address, _ path: String) throws(TemplateError) -> Field {
    let (table, register) = (address.table, address.register)
    let type: ValueType = try Self.named(body.type, "\(path).type") ?? .uint16
    guard !table.isBits || type == .uint16 else {
      throw TemplateError("\(path).type", "does not go with a table of bits")
    }
    if type == .string, body.length == nil { throw TemplateError("\(path).length", "is missing; a string needs one") }
    let scale = body.scale ?? 1
    guard scale.isFinite, scale != 0 else { throw TemplateError("\(path).scale", "is not a number other than 0") }
    var field = Field(
      Address(table, register), type, count: body.length,
      order: try Self.named(body.wordOrder, "\(path).word_order") ?? order,
      nan: body.nan.map { $0.map { Self.cut($0.bits, to: type) } } ?? nan[type] ?? [], scale: scale,
      offset: body.offset ?? 0)
    if let mask = body.mask { field.mask = mask.bits }
    if let bits = body.bits { field.bits = try self.bits(bits, of: field, path) }
    guard register >= 0, field.end <= 0x1_0000 || body.window != nil, field.count <= Request.maximumReadCount else {
      throw TemplateError("\(path).register", "runs outside of 0 to 65535")
    }
    return field
  }

  private func bits(_ bits: [Int], of field: Field, _ path: String) throws(TemplateError) -> ClosedRange<Int> {
    guard bits.count == 2, 0 <= bits[0], bits[0] <= bits[1], bits[1] < field.count * 16 else {
      throw TemplateError("\(path).bits", "is not the lowest and the highest bit of the type, such as [8, 15]")
    }
    guard !field.type.isFloat, field.type != .string, !field.address.table.isBits else {
      throw TemplateError("\(path).bits", "does not go with \(field.type.rawValue) in \(field.address.table.rawValue)")
    }
    return bits[0]...bits[1]
  }

  /// The register that holds the power of ten of a field's scale.
  func power(_ body: FieldBody, _ path: String) throws(TemplateError) -> Field? {
    guard let power = body.power else { return nil }
    let path = "\(path).scale_register"
    let named: Table? = try Self.named(power.table ?? body.table, "\(path).table")
    let table = named ?? table
    guard !table.isBits, 0...0xFFFF ~= power.register else {
      throw TemplateError(path, "is no register from 0 to 65535 of holding or input")
    }
    // SunSpec's sunssf; others do the same.
    return Field(Address(table, power.register), .int16, nan: power.nan?.map { Self.cut($0.bits, to: .int16) } ?? [0x8000])
  }

  /// The value by which a field is multiplied.
  private func times(_ body: FieldBody, _ path: String) throws(TemplateError) -> Field? {
    guard let times = body.times else { return nil }
    let factor = FieldBody(
      table: times.table ?? body.table, register: times.register, type: times.type, wordOrder: times.wordOrder,
      nan: times.nan, scale: times.scale)
    return try number(factor, "\(path).times")
  }

  func term(_ body: FieldBody, _ path: String) throws(TemplateError) -> Term {
    Term(try number(body, path), power: try power(body, path), times: try times(body, path), absent: body.absent)
  }

  func codes(_ labels: [String: String], _ path: String) throws(TemplateError) -> [Int64: String] {
    var codes: [Int64: String] = [:]
    for (text, label) in labels {
      guard let code = Pattern.parse(text) else {
        throw TemplateError(path, "has the code \"\(text)\", which is no integer")
      }
      codes[code] = label
    }
    return codes
  }

  func duration(_ text: String?, _ path: String) throws(TemplateError) -> Int? {
    guard let text else { return nil }
    guard let duration = milliseconds(text) else {
      throw TemplateError(path, "is \"\(text)\"; expected a duration such as 500ms, 5s, 2m or 1h")
    }
    return duration
  }

  static func named<Value: RawRepresentable & CaseIterable>(
    _ name: String?, _ path: String
  ) throws(TemplateError) -> Value? where Value.RawValue == String {
    guard let name else { return nil }
    guard let value = Value(rawValue: name) else {
      throw TemplateError(
        path, "is \"\(name)\"; expected one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  private static func cut(_ bits: UInt64, to type: ValueType) -> UInt64 {
    guard let registers = type.registers, registers < 4 else { return bits }
    return bits & ((1 << UInt64(registers * 16)) - 1)
  }
}
