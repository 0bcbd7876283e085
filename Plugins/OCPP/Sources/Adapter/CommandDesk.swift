// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
internal import PluginKit

/// Commands that wait for the charger's answer, by the ticket that the conversation knows them by.
struct CommandDesk {
  enum Kind: Equatable {
    case action
    /// A point, and what it is set to.
    case number(String, Double)
    case flag(String, Bool)
  }

  struct Entry {
    /// Of the host's call; nil where nobody waits any longer.
    var token: UInt64?
    var key: UInt64
    var kind: Kind
  }

  private static let mostRemembered = 8

  /// The command whose call is running, and how it ended where it ended within the call.
  var current: UInt64?
  var immediate: CommandEnd?

  private var entries: [UInt64: Entry] = [:]
  private var next: UInt64 = 0
  /// Actions that ended: the same key again acts no more.
  private var ended: [(key: UInt64, outcome: PluginKit.Outcome)] = []

  mutating func add(_ entry: Entry) -> UInt64 {
    next += 1
    entries[next] = entry
    return next
  }

  mutating func take(_ ticket: UInt64) -> Entry? { entries.removeValue(forKey: ticket) }

  mutating func takeImmediate() -> CommandEnd? {
    defer { immediate = nil }
    return immediate
  }

  mutating func abandon(_ token: UInt64) {
    for (ticket, entry) in entries where entry.token == token { entries[ticket]?.token = nil }
  }

  func isUnderWay(_ key: UInt64) -> Bool { entries.values.contains { $0.key == key && $0.kind == .action } }

  func outcome(of key: UInt64) -> PluginKit.Outcome? { ended.first { $0.key == key }?.outcome }

  mutating func remember(_ key: UInt64, _ outcome: PluginKit.Outcome) {
    ended.append((key, outcome))
    if ended.count > Self.mostRemembered { ended.removeFirst() }
  }
}
