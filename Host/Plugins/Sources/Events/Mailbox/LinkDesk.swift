// SPDX-License-Identifier: Apache-2.0

/// What a mailbox does not know itself and asks about for its plugin. Called on threads of plugins: nothing may block but `record`.
package protocol LinkDesk: Sendable {
  /// Whether a tag may charge at a device of the link; answered once, from any thread.
  func ask(device: UInt32, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void)
  /// The local list of tags (authorize.h).
  func tags() -> [UInt8]
  /// On disk when it returns; else a sentence.
  func record(device: UInt32, kind: String, document: [UInt8]) -> String?
  /// Nil = taken; nil value = released. Else a sentence.
  func request(device: String, point: String, value: Double?, valid: Int64) -> String?
}
