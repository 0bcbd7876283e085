// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec

extension TemplateReader {
  /// Longest content of a window, registers.
  private static let longestWindow = 4_096

  /// In the order of their names.
  func windows() throws(TemplateError) -> [Window] {
    var windows: [Window] = []
    for (number, (name, body)) in (body.windows ?? [:]).sorted(by: { $0.key < $1.key }).enumerated() {
      windows.append(try window(name, body, number))
    }
    return windows
  }

  private func window(_ name: String, _ body: WindowBody, _ number: Int) throws(TemplateError) -> Window {
    let path = "windows.\(name)"
    let values = body.write.values
    guard 1...Request.maximumWriteCount ~= values.count, values.allSatisfy({ 0...0xFFFF ~= $0 }),
      0...(0x1_0000 - values.count) ~= body.write.register
    else { throw TemplateError("\(path).write", "is not a register and the words to write, each from 0 to 65535") }
    guard 0...0xFFFF ~= body.ready.register, 0...0xFFFF ~= body.ready.value else {
      throw TemplateError("\(path).ready", "is not a register and its value, from 0 to 65535")
    }
    let (count, times) = (body.read.count, body.read.times ?? 1)
    guard 1...Request.maximumReadCount ~= count, times > 0, count * times <= Self.longestWindow,
      0...(0x1_0000 - count) ~= body.read.register
    else { throw TemplateError("\(path).read", "is outside of registers 0 to 65535, or longer than \(Self.longestWindow) registers") }
    return Window(
      name, number: number,
      request: values.count == 1 && writeFunction == 6
        ? .writeRegister(body.write.register, UInt16(values[0]))
        : .writeRegisters(body.write.register, values.map { UInt16($0) }),
      ready: Address(try Self.named(body.ready.table, "\(path).ready.table") ?? table, body.ready.register),
      readyValue: UInt16(body.ready.value),
      within: try duration(body.ready.within, "\(path).ready.within") ?? 5_000,
      every: max(10, try duration(body.ready.every, "\(path).ready.every") ?? 200),
      block: Block(Address(try Self.named(body.read.table, "\(path).read.table") ?? table, body.read.register), count: count),
      times: times)
  }

  /// A field in the content of a window; its register counts from the first one of the content.
  func field(_ body: FieldBody, in name: String, _ path: String) throws(TemplateError) -> Field {
    guard let window = try windows().first(where: { $0.name == name }) else {
      throw TemplateError("\(path).window", "is \"\(name)\"; there is no such window")
    }
    guard body.table == nil else { throw TemplateError("\(path).table", "does not go with a window") }
    let field = try field(body, Address(.holding, window.base.register + (body.register ?? 0)), path)
    guard window.content.contains(field) else {
      throw TemplateError("\(path).register", "runs outside of the \(window.content.count) registers of the window")
    }
    return field
  }
}
