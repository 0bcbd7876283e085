// SPDX-License-Identifier: Apache-2.0

/// What a device does by itself when nobody renews a point's value: it falls back after a time. Host and template make it
/// fall back to the point's safe value.
package struct Watchdog: Equatable, Sendable {
  /// Milliseconds without renewal after which the device acts; renewed at a third of it.
  package var time: Int
  /// Where the time is programmed, in seconds; nil: it cannot be.
  package var set: WriteRule.Assignment?
  /// Where the value is programmed that the device falls back to; nil: it cannot be.
  package var fallback: WriteRule.Assignment?
  /// What is written as a sign of life, beside the value; nil: writing the value is enough.
  package var beat: WriteRule.Assignment?
  /// The point's safe value: a number, the index of a label, or 0 and 1 of a switch.
  package var safe: Double?

  package init(time: Int, safe: Double? = nil) {
    self.time = time
    self.safe = safe
  }

  /// What the device has to hold before the value is written.
  package func programmed() throws(WriteRule.Failure) -> [WriteRule.Step] {
    var steps: [WriteRule.Step] = []
    if let set { steps.append(try set.step(for: Double(time) / 1_000)) }
    if let fallback, let safe { steps.append(try fallback.step(for: safe)) }
    return steps
  }

  package var fields: [Field] { [set, fallback, beat].compactMap { $0?.field } }
}
