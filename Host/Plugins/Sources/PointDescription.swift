// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import PluginAPI
internal import Synchronization

/// A point descriptor of the contract as a plugin gave it, copied and not yet believed.
package struct PointRecord: Equatable, Sendable {
  // Bytes. A name longer than 64 is no name.
  static let nameLimit = 65
  static let titleLimit = 128
  static let detailLimit = 16_384

  package var name, title, detail: String
  package var type, kind, unit: UInt16
  package var flags, period: UInt32
  package var minimum, maximum, resolution: Double

  package init(
    name: String, title: String, detail: String, type: UInt16, kind: UInt16, unit: UInt16, flags: UInt32, period: UInt32,
    minimum: Double, maximum: Double, resolution: Double
  ) {
    self.name = name
    self.title = title
    self.detail = detail
    self.type = type
    self.kind = kind
    self.unit = unit
    self.flags = flags
    self.period = period
    self.minimum = minimum
    self.maximum = maximum
    self.resolution = resolution
  }
}

extension PointRecord {
  init(_ record: bb_point_desc_t) {
    unsafe self.init(
      name: copied(record.name, limit: Self.nameLimit), title: copied(record.title, limit: Self.titleLimit),
      detail: copied(record.detail, limit: Self.detailLimit), type: record.type, kind: record.kind, unit: record.unit,
      flags: record.flags, period: record.period_ms, minimum: record.minimum, maximum: record.maximum,
      resolution: record.resolution)
  }
}

/// Devices of one template declare the same points: equal descriptors are kept once.
private enum SharedPoints {
  /// So many are remembered; then it begins anew.
  private static let limit = 2048
  private static let known = Mutex(Set<PointDescriptor>())

  static func one(_ point: PointDescriptor) -> PointDescriptor {
    known.withLock { known in
      if known.count >= limit { known.removeAll() }
      return known.insert(point).memberAfterInsert
    }
  }
}

/// A point descriptor of the contract, checked and translated into the host's words.
enum PointDescription {
  /// Nil where the name, type or unit is not one.
  static func point(_ record: PointRecord) -> PointDescriptor? {
    guard isName(record.name), let type = type(record.type), let unit = unit(record.unit) else { return nil }
    let name = record.name
    let json = record.detail.isEmpty ? nil : try? JSONValue(parsing: Array(record.detail.utf8))
    let limited = record.minimum.isFinite && record.maximum.isFinite && (record.minimum != 0 || record.maximum != 0)
    let flags = Int(record.flags)
    let kind = kind(record.kind)
    return SharedPoints.one(PointDescriptor(
      name: name, title: record.title, unit: unit, type: type, kind: kind,
      writable: flags & BB_POINT_WRITABLE != 0,
      // What can be neither read nor written is no point; then the flag is a mistake.
      readable: flags & BB_POINT_WRITABLE == 0 || flags & BB_POINT_WRITE_ONLY == 0, setting: flags & BB_POINT_SETTING != 0,
      minimum: limited ? record.minimum : nil, maximum: limited ? record.maximum : nil,
      allowed: (json?["allowed"]?.array ?? []).compactMap(\.number),
      resolution: record.resolution.isFinite ? max(0, record.resolution) : 0,
      labels: (json?["labels"]?.array ?? []).prefix(256).compactMap(\.string), safe: json?["safe"].flatMap(Value.init(json:)),
      lease: duration(json?["lease_ms"]), refresh: duration(json?["refresh_ms"]),
      watchdog: duration(json?["watchdog_ms"]),
      period: record.period == 0 ? nil : .milliseconds(Int64(record.period)),
      restarts: kind == .counter && (flags & BB_POINT_RESTARTS != 0 || name.hasSuffix("_today") || name.hasSuffix("_session")),
      plausible: Plausible(json: json?["plausible"])))
  }

  private static func duration(_ json: JSONValue?) -> Duration? {
    json?.integer.flatMap { $0 > 0 ? .milliseconds($0) : nil }
  }

  private static func isName(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
    return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
      && name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "_")
      }
  }

  private static func type(_ code: UInt16) -> PointDescriptor.ValueType? {
    switch Int(code) {
    case BB_TYPE_F64: .number
    case BB_TYPE_I64, BB_TYPE_U64: .integer
    case BB_TYPE_BOOL: .boolean
    case BB_TYPE_ENUM: .enumeration
    case BB_TYPE_TEXT: .text
    case BB_TYPE_BYTES: .bytes
    default: nil
    }
  }

  private static func kind(_ code: UInt16) -> PointDescriptor.Kind {
    switch Int(code) {
    case BB_KIND_COUNTER: .counter
    case BB_KIND_STATE: .state
    case BB_KIND_EVENT: .event
    default: .gauge
    }
  }

  /// Symbols of units.h by number; 0 says nothing, as NONE does.
  private static func unit(_ code: UInt16) -> String? {
    let symbols = ["", "", "W", "Wh", "VA", "var", "varh", "V", "A", "Hz", "°C", "%", "s", "1", "m³", "m³/h", "bar"]
    return symbols.indices.contains(Int(code)) ? symbols[Int(code)] : nil
  }
}
