// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// One unit behind a link, and what was learnt about it.
public final class ModbusDevice {
  let number: DeviceNumber
  let unit: UInt8
  let template: Template
  /// By point, in the order of the template.
  let ids: [PointID]
  private let indices: [PointID: Int]
  var memory = ReadRun.Memory()
  var isIdentified = false
  /// Ends of the last request and the last write; the device wants pauses between them.
  var lastRequest: Int64 = 0
  var lastWrite: Int64 = 0

  init(_ number: DeviceNumber, unit: UInt8, template: Template, ids: [PointID]) {
    self.number = number
    self.unit = unit
    self.template = template
    self.ids = ids
    indices = Dictionary(zip(ids, ids.indices), uniquingKeysWith: { first, _ in first })
  }

  var map: DeviceMap { template.map }

  func index(of id: PointID) -> Int? { indices[id] }
}

/// The device's own settings (manifest, adapters[0].config).
struct DeviceConfig: Decodable {
  var unit: Int?
  var timeout: String?
  var maximumRegisters: Int?
  var readSpacing: String?

  enum CodingKeys: String, CodingKey {
    case unit, timeout
    case maximumRegisters = "max_registers"
    case readSpacing = "read_spacing"
  }

  init() {}

  init(_ text: String) throws(AdapterError) {
    do {
      self = try decode(DeviceConfig.self, text.isEmpty ? "{}" : text)
    } catch {
      throw AdapterError(.config, "config: \(error.path) \(error.problem)")
    }
  }

  /// What the person says comes before what the template says.
  func apply(to map: inout DeviceMap) throws(AdapterError) -> UInt8 {
    let unit = unit ?? 1
    guard 0...255 ~= unit else { throw AdapterError(.config, "config: unit is \(unit); expected 0 to 255") }
    if let timeout = try duration(timeout, "timeout") { map.timeout = timeout }
    if let spacing = try duration(readSpacing, "read_spacing") { map.readSpacing = spacing }
    if let maximumRegisters { map.limits.maximumRegisters = min(max(1, maximumRegisters), Request.maximumReadCount) }
    return UInt8(unit)
  }

  private func duration(_ text: String?, _ key: String) throws(AdapterError) -> Int? {
    guard let text else { return nil }
    guard let duration = milliseconds(text) else {
      throw AdapterError(.config, "config: \(key) is \"\(text)\"; expected a duration such as 500ms or 5s")
    }
    return duration
  }
}
