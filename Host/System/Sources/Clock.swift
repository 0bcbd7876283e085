// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The two clocks of the host. Deadlines, leases and schedules use the boot clock, which counts suspend and never jumps;
/// stamps use Unix time.
package enum Clock {
  /// CLOCK_BOOTTIME in nanoseconds.
  package static func boot() -> Int64 { read(CLOCK_BOOTTIME) }

  /// Unix time in nanoseconds.
  package static func unix() -> Int64 { read(CLOCK_REALTIME) }

  /// Unix time in milliseconds, as it stands in payloads.
  package static func unixMilliseconds() -> Int64 { unix() / 1_000_000 }

  private static func read(_ id: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(id, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
