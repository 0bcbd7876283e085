// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// A point as the template has it: how it is read and written, and how it is declared to the host.
struct DeclaredPoint: Sendable {
  var point: Point
  var declaration: PointDeclaration
  /// Values outside the range that may be commanded all the same.
  var allowed: [Double]
  /// Smallest difference that counts when a written value is read back.
  var tolerance: Double
}

/// The cold part of a declaration (point.h, `detail`).
struct PointDetail: Encodable {
  var labels: [String]?
  var safe: JSONValue?
  var allowed: [JSONValue]?
  var lease: Int?
  var refresh: Int?
  var watchdog: Int?
  var plausible: PlausibleDetail?

  enum CodingKeys: String, CodingKey {
    case labels, safe, allowed, plausible
    case lease = "lease_ms"
    case refresh = "refresh_ms"
    case watchdog = "watchdog_ms"
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let data = try? encoder.encode(self) else { return "" }
    return String(decoding: data, as: UTF8.self)
  }
}

/// What the host judges values by.
struct PlausibleDetail: Encodable {
  var minimum: Double?
  var maximum: Double?
  var rate: Double?
  var jump: Double?
  var frozen: Int?
  var falls: Bool?

  enum CodingKeys: String, CodingKey {
    case minimum, maximum, rate, jump, falls
    case frozen = "frozen_ms"
  }
}

/// Numbers of units.h by symbol.
let unitNumbers: [String: Int] = [
  "": BB_UNIT_NONE, "W": BB_UNIT_W, "Wh": BB_UNIT_WH, "VA": BB_UNIT_VA, "var": BB_UNIT_VAR, "varh": BB_UNIT_VARH,
  "V": BB_UNIT_V, "A": BB_UNIT_A, "Hz": BB_UNIT_HZ, "°C": BB_UNIT_CELSIUS, "%": BB_UNIT_PERCENT, "s": BB_UNIT_S,
  "1": BB_UNIT_ONE, "m³": BB_UNIT_M3, "m³/h": BB_UNIT_M3H, "bar": BB_UNIT_BAR,
]

let kindNumbers: [String: Int] = [
  "gauge": BB_KIND_GAUGE, "counter": BB_KIND_COUNTER, "state": BB_KIND_STATE, "event": BB_KIND_EVENT,
]
