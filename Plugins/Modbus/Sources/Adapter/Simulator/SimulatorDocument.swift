// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// One device to simulate (simulate.h, `start`).
struct SimulatorDocument: Decodable {
  var template: TemplateBody
  var config: DeviceConfig?
  var set: [String: JSONValue]?

  static func list(_ text: String) throws(AdapterError) -> [SimulatorDocument] {
    do {
      return try decode([SimulatorDocument].self, text)
    } catch {
      throw error.adapterError
    }
  }

  func map() throws(AdapterError) -> DeviceMap {
    do {
      return try Template(template).map
    } catch {
      throw error.adapterError
    }
  }
}
