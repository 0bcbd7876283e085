// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins

/// The rest of the host to a link of the check: every tag may charge, nothing is granted, and records are kept nowhere.
struct CheckDesk: LinkDesk {
  func ask(device: UInt32, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) { answer(.accepted) }

  func tags() -> [UInt8] { Array(#"{"version":1,"tags":[{"tag":"CHECK","verdict":"accepted"}]}"#.utf8) }

  func record(device: UInt32, kind: String, document: [UInt8]) -> String? { nil }

  func request(device: String, point: String, value: Double?, valid: Int64) -> String? { "nobody granted this link anything" }
}
