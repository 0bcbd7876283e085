// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// The link's own settings (manifest, adapters[0].link).
struct LinkConfig: Decodable {
  private var framing: String?

  init(_ text: String) throws(AdapterError) {
    do {
      self = try decode(LinkConfig.self, text.isEmpty ? "{}" : text)
    } catch {
      throw AdapterError(.config, "config of the link: \(error.path) \(error.problem)")
    }
  }

  func wanted() throws(AdapterError) -> WireFraming? { try WireFraming.named(framing) }
}

/// The device's own settings (manifest, adapters[0].config).
struct DeviceConfig: Decodable {
  var unit: Int?
  var framing: String?
  var timeout: String?
  var maximumRegisters: Int?
  var readSpacing: String?

  enum CodingKeys: String, CodingKey {
    case unit, framing, timeout
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
    if let framing = try WireFraming.named(framing) { map.framing = framing }
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

extension WireFraming {
  fileprivate static func named(_ name: String?) throws(AdapterError) -> WireFraming? {
    guard let name else { return nil }
    guard let framing = WireFraming(rawValue: name) else {
      throw AdapterError(.config, "config: framing is \"\(name)\"; expected tcp, rtu or ascii")
    }
    return framing
  }
}
