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

  /// The time of day by the system's time zone: `14:03:59.250`.
  package static func timeOfDay() -> String {
    let now = unix()
    var seconds = time_t(now / 1_000_000_000)
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let milliseconds = String(1000 + now / 1_000_000 % 1000).dropFirst()
    return unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(milliseconds)"
  }

  private static func read(_ id: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(id, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
