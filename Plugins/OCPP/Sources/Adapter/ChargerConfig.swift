// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
internal import PluginKit

/// A charger's own settings (manifest, adapters[0].config).
struct ChargerConfig {
  var settings = ChargerSettings()
  /// A a phase.
  var leastCurrent = 6.0
  var mostCurrent = 32.0
  /// Where a remote start names none.
  var remoteTag = "BUSBAR"

  init(_ text: String) throws(AdapterError) {
    let json: JSON
    do {
      json = try JSON(parsing: Array((text.isEmpty ? "{}" : text).utf8))
    } catch {
      throw AdapterError(.config, "config: \(error.description)")
    }
    let phases = Int(truncatingIfNeeded: json["phases"]?.integer ?? 3)
    let voltage = json["voltage"]?.number ?? 230
    settings.supply = Supply(phases: phases, voltage: voltage)
    leastCurrent = json["min_current"]?.number ?? leastCurrent
    mostCurrent = json["max_current"]?.number ?? mostCurrent
    let safe = json["safe_current"]?.number ?? 6
    guard leastCurrent <= mostCurrent else {
      throw AdapterError(.config, "config: min_current is above max_current")
    }
    guard safe == 0 || (leastCurrent...mostCurrent).contains(safe) else {
      throw AdapterError(.config, "config: safe_current is \(JSON.text(safe)); expected 0 or min_current to max_current")
    }
    settings.safe = Limit(current: safe)
    settings.most = Limit(current: mostCurrent)
    if let tariff = json["tariff"] {
      settings.tariff = Tariff(
        start: tariff["start"]?.number ?? 0, energy: tariff["energy"]?.number ?? 0, hour: tariff["hour"]?.number ?? 0)
    }
    if let boot = json["boot"]?.string {
      guard let status = Self.registration(boot) else {
        throw AdapterError(.config, "config: boot is \"\(boot)\"; expected accepted, pending or rejected")
      }
      settings.registration = status
    }
    settings.heartbeatInterval = max(1, try Self.milliseconds(json, "heartbeat", 300_000) / 1000)
    settings.retryInterval = max(1, try Self.milliseconds(json, "retry", 60_000) / 1000)
    settings.introduction = try Self.milliseconds(json, "introduction", 10_000)
    settings.sessionInterval = try Self.milliseconds(json, "session_interval", 60_000)
    settings.patience = max(1_000, try Self.milliseconds(json, "answer_timeout", 30_000))
    settings.purpose =
      switch json["limit_profile"]?.string {
      case "station": .station
      case "default": .usual
      default: nil
      }
    settings.verifiesLimits = json["verify_limits"]?.boolean ?? true
    settings.isStrict = json["strict"]?.boolean ?? false
    if let tag = json["remote_tag"]?.string {
      guard (1...20).contains(tag.unicodeScalars.count) else {
        throw AdapterError(.config, "config: remote_tag has \(tag.unicodeScalars.count) characters; expected 1 to 20")
      }
      remoteTag = tag
    }
  }

  static func registration(_ word: String) -> Registration.Status? {
    switch word.lowercased() {
    case "accepted": .accepted
    case "pending": .pending
    case "rejected": .rejected
    default: nil
    }
  }

  /// What the charger may draw with the safe current, W.
  var safePower: Double { settings.supply.value(settings.safe, .watt) ?? 0 }
  var mostPower: Double { settings.supply.value(Limit(current: mostCurrent), .watt) ?? 0 }

  private static let units: KeyValuePairs<String, Int64> = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]

  private static func milliseconds(_ json: JSON, _ key: String, _ usual: Int64) throws(AdapterError) -> Int64 {
    guard let value = json[key] else { return usual }
    let text = value.string ?? ""
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits), digits.count <= 9, let unit = units.first(where: { $0.key == text.dropFirst(digits.count) }) else {
      throw AdapterError(.config, "config: \(key) is \(value.text); expected a duration such as 30s or 5m")
    }
    return number * unit.value
  }
}
