// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// The clocks that Control looks at; tests bring their own.
package protocol TimeSource: Sendable {
  /// CLOCK_BOOTTIME in nanoseconds.
  func boot() -> Int64
  /// Unix time in milliseconds.
  func unix() -> Int64
  /// Returns when the boot clock shows `boot` nanoseconds or later; throws when the task is cancelled.
  func sleep(until boot: Int64) async throws
}

/// The clocks of the machine.
package struct SystemTime: TimeSource {
  package init() {}

  package func boot() -> Int64 { Clock.boot() }
  package func unix() -> Int64 { Clock.unixMilliseconds() }

  package func sleep(until boot: Int64) async throws {
    try await Task.sleep(for: Duration.nanoseconds(max(0, boot - Clock.boot())), clock: ContinuousClock())
  }
}
