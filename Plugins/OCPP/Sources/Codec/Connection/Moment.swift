// SPDX-License-Identifier: Apache-2.0

/// Now, by both clocks: waits are measured by the one that never jumps, stamps come from the other.
package struct Moment: Equatable, Sendable {
  /// Milliseconds of CLOCK_BOOTTIME.
  package var boot: Int64
  /// Unix milliseconds.
  package var unix: Int64

  package init(boot: Int64, unix: Int64) {
    self.boot = boot
    self.unix = unix
  }
}
