// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Where counters stood before the host's start, so that a glitch right after it is seen, and a long outage is not taken
/// for one.
package protocol CountRecall: Sendable {
  /// The last good count of each counter that is known, and when it was taken, Unix nanoseconds. May read the disk.
  func lastCounts(of device: DeviceID) -> [(point: String, value: Double, time: Int64)]
}

/// Remembers nothing.
package struct NoRecall: CountRecall {
  package init() {}
  package func lastCounts(of device: DeviceID) -> [(point: String, value: Double, time: Int64)] { [] }
}
