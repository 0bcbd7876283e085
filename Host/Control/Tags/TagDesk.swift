// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel
internal import BusbarSystem
package import Logging

/// Answers whether a tag may charge: from the local list, from the uplink, from what the uplink said before.
package actor TagDesk {
  /// Questions that may be waiting for the uplink at a time; more are answered by the rules for an absent uplink.
  package static let limit = 256

  private var book: TagBook
  private let store: TagStore
  private let logger: Logger
  private let uplink: any TagUplink
  private var asked: [String: Question] = [:]
  private var count: UInt64 = 0
  private let onChange: @Sendable () -> Void

  private struct Question {
    var tag: String
    var waiting: [CheckedContinuation<Tag, Never>] = []
    var timer: Task<Void, Never>?
  }

  /// `onChange`: the list is another one now. Throws where the list cannot be read.
  package init(
    rules: TagRules, store: TagStore, uplink: any TagUplink, logger: Logger, onChange: @escaping @Sendable () -> Void
  ) throws {
    let (version, rows) = try store.load()
    let tags = rows.compactMap { row in
      Tag.Verdict(rawValue: row.verdict).map { Tag(id: row.id, verdict: $0, group: row.parent, expires: row.expires) }
    }
    book = TagBook(rules: rules, version: version, tags: tags)
    self.store = store
    self.uplink = uplink
    self.logger = logger
    self.onChange = onChange
  }

  /// The verdict about a tag that somebody shows at a device, within `TagRules.timeout`.
  package func decide(_ id: String, kind: String, device: DeviceID) async -> Tag {
    guard (1...Tag.longest).contains(id.utf8.count) else { return Tag(id: id, verdict: .unknown) }
    switch book.decide(id, unix: Clock.unixMilliseconds(), boot: Clock.boot(), online: uplink.isOnline && asked.count < Self.limit) {
    case .decided(let tag): return tag
    case .ask: break
    }
    // Two chargers that see the same tag at the same time are one question.
    if let known = asked.first(where: { Tag.key($0.value.tag) == Tag.key(id) })?.key {
      return await withCheckedContinuation { asked[known]?.waiting.append($0) }
    }
    count += 1
    let question = "\(Clock.unixMilliseconds())-\(count)"
    return await withCheckedContinuation { continuation in
      asked[question] = Question(tag: id, waiting: [continuation])
      asked[question]?.timer = Task { [timeout = book.rules.timeout] in
        guard (try? await Task.sleep(for: timeout, clock: .continuous)) != nil else { return }
        self.silent(question)
      }
      let sent = uplink.ask([
        "id": .string(question), "ts": .integer(Clock.unixMilliseconds()), "device": .string(device.rawValue),
        "tag": .string(id), "kind": .string(kind),
      ])
      if !sent { silent(question) }
    }
  }

  /// What the uplink says: `{"id": of the question, "verdict": …, "group": …, "expires": …}`. False where nobody asked.
  package func answer(_ document: JSONValue) -> Bool {
    guard let id = document["id"]?.string, let question = asked[id], var members = document.object else { return false }
    members["tag"] = .string(question.tag)
    guard let verdict = members["verdict"]?.string, let tag = Tag(json: .object(members)), verdict != Tag.Verdict.undecided.rawValue
    else { return false }
    book.learn(tag, boot: Clock.boot())
    finish(id, tag)
    return true
  }

  /// Chargers that wait for an answer.
  package var waiting: Int { asked.values.reduce(0) { $0 + $1.waiting.count } }

  /// The list as `busbar.authorize/1` hands it out.
  package var list: JSONValue {
    ["version": .integer(book.version), "tags": .array(book.tags.map(\.json))]
  }

  /// Throws a sentence where the list is full or the disk refuses.
  package func set(_ tag: Tag) throws {
    var changed = book
    guard changed.set(tag) else { throw TagError(description: "the list has \(TagBook.listLimit) tags at most; remove one first") }
    guard changed.version != book.version else { return }
    try store.set(
      TagStore.Row(key: Tag.key(tag.id), id: tag.id, verdict: tag.verdict.rawValue, parent: tag.group, expires: tag.expires),
      version: changed.version)
    book = changed
    onChange()
  }

  /// False where it was not there.
  package func remove(_ id: String) throws -> Bool {
    var changed = book
    guard changed.remove(id) else { return false }
    try store.remove(key: Tag.key(id), version: changed.version)
    book = changed
    onChange()
    return true
  }

  package func change(_ rules: TagRules) { book.change(rules) }

  package func forgetCache() { book.forgetCache() }

  private func silent(_ question: String) {
    guard let tag = asked[question]?.tag else { return }
    finish(question, book.whileAway(tag, Clock.unixMilliseconds()))
  }

  private func finish(_ question: String, _ tag: Tag) {
    guard let ended = asked.removeValue(forKey: question) else { return }
    ended.timer?.cancel()
    for waiting in ended.waiting { waiting.resume(returning: tag) }
  }
}

/// The way to whoever manages the host.
package protocol TagUplink: Sendable {
  var isOnline: Bool { get }
  /// False where it could not leave. Must not block.
  func ask(_ question: JSONValue) -> Bool
}

package struct TagError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
}
