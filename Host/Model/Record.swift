// SPDX-License-Identifier: Apache-2.0

/// A document about a device that has to last, such as a charging session (interfaces 3.4).
package struct Record: Sendable, Equatable {
  /// The kind whose topic is `evcharger/session`; each other one goes to `records`.
  package static let session = "evcharger.session"

  package var device: DeviceID
  package var kind: String
  package var members: [String: JSONValue]
  /// When it was taken, Unix milliseconds; a document may say another time of its own as `ts`.
  package var time: Int64

  package init(device: DeviceID, kind: String, members: [String: JSONValue], time: Int64) {
    self.device = device
    self.kind = kind
    self.members = members
    self.time = time
  }
}
