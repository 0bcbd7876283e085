// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarSystem
internal import Glibc

/// Where a command writes, and in which of the three forms: a table on a terminal, plain lines in a pipe, JSON with
/// `--json`.
package struct Output: Sendable {
  package enum Form: Sendable, Equatable {
    case terminal(Terminal)
    case lines
    case json
  }

  /// The reader of standard output is gone: a reason to end, not to complain.
  package struct ReaderGone: Error {}

  package let form: Form
  private let descriptor: Descriptor

  /// Standard output.
  package init(json: Bool) {
    self.init(
      form: json ? .json : Terminal.on(STDOUT_FILENO).map { .terminal($0) } ?? .lines,
      descriptor: Descriptor(owning: dup(STDOUT_FILENO)))
  }

  package init(form: Form, descriptor: Descriptor) {
    self.form = form
    self.descriptor = descriptor
  }

  /// Writes a table, or with `--json` the answer that it shows. Throws `ReaderGone`.
  package func show(_ table: Table, json: JSONValue) throws {
    switch form {
    case .terminal(let terminal): try lines(table.aligned(width: terminal.width, colour: terminal.colour))
    case .lines: try lines(table.lines)
    case .json: try lines([json.text])
    }
  }

  package func lines(_ lines: [String]) throws {
    guard !lines.isEmpty else { return }
    try write(lines.joined(separator: "\n") + "\n")
  }

  /// Returns when all of it is written.
  package func write(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      switch descriptor.write(rest) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock: _ = Poll.wait([(descriptor.number, .write)], until: nil)
      case .closed, .failed: throw ReaderGone()
      }
    }
  }
}
