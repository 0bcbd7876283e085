// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// What is known of a tag: IdTagInfo of 1.6 (section 7.27), IdTokenInfoType of 2.0.1.
package struct TagInfo: Hashable, Sendable {
  package enum Status: String, CaseIterable, Sendable {
    case accepted = "Accepted"
    case blocked = "Blocked"
    case expired = "Expired"
    case invalid = "Invalid"
    /// It is in use elsewhere.
    case concurrent = "ConcurrentTx"
  }

  package var status: Status
  /// Unix milliseconds; from then on it is expired.
  package var expiry: Int64?
  /// Tags of one group may end each other's sessions.
  package var group: String?

  package init(_ status: Status, expiry: Int64? = nil, group: String? = nil) {
    self.status = status
    self.expiry = expiry
    self.group = group
  }

  /// As it is at a time.
  package func at(_ unix: Int64) -> TagInfo {
    guard status == .accepted, let expiry, expiry <= unix else { return self }
    return TagInfo(.expired, expiry: expiry, group: group)
  }

  /// `idTagInfo`; an id of 1.6 has at most 20 characters.
  package var v16: JSON {
    .object([
      "status": .string(status.rawValue), "expiryDate": expiry.map { .string(Stamp.text($0)) },
      "parentIdTag": group.map { .string($0.cut(to: 20)) },
    ])
  }

  /// `idTokenInfo`.
  package var v201: JSON {
    .object([
      "status": .string(status.rawValue), "cacheExpiryDateTime": expiry.map { .string(Stamp.text($0)) },
      "groupIdToken": group.map { ["idToken": .string($0.cut(to: 36)), "type": "Central"] },
    ])
  }
}

/// Tags are compared without case (1.6 section 7.28 CiString20; 2.0.1 part 2, C 1.2), so this is their form in tables.
package func foldedTag(_ tag: String) -> String { tag.cut(to: 64).lowercased() }
