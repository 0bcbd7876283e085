// SPDX-License-Identifier: Apache-2.0

/// What the uplink said about tags, for the time when it is away (1.6 section 3.5.1 does the same in the charger).
package struct TagCache: Sendable {
  private struct Entry: Sendable {
    var info: TagInfo
    var at: Int64
  }

  package let capacity: Int
  /// Milliseconds for which an answer is good without asking again.
  package let age: Int64
  private var entries: [String: Entry] = [:]

  package init(capacity: Int = 1_000, age: Int64 = 7 * 86_400_000) {
    self.capacity = max(1, capacity)
    self.age = age
  }

  package var count: Int { entries.count }

  package mutating func learn(_ tag: String, _ info: TagInfo, unix: Int64) {
    let key = foldedTag(tag)
    if entries[key] == nil, entries.count >= capacity, let oldest = entries.min(by: { $0.value.at < $1.value.at }) {
      entries[oldest.key] = nil
    }
    entries[key] = Entry(info: info, at: unix)
  }

  package func info(_ tag: String, unix: Int64) -> TagInfo? {
    guard let entry = entries[foldedTag(tag)], unix - entry.at < age, unix >= entry.at - 60_000 else { return nil }
    return entry.info.at(unix)
  }

  package mutating func clear() { entries = [:] }
}

/// Who may charge, where more than one knows: the list of the host first, then the uplink, then what the uplink said before.
package struct TagRules: Equatable, Sendable {
  package enum Source: String, Sendable {
    case list, uplink, both
  }

  package var source: Source
  /// What an unknown tag is while the uplink is away.
  package var unknownOffline: TagInfo.Status
  /// Everybody may charge: no tags are asked for.
  package var isOpen: Bool

  package init(source: Source = .both, unknownOffline: TagInfo.Status = .invalid, isOpen: Bool = false) {
    self.source = source
    self.unknownOffline = unknownOffline
    self.isOpen = isOpen
  }

  package enum Decision: Equatable, Sendable {
    case known(TagInfo)
    case ask
  }

  /// Before the uplink is asked.
  package func decide(_ tag: String, list: TagList, unix: Int64) -> Decision {
    if isOpen { return .known(TagInfo(.accepted)) }
    if source != .uplink, let entry = list[tag] { return .known(entry.info.at(unix)) }
    return source == .list ? .known(TagInfo(.invalid)) : .ask
  }

  /// The uplink did not answer.
  package func decideOffline(_ tag: String, cache: TagCache, unix: Int64) -> TagInfo {
    cache.info(tag, unix: unix) ?? TagInfo(unknownOffline)
  }

  /// Whether a tag may end a session that another one began (1.6 section 3.6: one group).
  package static func mayStop(_ tag: String, _ info: TagInfo?, startedBy other: String, _ otherInfo: TagInfo?) -> Bool {
    if foldedTag(tag) == foldedTag(other) { return true }
    guard let group = info?.group, let otherGroup = otherInfo?.group else { return false }
    return foldedTag(group) == foldedTag(otherGroup)
  }
}
