// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// The list that chargers use while they are offline (1.6 section 3.5.2 and 5.15; 2.0.1 part 2, D).
package struct TagList: Equatable, Sendable {
  package struct Entry: Hashable, Sendable {
    package var tag: String
    /// IdTokenEnumType of 2.0.1.
    package var type: String
    package var info: TagInfo

    package init(_ tag: String, type: String = "ISO14443", _ info: TagInfo) {
      self.tag = tag
      self.type = type
      self.info = info
    }
  }

  package private(set) var version: Int64
  private var entries: [String: Entry] = [:]

  package init(version: Int64 = 0, _ entries: [Entry] = []) {
    self.version = max(0, version)
    for entry in entries { self.entries[foldedTag(entry.tag)] = entry }
  }

  package var count: Int { entries.count }

  package subscript(_ tag: String) -> Entry? { entries[foldedTag(tag)] }

  /// Each change makes a version.
  package mutating func set(_ entry: Entry) {
    let key = foldedTag(entry.tag)
    guard entries[key] != entry else { return }
    entries[key] = entry
    version += 1
  }

  package mutating func remove(_ tag: String) {
    if entries.removeValue(forKey: foldedTag(tag)) != nil { version += 1 }
  }

  package var sorted: [Entry] { entries.sorted { $0.key < $1.key }.map(\.value) }

  /// What changes `known` into this one.
  package func difference(from known: TagList) -> (changed: [Entry], removed: [Entry]) {
    let changed = sorted.filter { known.entries[foldedTag($0.tag)] != $0 }
    let removed = known.sorted.filter { entries[foldedTag($0.tag)] == nil }
    return (changed, removed)
  }
}

/// How a charger's list is brought to ours: in one message, or in several where the charger takes only so many entries in one.
package struct TagListUpdate: Equatable, Sendable {
  package struct Message: Equatable, Sendable {
    package var version: Int64
    package var isFull: Bool
    package var changed: [TagList.Entry]
    package var removed: [TagList.Entry]
  }

  package private(set) var messages: [Message] = []

  /// `known` is what the charger has, nil where that is not certain: then everything is sent. `mostEntries` is
  /// SendLocalListMaxLength of 1.6, ItemsPerMessage of 2.0.1. Version numbers of parts: the last part has the list's own, those before
  /// lower ones, so an update that stops half-way is seen by its version and made again (1.6 section 5.15: versions rise). 0 is
  /// for an empty list and -1 for none (section 5.10), so parts begin at 1.
  package init(_ list: TagList, known: TagList?, mostEntries: Int) {
    let size = max(1, mostEntries)
    if let known, known.version == list.version { return }
    var parts = Self.full(list, size)
    if let known, known.version > 0, known.version < list.version {
      let steps = Self.differential(list, known, size)
      // Each part needs a version above the charger's.
      if list.version - Int64(steps.count) >= known.version { parts = steps }
    }
    // Versions below 1 are not possible, so a young list in many parts ends higher than it is.
    let first = max(1, max(list.version, 1) - Int64(parts.count) + 1)
    for index in parts.indices { parts[index].version = first + Int64(index) }
    messages = parts
  }

  private static func full(_ list: TagList, _ size: Int) -> [Message] {
    let all = list.sorted
    return stride(from: 0, to: max(all.count, 1), by: size).map { start in
      let part = Array(all[min(start, all.count)..<min(start + size, all.count)])
      return Message(version: 0, isFull: start == 0, changed: part, removed: [])
    }
  }

  private static func differential(_ list: TagList, _ known: TagList, _ size: Int) -> [Message] {
    let (changed, removed) = list.difference(from: known)
    let all = changed.map { ($0, true) } + removed.map { ($0, false) }
    // Where nothing differs, the version still does.
    return stride(from: 0, to: max(all.count, 1), by: size).map { start in
      let part = all[min(start, all.count)..<min(start + size, all.count)]
      return Message(
        version: 0, isFull: false, changed: part.filter { $0.1 }.map { $0.0 }, removed: part.filter { !$0.1 }.map { $0.0 })
    }
  }

  /// The version that the charger has in the end.
  package var version: Int64? { messages.last?.version }
}

extension TagListUpdate.Message {
  /// Payload of SendLocalList 1.6: an entry without `idTagInfo` is removed.
  package var v16: JSON {
    let entries =
      changed.map { JSON.object(["idTag": .string($0.tag.cut(to: 20)), "idTagInfo": $0.info.v16]) }
      + removed.map { JSON.object(["idTag": .string($0.tag.cut(to: 20))]) }
    return .object([
      "listVersion": .integer(version), "updateType": isFull ? "Full" : "Differential",
      "localAuthorizationList": entries.isEmpty ? nil : .array(entries),
    ])
  }

  package var v201: JSON {
    func token(_ entry: TagList.Entry) -> JSON { ["idToken": .string(entry.tag.cut(to: 36)), "type": .string(entry.type)] }
    let entries =
      changed.map { JSON.object(["idToken": token($0), "idTokenInfo": $0.info.v201]) }
      + removed.map { JSON.object(["idToken": token($0)]) }
    return .object([
      "versionNumber": .integer(version), "updateType": isFull ? "Full" : "Differential",
      "localAuthorizationList": entries.isEmpty ? nil : .array(entries),
    ])
  }
}
