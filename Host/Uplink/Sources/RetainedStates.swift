// SPDX-License-Identifier: Apache-2.0

/// The latest value of every retained topic: what has changed is published, and all of it again on a new connection,
/// because the broker may have been replaced. Of one topic one message is under way at a time, so values cannot overtake
/// each other.
package struct RetainedStates: Sendable {
  private struct Entry {
    /// Empty = to be deleted at the broker.
    var payload: [UInt8]
    var isUnderWay = false
    var isPending = true
  }

  private var entries: [StateTopic: Entry] = [:]
  /// What can be published now, from `first` on: pending, and nothing of its topic under way. Of thousands of topics none is
  /// looked for.
  private var order: [StateTopic] = []
  private var first = 0

  package init() {}

  package var hasPending: Bool { first < order.count }
  package var count: Int { entries.count }

  /// Whether there is something new to publish.
  package mutating func set(_ topic: StateTopic, _ payload: [UInt8]) -> Bool {
    guard var entry = entries[topic] else {
      entries[topic] = Entry(payload: Self.trimmed(payload))
      order.append(topic)
      return true
    }
    guard entry.payload != payload else { return false }
    entry.payload = Self.trimmed(payload)
    if !entry.isPending, !entry.isUnderWay { order.append(topic) }
    entry.isPending = true
    entries[topic] = entry
    return true
  }

  /// Without the room for more that it was written in: it is kept.
  private static func trimmed(_ payload: [UInt8]) -> [UInt8] {
    guard payload.capacity > payload.count + 64 else { return payload }
    var trimmed: [UInt8] = []
    trimmed.reserveCapacity(payload.count)
    trimmed += payload
    return trimmed
  }

  package func contains(_ topic: StateTopic) -> Bool { entries[topic] != nil }

  /// The next to publish; it is under way until `finished`.
  package mutating func next() -> (topic: StateTopic, payload: [UInt8])? {
    while first < order.count {
      let topic = order[first]
      first += 1
      if first >= 256, first * 2 >= order.count {
        order.removeFirst(first)
        first = 0
      }
      guard var entry = entries[topic] else { continue }
      entry.isPending = false
      entry.isUnderWay = true
      entries[topic] = entry
      return (topic, entry.payload)
    }
    return nil
  }

  /// The broker answered, or the message could not be published: it is not tried again until it changes.
  package mutating func finished(_ topic: StateTopic) {
    guard var entry = entries[topic], entry.isUnderWay else { return }
    entry.isUnderWay = false
    if entry.isPending { order.append(topic) }
    let isGone = entry.payload.isEmpty && !entry.isPending
    entries[topic] = isGone ? nil : entry
  }

  /// A new connection: everything is to be published, the host's own status first.
  package mutating func reconnected() {
    var topics = Array(order[first...])
    for topic in entries.keys {
      // What waits is in its place already.
      if entries[topic]?.isPending == false || entries[topic]?.isUnderWay == true { topics.append(topic) }
      entries[topic]?.isUnderWay = false
      entries[topic]?.isPending = true
    }
    if let index = topics.firstIndex(of: .gatewayStatus) { topics.insert(topics.remove(at: index), at: 0) }
    order = topics
    first = 0
  }
}
