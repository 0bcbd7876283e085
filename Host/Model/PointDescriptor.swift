// SPDX-License-Identifier: Apache-2.0

/// What a point of a device is: declared once, before its first value.
package struct PointDescriptor: Hashable, Sendable {
  package enum ValueType: String, Sendable, Codable {
    case number, integer, boolean, enumeration = "enum", text, bytes
  }

  package enum Kind: String, Sendable, Codable {
    case gauge, counter, state, event
  }

  /// `snake_case`, interfaces 5.
  package var name: String
  package var title: String
  /// The symbol of interfaces 5 ("W", "°C"), empty for text and flags.
  package var unit: String
  package var type: ValueType
  package var kind: Kind
  package var writable: Bool
  /// False: the device takes it and never tells it.
  package var readable: Bool
  /// A written value lasts: no lease, no safe value.
  package var setting: Bool
  /// Nil = no limit.
  package var minimum: Double?
  package var maximum: Double?
  /// Values that may be written although they are outside of minimum and maximum (0 = off on a charger of 6 to 32 A).
  package var allowed: [Double]
  /// The smallest step that means something; output is rounded to it; 0 = as is.
  package var resolution: Double
  /// The labels of an enumeration, by index.
  package var labels: [String]
  /// What is written when the last lease ended.
  package var safe: Value?
  /// How long a lease lasts where the request does not say. At most 15 minutes for a template's default.
  package var lease: Duration?
  /// A value in force is sent again this often, so that a watchdog in the device does not end it.
  package var refresh: Duration?
  /// The device falls back by itself when nobody sends the value again for this long.
  package var watchdog: Duration?
  /// How often reading is worthwhile; nil = the device's default.
  package var period: Duration?
  /// A counter that restarts at 0 (`_today`, `_session`).
  package var restarts: Bool
  /// What its values can be, where the template says more than `minimum` and `maximum`.
  package var plausible: Plausible?

  package init(
    name: String, title: String = "", unit: String = "", type: ValueType = .number, kind: Kind = .gauge,
    writable: Bool = false, readable: Bool = true, setting: Bool = false, minimum: Double? = nil, maximum: Double? = nil,
    allowed: [Double] = [], resolution: Double = 0, labels: [String] = [], safe: Value? = nil, lease: Duration? = nil,
    refresh: Duration? = nil, watchdog: Duration? = nil, period: Duration? = nil, restarts: Bool = false, plausible: Plausible? = nil
  ) {
    self.name = name
    self.title = title
    self.unit = unit
    self.type = type
    self.kind = kind
    self.writable = writable
    self.readable = readable
    self.setting = setting
    self.minimum = minimum
    self.maximum = maximum
    self.allowed = allowed
    self.resolution = resolution
    self.labels = labels
    self.safe = safe
    self.lease = lease
    self.refresh = refresh
    self.watchdog = watchdog
    self.period = period
    self.restarts = restarts
    self.plausible = plausible
  }

  /// Limits are combined by the most restrictive lease, everything else by priority (interfaces 3.3).
  package var isLimit: Bool {
    ["power_limit", "current_limit", "power_limit_percent"].contains(PointNames.base(of: name)) || name.hasPrefix("max_")
  }
}
