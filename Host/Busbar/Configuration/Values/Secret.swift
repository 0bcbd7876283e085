// SPDX-License-Identifier: Apache-2.0

/// A password or key: `{ file: }`, `{ env: }` or `{ value: }`. Read when it is needed, so that a changed file counts at the
/// next connection. No description, mirror or error shows its value.
package struct Secret: Sendable, Equatable {
  private enum Source: Sendable, Equatable {
    case file(String)
    case environment(String)
    case value(String)
  }

  /// Longest secret, bytes.
  package static let limit = 64 * 1024

  private let source: Source

  private init(_ source: Source) { self.source = source }

  /// The content of a file, without the line end after it.
  package static func file(_ path: String) -> Secret { Secret(.file(path)) }
  /// The value of an environment variable.
  package static func environment(_ name: String) -> Secret { Secret(.environment(name)) }
  /// The secret itself.
  package static func value(_ text: String) -> Secret { Secret(.value(text)) }

  /// The file it comes from, where it comes from one.
  package var file: String? { if case .file(let path) = source { path } else { nil } }

  /// The secret. Throws where there is none or where others can read its file; the error names the source, never the value.
  package func resolve(environment: [String: String]) throws(SecretError) -> String {
    switch source {
    case .value(let text): return text
    case .environment(let name):
      guard let text = environment[name], !text.isEmpty else {
        throw SecretError(
          message: "the environment variable \(name) is not set",
          expectation: "its value in the environment of the host")
      }
      return text
    case .file(let path): return try Self.read(path)
    }
  }

  private static func read(_ path: String) throws(SecretError) -> String {
    switch FileReader.attributes(path) {
    case .failure(let failure):
      throw SecretError(message: "\(path): \(failure.sentence)", expectation: "a file with the secret")
    case .success(let attributes) where attributes.mode & 0o006 != 0:
      let mode = String(attributes.mode & 0o777, radix: 8)
      throw SecretError(message: "\(path) is open to every user (mode \(mode))", expectation: "chmod 0640 or 0600")
    case .success: break
    }
    switch FileReader.read(path, limit: limit) {
    case .failure(let failure):
      throw SecretError(message: "\(path): \(failure.sentence)", expectation: "a file with the secret")
    case .success(var bytes):
      if bytes.last == 0x0A { bytes.removeLast() }
      if bytes.last == 0x0D { bytes.removeLast() }
      guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
        throw SecretError(
          message: bytes.isEmpty ? "\(path) is empty" : "\(path) is not UTF-8", expectation: "a file with the secret")
      }
      return text
    }
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Where it comes from, not what it is.
  package var description: String {
    switch source {
    case .file(let path): "secret in \(path)"
    case .environment(let name): "secret in the environment variable \(name)"
    case .value: "secret"
    }
  }

  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

/// Why a secret cannot be had, in words for a person.
package struct SecretError: Error, Equatable, Sendable, CustomStringConvertible {
  package var message: String
  package var expectation: String

  package var description: String { "\(message); expected \(expectation)" }
}
