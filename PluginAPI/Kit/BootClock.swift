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

/// Unix time, as the host's clock has it: it may jump, so it is for stamps and never for waiting.
public enum WallClock {
  /// Milliseconds.
  public static var milliseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
