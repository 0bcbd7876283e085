// SPDX-License-Identifier: Apache-2.0

/// Redraws lines in place at the end of what a terminal shows, so that what was there before stays to be scrolled to.
package struct LiveScreen: Sendable {
  private var drawn = 0

  package init() {}

  /// What to send to the terminal: up to the first line of the last drawing, each line anew, the rest cleared (ECMA-48:
  /// CUU, EL, ED). `height` in rows; lines that do not fit are left out, with their number instead.
  package mutating func draw(_ lines: [String], height: Int) -> String {
    var lines = lines
    // The cursor stands on the row below.
    let room = max(1, height - 1)
    if lines.count > room {
      let left = lines.count - (room - 1)
      lines = lines.prefix(room - 1) + ["… \(left) more; name the devices to watch"]
    }
    let home = drawn > 0 ? "\u{1B}[\(drawn)A\r" : ""
    drawn = lines.count
    return home + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J"
  }
}
