// SPDX-License-Identifier: Apache-2.0

/// Why a text is not an address, and what one looks like. Shows no part of the text that may hold a password.
package struct ValueError: Error, Equatable, Sendable, CustomStringConvertible {
  package var message: String
  package var expectation: String

  package init(_ message: String, expected expectation: String) {
    self.message = message
    self.expectation = expectation
  }

  package var description: String { "\(message); expected \(expectation)" }
}
