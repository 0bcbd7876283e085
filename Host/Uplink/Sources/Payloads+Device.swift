// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension Payloads {
  /// Interfaces 3.2. `time` in Unix milliseconds.
  package func deviceStatus(_ status: DeviceStatus, info: DeviceInfo, time: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", time)
      json.string("state", status.state.rawValue)
      json.optional("reason", status.reason)
      json.integer("since", status.since)
      json.string("adapter", info.adapter)
      json.optional("template", info.template)
      json.string("path", path.rawValue)
      json.string("gateway", gateway)
      Self.identity(info, into: &json)
      json.key("quality")
      Self.quality(status.quality, into: &json)
      json.key("alarms")
      json.beginArray()
      for alarm in status.alarms { json.string(alarm) }
      json.endArray()
    }
  }

  /// Interfaces 3.5: identity, points and the names of actions.
  package func deviceInfo(_ info: DeviceInfo, time: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", time)
      json.string("id", info.id.rawValue)
      json.string("type", info.kind.rawValue)
      json.string("name", info.name)
      Self.identity(info, into: &json)
      json.optional("template", info.template)
      json.string("gateway", gateway)
      json.string("path", path.rawValue)
      json.key("points")
      json.beginArray()
      for point in info.points { Self.point(point, into: &json) }
      json.endArray()
      json.key("actions")
      json.beginArray()
      for action in info.actions { json.string(action) }
      json.endArray()
    }
  }

  /// What a reading means for the retained topics of its kind of device: a battery's state of charge, the production of
  /// a solar system. Nil where the values for it are missing.
  package func state(of reading: Reading, kind: DeviceKind) -> (topic: StateTopic, payload: [UInt8])? {
    switch kind {
    case .battery:
      batterySoc(reading).map { (.batterySoc(reading.device), $0) }
    case .solar:
      solarProduction(reading).map { (.solarProduction(reading.device), $0) }
    case .evcharger, .heatpump, .meter, .load:
      nil
    }
  }

  /// `battery/soc`: percent.
  package func batterySoc(_ reading: Reading) -> [UInt8]? {
    guard let soc = reading.number("soc") else { return nil }
    return write { json in
      json.integer("ts", reading.time / 1_000_000)
      json.number("value", soc.value, resolution: soc.resolution)
    }
  }

  /// `solar/production`: W and Wh. An energy that the device does not tell is absent.
  package func solarProduction(_ reading: Reading) -> [UInt8]? {
    guard let power = reading.number("power") else { return nil }
    return write { json in
      json.integer("ts", reading.time / 1_000_000)
      json.number("power", power.value, resolution: power.resolution)
      for name in ["energy_today", "energy_total"] {
        guard let energy = reading.number(name) else { continue }
        json.number(name, energy.value, resolution: energy.resolution)
      }
    }
  }

  private static func identity(_ info: DeviceInfo, into json: inout JSONWriter) {
    json.optional("vendor", info.vendor)
    json.optional("model", info.model)
    json.optional("serial", info.serial)
    json.optional("firmware", info.firmware)
  }

  private static func quality(_ quality: LinkQuality, into json: inout JSONWriter) {
    json.beginObject()
    json.number("success", quality.success, resolution: 0.001)
    json.number("p50_ms", quality.p50_ms, resolution: 0.1)
    json.number("p95_ms", quality.p95_ms, resolution: 0.1)
    json.key("errors")
    json.beginObject()
    for (name, count) in quality.errors.sorted(by: { $0.key < $1.key }) { json.integer(name, Int64(count)) }
    json.endObject()
    json.integer("reconnects", Int64(quality.reconnects))
    json.endObject()
  }

  private static func point(_ point: PointDescriptor, into json: inout JSONWriter) {
    json.beginObject()
    json.string("name", point.name)
    if !point.title.isEmpty { json.string("title", point.title) }
    json.string("unit", point.unit)
    json.string("type", point.type.rawValue)
    json.string("kind", point.kind.rawValue)
    json.boolean("writable", point.writable)
    if !point.readable { json.boolean("readable", false) }
    if point.setting { json.boolean("setting", true) }
    if let minimum = point.minimum { json.number("minimum", minimum) }
    if let maximum = point.maximum { json.number("maximum", maximum) }
    if !point.allowed.isEmpty {
      json.key("allowed")
      json.beginArray()
      for value in point.allowed { json.number(value) }
      json.endArray()
    }
    json.number("resolution", point.resolution)
    // Milliseconds after which the device falls back by itself when the host is gone.
    if let watchdog = point.watchdog { json.integer("watchdog", watchdog.milliseconds) }
    if !point.labels.isEmpty {
      json.key("labels")
      json.beginArray()
      for label in point.labels { json.string(label) }
      json.endArray()
    }
    json.endObject()
  }
}

extension Reading {
  fileprivate func number(_ name: String) -> (value: Double, resolution: Double)? {
    guard let item = items.first(where: { $0.point.name == name }), let value = item.publishedValue?.number else {
      return nil
    }
    return (value, item.point.resolution)
  }
}
