// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// Who reads what a command writes.
package struct Terminal: Sendable, Equatable {
  /// Columns and rows.
  package var width: Int
  package var height: Int
  package var colour: Bool

  package init(width: Int, height: Int, colour: Bool) {
    self.width = width
    self.height = height
    self.colour = colour
  }

  /// The terminal behind this descriptor; nil where it is a file or a pipe. Colour is off where NO_COLOR is set
  /// (no-color.org) and where the terminal says that it cannot.
  package static func on(
    _ descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Terminal? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    let known = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
    return Terminal(
      width: known && size.ws_col > 0 ? Int(size.ws_col) : 80, height: known && size.ws_row > 0 ? Int(size.ws_row) : 24,
      colour: wantsColour(environment))
  }

  package static func wantsColour(_ environment: [String: String]) -> Bool {
    environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }
}
