// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The local list and the answers of the uplink that still count. No I/O: what it says depends on the time it is handed.
package struct TagBook: Sendable, Equatable {
  package static let listLimit = 10_000
  package static let cacheLimit = 4096

  package private(set) var rules: TagRules
  /// Counts up with each change of the list.
  package private(set) var version: Int64
  private var list: [String: Tag]
  private var cache: [String: Cached] = [:]

  private struct Cached: Equatable {
    var tag: Tag
    /// Boot clock, so that a wall clock that jumps does not revive it.
    var until: Int64
  }

  /// What to do about a tag.
  package enum Decision: Sendable, Equatable {
    case decided(Tag)
    case ask
  }

  package init(rules: TagRules, version: Int64 = 0, tags: [Tag] = []) {
    self.rules = rules
    self.version = version
    list = Dictionary(tags.prefix(Self.listLimit).map { (Tag.key($0.id), $0) }) { _, last in last }
  }

  /// In the order of their ids.
  package var tags: [Tag] { list.values.sorted { $0.id < $1.id } }

  /// `boot`: boot clock in nanoseconds. `online`: the uplink can be asked.
  package func decide(_ id: String, unix: Int64, boot: Int64, online: Bool) -> Decision {
    let key = Tag.key(id)
    if rules.source != .uplink, let known = list[key] { return .decided(settled(known, unix)) }
    guard rules.source != .local else { return .decided(Tag(id: id, verdict: .unknown)) }
    if let cached = cache[key], cached.until > boot { return .decided(settled(cached.tag, unix)) }
    return online ? .ask : .decided(whileAway(id, unix))
  }

  /// What holds when the uplink is away or silent.
  package func whileAway(_ id: String, _ unix: Int64) -> Tag {
    switch rules.offline {
    case .accept: Tag(id: id, verdict: .accepted)
    case .refuse: Tag(id: id, verdict: .undecided)
    // An answer that was good once is better than none, however old.
    case .known: cache[Tag.key(id)].map { settled($0.tag, unix) } ?? Tag(id: id, verdict: .undecided)
    }
  }

  /// The uplink's answer.
  package mutating func learn(_ tag: Tag, boot: Int64) {
    if cache.count >= Self.cacheLimit, cache[Tag.key(tag.id)] == nil {
      let oldest = cache.min { $0.value.until < $1.value.until }
      if let oldest { cache[oldest.key] = nil }
    }
    cache[Tag.key(tag.id)] = Cached(tag: tag, until: boot + rules.cache.nanoseconds)
  }

  package mutating func forgetCache() { cache = [:] }

  /// False where the list is full.
  package mutating func set(_ tag: Tag) -> Bool {
    let key = Tag.key(tag.id)
    guard list[key] != tag else { return true }
    guard list[key] != nil || list.count < Self.listLimit else { return false }
    list[key] = tag
    version += 1
    return true
  }

  /// False where it was not there.
  package mutating func remove(_ id: String) -> Bool {
    guard list.removeValue(forKey: Tag.key(id)) != nil else { return false }
    version += 1
    return true
  }

  package mutating func change(_ rules: TagRules) { self.rules = rules }

  private func settled(_ tag: Tag, _ unix: Int64) -> Tag {
    var tag = tag
    tag.verdict = tag.verdict(at: unix)
    return tag
  }
}
