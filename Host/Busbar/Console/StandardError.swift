// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc

/// Where reasons go.
package enum StandardError {
  /// One line or several. What nobody can read any more is dropped.
  package static func write(_ text: String) {
    let output = Output(form: .lines, descriptor: Descriptor(owning: dup(STDERR_FILENO)))
    try? output.lines([text])
  }

  /// As it is, without a new line.
  static func draw(_ text: String) {
    let output = Output(form: .lines, descriptor: Descriptor(owning: dup(STDERR_FILENO)))
    try? output.write(text)
  }
}
