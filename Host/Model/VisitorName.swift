// SPDX-License-Identifier: Apache-2.0

/// What a device may call itself that connects by itself: the identifierString of OCPP 2.0.1 without the colon, which ends the
/// user name of HTTP Basic; 48 characters at most (OCPP-J 2.0.1 section 3.1.1). No name of a folder.
package enum VisitorName {
  /// Of an endpoint where a device comes in by itself: `listener:NAME/IDENTITY`.
  package static let scheme = "listener:"

  package static func endpoint(_ listener: String, _ identity: String) -> String { "\(scheme)\(listener)/\(identity)" }

  package static func isEndpoint(_ text: String) -> Bool { text.hasPrefix(scheme) }

  package static func isValid(_ text: String) -> Bool {
    (1...48).contains(text.utf8.count) && text != "." && text != ".."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "*-_=+|@.".utf8.contains(byte)
        }
      }
  }
}
