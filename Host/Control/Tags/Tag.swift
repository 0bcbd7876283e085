// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What is known of one tag (an RFID card, an app's token) that somebody shows to a charger.
package struct Tag: Sendable, Equatable {
  package enum Verdict: String, Sendable, CaseIterable {
    case accepted, blocked, expired, unknown
    /// Nobody could be asked, and the rules say nothing.
    case undecided
  }

  /// Longest id that any protocol has (OCPP 2.0.1, IdTokenType, is 36; contract certificates are longer).
  package static let longest = 255

  /// As the charger says it; case does not matter (OCPP 1.6 section 7.28, CiString).
  package var id: String
  package var verdict: Verdict
  /// Those of one group may stop each other's charging.
  package var group: String?
  /// Unix milliseconds; nil = never.
  package var expires: Int64?

  package init(id: String, verdict: Verdict, group: String? = nil, expires: Int64? = nil) {
    self.id = id
    self.verdict = verdict
    self.group = group
    self.expires = expires
  }

  /// The verdict at a time: what was good once and is too old is expired.
  package func verdict(at time: Int64) -> Verdict {
    if verdict == .accepted, let expires, expires <= time { return .expired }
    return verdict
  }

  package var json: JSONValue {
    var members: [String: JSONValue] = ["tag": .string(id), "verdict": .string(verdict.rawValue)]
    if let group { members["group"] = .string(group) }
    if let expires { members["expires"] = .integer(expires) }
    return .object(members)
  }

  /// Nil where it is no tag of ours; `verdict` left out means accepted.
  package init?(json: JSONValue) {
    guard let id = json["tag"]?.string, (1...Self.longest).contains(id.utf8.count), id.unicodeScalars.allSatisfy({ $0.value >= 32 })
    else { return nil }
    let verdict = json["verdict"].map { $0.string.flatMap(Verdict.init(rawValue:)) } ?? .accepted
    guard let verdict else { return nil }
    let group = json["group"].flatMap { $0 == .null ? nil : $0 }
    let expires = json["expires"].flatMap { $0 == .null ? nil : $0 }
    guard group == nil || (group?.string?.utf8.count).map({ (1...Self.longest).contains($0) }) == true,
      expires == nil || expires?.integer != nil
    else { return nil }
    self.init(id: id, verdict: verdict, group: group?.string, expires: expires?.integer)
  }

  /// Under which it is found.
  package static func key(_ id: String) -> String { id.lowercased() }
}

/// Who decides, and what holds while nobody can be asked.
package struct TagRules: Sendable, Equatable {
  package enum Source: String, Sendable, CaseIterable {
    /// The local list alone.
    case local
    /// Whoever manages the host, by the uplink.
    case uplink
    /// The local list first, and what it does not know by the uplink.
    case both
  }

  package enum Offline: String, Sendable, CaseIterable {
    /// Only what the list or the cache knows.
    case known
    /// Everybody.
    case accept
    /// Nobody but the local list.
    case refuse
  }

  package var source = Source.local
  package var offline = Offline.known
  /// How long an answer from the uplink counts.
  package var cache = Duration.seconds(86_400)
  /// How long the uplink may take to answer.
  package var timeout = Duration.seconds(5)

  package init() {}
}
