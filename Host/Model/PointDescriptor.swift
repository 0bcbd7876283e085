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
  package var name: String {
    get { facts.name }
    set { change { $0.name = newValue } }
  }
  package var title: String {
    get { facts.title }
    set { change { $0.title = newValue } }
  }
  /// The symbol of interfaces 5 ("W", "°C"), empty for text and flags.
  package var unit: String {
    get { facts.unit }
    set { change { $0.unit = newValue } }
  }
  package var type: ValueType {
    get { facts.type }
    set { change { $0.type = newValue } }
  }
  package var kind: Kind {
    get { facts.kind }
    set { change { $0.kind = newValue } }
  }
  package var writable: Bool {
    get { facts.writable }
    set { change { $0.writable = newValue } }
  }
  /// False: the device takes it and never tells it.
  package var readable: Bool {
    get { facts.readable }
    set { change { $0.readable = newValue } }
  }
  /// A written value lasts: no lease, no safe value.
  package var setting: Bool {
    get { facts.setting }
    set { change { $0.setting = newValue } }
  }
  /// Nil = no limit.
  package var minimum: Double? {
    get { facts.minimum }
    set { change { $0.minimum = newValue } }
  }
  package var maximum: Double? {
    get { facts.maximum }
    set { change { $0.maximum = newValue } }
  }
  /// Values that may be written although they are outside of minimum and maximum (0 = off on a charger of 6 to 32 A).
  package var allowed: [Double] {
    get { facts.allowed }
    set { change { $0.allowed = newValue } }
  }
  /// The smallest step that means something; output is rounded to it; 0 = as is.
  package var resolution: Double {
    get { facts.resolution }
    set { change { $0.resolution = newValue } }
  }
  /// The labels of an enumeration, by index.
  package var labels: [String] {
    get { facts.labels }
    set { change { $0.labels = newValue } }
  }
  /// What is written when the last lease ended.
  package var safe: Value? {
    get { facts.safe }
    set { change { $0.safe = newValue } }
  }
  /// How long a lease lasts where the request does not say. At most 15 minutes for a template's default.
  package var lease: Duration? {
    get { facts.lease }
    set { change { $0.lease = newValue } }
  }
  /// A value in force is sent again this often, so that a watchdog in the device does not end it.
  package var refresh: Duration? {
    get { facts.refresh }
    set { change { $0.refresh = newValue } }
  }
  /// The device falls back by itself when nobody sends the value again for this long.
  package var watchdog: Duration? {
    get { facts.watchdog }
    set { change { $0.watchdog = newValue } }
  }
  /// How often reading is worthwhile; nil = the device's default.
  package var period: Duration? {
    get { facts.period }
    set { change { $0.period = newValue } }
  }
  /// A counter that restarts at 0 (`_today`, `_session`).
  package var restarts: Bool {
    get { facts.restarts }
    set { change { $0.restarts = newValue } }
  }
  /// What its values can be, where the template says more than `minimum` and `maximum`.
  package var plausible: Plausible? {
    get { facts.plausible }
    set { change { $0.plausible = newValue } }
  }

  package init(
    name: String, title: String = "", unit: String = "", type: ValueType = .number, kind: Kind = .gauge,
    writable: Bool = false, readable: Bool = true, setting: Bool = false, minimum: Double? = nil, maximum: Double? = nil,
    allowed: [Double] = [], resolution: Double = 0, labels: [String] = [], safe: Value? = nil, lease: Duration? = nil,
    refresh: Duration? = nil, watchdog: Duration? = nil, period: Duration? = nil, restarts: Bool = false, plausible: Plausible? = nil
  ) {
    storage = Storage(
      Facts(
        name: name, title: title, unit: unit, type: type, kind: kind, writable: writable, readable: readable,
        setting: setting, minimum: minimum, maximum: maximum, allowed: allowed, resolution: resolution, labels: labels,
        safe: safe, lease: lease, refresh: refresh, watchdog: watchdog, period: period, restarts: restarts, plausible: plausible))
  }

  /// Limits are combined by the most restrictive lease, everything else by priority (interfaces 3.3).
  package var isLimit: Bool {
    ["power_limit", "current_limit", "power_limit_percent"].contains(PointNames.base(of: name)) || name.hasPrefix("max_")
  }

  private struct Facts: Hashable, Sendable {
    var name: String
    var title: String
    var unit: String
    var type: ValueType
    var kind: Kind
    var writable: Bool
    var readable: Bool
    var setting: Bool
    var minimum: Double?
    var maximum: Double?
    var allowed: [Double]
    var resolution: Double
    var labels: [String]
    var safe: Value?
    var lease: Duration?
    var refresh: Duration?
    var watchdog: Duration?
    var period: Duration?
    var restarts: Bool
    var plausible: Plausible?
  }

  private final class Storage: Sendable {
    let facts: Facts
    init(_ facts: Facts) { self.facts = facts }
  }

  /// All of it. A descriptor goes along with each value, and so is no more than a reference.
  private var storage: Storage

  private var facts: Facts { storage.facts }

  private mutating func change(_ body: (inout Facts) -> Void) {
    var facts = storage.facts
    body(&facts)
    storage = Storage(facts)
  }

  package static func == (a: PointDescriptor, b: PointDescriptor) -> Bool { a.storage === b.storage || a.facts == b.facts }

  package func hash(into hasher: inout Hasher) { hasher.combine(facts) }
}
