// SPDX-License-Identifier: Apache-2.0

/// A place in a file. Line and column count from 1; line 0 means the file as a whole.
package struct Place: Hashable, Sendable, Comparable {
  package var file: String
  package var line: Int
  package var column: Int

  package init(file: String, line: Int = 0, column: Int = 0) {
    self.file = file
    self.line = line
    self.column = column
  }

  package static func < (left: Place, right: Place) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

/// One mistake in a file: where it is, what is wrong, what was expected. Never contains the value of a secret.
package struct Diagnostic: Error, Hashable, Sendable {
  package enum Severity: String, Sendable {
    /// The file cannot be used as it is.
    case error
    /// The file works; a person should still look.
    case warning
  }

  package var severity: Severity
  package var place: Place
  /// The path of the key, `devices[2].config.unit`; empty for the file as a whole. Lists count from 0.
  package var key: String
  /// What is wrong.
  package var message: String
  /// What was expected, where that can be said.
  package var expectation: String?

  package var file: String { place.file }
  package var line: Int { place.line }
  package var column: Int { place.column }

  package init(
    _ severity: Severity = .error, place: Place, key: String = "", message: String, expectation: String? = nil
  ) {
    self.severity = severity
    self.place = place
    self.key = key
    self.message = message
    self.expectation = expectation
  }
}

extension Diagnostic: CustomStringConvertible {
  /// `file:line:column: key: message; expected …`. A warning has the word before the key.
  package var description: String {
    var text = place.file
    if place.line > 0 { text += ":\(place.line):\(place.column)" }
    if severity == .warning { text += ": warning" }
    if !key.isEmpty { text += ": \(key)" }
    text += ": \(message)"
    if let expectation { text += "; expected \(expectation)" }
    return text
  }
}

/// Where the readers of one file put what they find. Not shared between threads.
final class DiagnosticSink {
  /// More than a person reads; keeps a hostile file from filling memory.
  static let limit = 500

  private struct Key: Hashable {
    var place: Place
    var key: String
  }

  private(set) var found: [Diagnostic] = []
  private var keys: Set<Key> = []

  var hasErrors: Bool { found.contains { $0.severity == .error } }

  /// In the order of the file.
  var sorted: [Diagnostic] {
    found.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(\.element)
  }

  func error(_ place: Place, _ key: String, _ message: String, expected: String? = nil) {
    add(Diagnostic(.error, place: place, key: key, message: message, expectation: expected))
  }

  func warning(_ place: Place, _ key: String, _ message: String, expected: String? = nil) {
    add(Diagnostic(.warning, place: place, key: key, message: message, expectation: expected))
  }

  /// Of two mistakes with one value the first is enough.
  func add(_ diagnostic: Diagnostic) {
    if !diagnostic.key.isEmpty, !keys.insert(Key(place: diagnostic.place, key: diagnostic.key)).inserted { return }
    if found.count < Self.limit {
      found.append(diagnostic)
    } else if found.count == Self.limit {
      found.append(
        Diagnostic(
          place: Place(file: diagnostic.file), message: "more than \(Self.limit) mistakes, the rest is not listed"))
    }
  }
}
