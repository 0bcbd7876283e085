// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Answers that a charger may not have got: the same call with the same id is answered the same, and acts once.
///
/// Some chargers use one id for everything. So a call is only the same with the same content, and not for long; what asks
/// for the time is answered anew.
package struct AnswerMemory: Sendable {
  package enum Known: Equatable, Sendable {
    case new
    /// It is being worked on, the answer will come.
    case pending
    case answered(Frame)
  }

  private struct Entry: Sendable {
    var id: String
    var content: Int
    var since: Int64
    var answer: Frame?
  }

  package static let span: Int64 = 120_000
  private static let mostEntries = 6
  private static let askingForTime: Set<String> = ["Heartbeat", "BootNotification"]

  private var entries: [Entry] = []

  package init() {}

  package mutating func receive(_ id: String, _ action: String, _ payload: JSON, _ now: Moment) -> Known {
    entries.removeAll { now.boot - $0.since > Self.span }
    guard !Self.askingForTime.contains(action) else { return .new }
    var hasher = Hasher()
    hasher.combine(action)
    hasher.combine(payload)
    let content = hasher.finalize()
    if let entry = entries.first(where: { $0.id == id }) {
      if entry.content == content { return entry.answer.map { .answered($0) } ?? .pending }
      entries.removeAll { $0.id == id }
    }
    if entries.count >= Self.mostEntries { entries.removeFirst() }
    entries.append(Entry(id: id, content: content, since: now.boot, answer: nil))
    return .new
  }

  package mutating func answered(_ frame: Frame) {
    guard let index = entries.lastIndex(where: { $0.id == frame.id && $0.answer == nil }) else { return }
    entries[index].answer = frame
  }
}
