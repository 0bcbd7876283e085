// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// A message of OCPP-J (1.6J section 4.2, 2.0.1 part 4 section 4.2).
package enum Frame: Equatable, Sendable {
  case call(id: String, action: String, payload: JSON)
  case result(id: String, payload: JSON)
  case error(id: String, code: String, description: String, details: JSON)

  package static let longestID = 36
  /// Longest description of an error (2.0.1 part 4, section 4.2.3).
  package static let longestDescription = 255

  package var id: String {
    switch self {
    case .call(let id, _, _), .result(let id, _), .error(let id, _, _, _): id
    }
  }

  /// The text to send.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  package var bytes: [UInt8] {
    let array: [JSON] =
      switch self {
      case .call(let id, let action, let payload): [2, .string(id), .string(action), payload]
      case .result(let id, let payload): [3, .string(id), payload]
      case .error(let id, let code, let description, let details):
        [4, .string(id), .string(code), .string(description.cut(to: Self.longestDescription)), details]
      }
    return JSON.array(array).bytes
  }

  package static func error(_ id: String, _ code: ErrorCode, _ description: String, _ version: OCPPVersion) -> Frame {
    .error(id: id, code: code.name(version), description: description, details: .object([JSON.Member]()))
  }
}

extension String {
  /// At most so many characters as the schemas count them: code points.
  package func cut(to count: Int) -> String {
    guard utf8.count > count, unicodeScalars.count > count else { return self }
    return String(unicodeScalars.prefix(count))
  }
}
