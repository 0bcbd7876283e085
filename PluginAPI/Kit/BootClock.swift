// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The clock of deadlines (types.h): CLOCK_BOOTTIME, which does not go back and counts suspended time.
public enum BootClock {
  /// Nanoseconds.
  public static var now: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
