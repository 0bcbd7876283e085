// SPDX-License-Identifier: Apache-2.0

/// What a point's values can be, as its template knows it. What is left out falls back to limits of the point's quantity.
package struct Plausible: Hashable, Sendable {
  /// In the point's unit.
  package var minimum: Double?
  package var maximum: Double?
  /// The fastest change, in the point's unit a second.
  package var rate: Double?
  /// A change from one reading to the next that is good however little time is between them.
  package var jump: Double?
  /// A measured value that stays the same for so long, while others of the device change, is not measured any more.
  package var frozen: Duration?
  /// A counter that may fall: a balance of two directions.
  package var falls: Bool?

  package init(
    minimum: Double? = nil, maximum: Double? = nil, rate: Double? = nil, jump: Double? = nil, frozen: Duration? = nil,
    falls: Bool? = nil
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.rate = rate
    self.jump = jump
    self.frozen = frozen
    self.falls = falls
  }

  /// From a point's `detail` (point.h): `{"minimum","maximum","rate","jump","frozen_ms","falls"}`. Nil where nothing of it
  /// can be used; a limit that is none is left out.
  package init?(json: JSONValue?) {
    guard json?.object != nil else { return nil }
    func positive(_ name: String) -> Double? {
      json?[name]?.number.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }
    let minimum = json?["minimum"]?.number
    let maximum = json?["maximum"]?.number
    let ordered = minimum.map { low in maximum.map { low <= $0 } ?? true } ?? true
    self.init(
      minimum: ordered ? minimum : nil, maximum: ordered ? maximum : nil, rate: positive("rate"), jump: positive("jump"),
      frozen: json?["frozen_ms"]?.integer.flatMap { $0 > 0 ? .milliseconds($0) : nil }, falls: json?["falls"]?.boolean)
    if self == Plausible() { return nil }
  }
}
