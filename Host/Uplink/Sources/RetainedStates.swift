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
  private var order: [StateTopic] = []

  package init() {}

  package var hasPending: Bool { !order.isEmpty }
  package var count: Int { entries.count }

  /// Whether there is something new to publish.
  package mutating func set(_ topic: StateTopic, _ payload: [UInt8]) -> Bool {
    guard var entry = entries[topic] else {
      entries[topic] = Entry(payload: payload)
      order.append(topic)
      return true
    }
    guard entry.payload != payload else { return false }
    entry.payload = payload
    if !entry.isPending { order.append(topic) }
    entry.isPending = true
    entries[topic] = entry
    return true
  }

  package func contains(_ topic: StateTopic) -> Bool { entries[topic] != nil }

  /// The next to publish; it is under way until `finished`.
  package mutating func next() -> (topic: StateTopic, payload: [UInt8])? {
    guard let index = order.firstIndex(where: { entries[$0]?.isUnderWay == false }) else { return nil }
    let topic = order.remove(at: index)
    guard var entry = entries[topic] else { return nil }
    entry.isPending = false
    entry.isUnderWay = true
    entries[topic] = entry
    return (topic, entry.payload)
  }

  /// The broker answered, or the message could not be published: it is not tried again until it changes.
  package mutating func finished(_ topic: StateTopic) {
    guard var entry = entries[topic] else { return }
    entry.isUnderWay = false
    let isGone = entry.payload.isEmpty && !entry.isPending
    entries[topic] = isGone ? nil : entry
  }

  /// A new connection: everything is to be published, the host's own status first.
  package mutating func reconnected() {
    for topic in entries.keys {
      entries[topic]?.isUnderWay = false
      guard entries[topic]?.isPending == false else { continue }
      entries[topic]?.isPending = true
      order.append(topic)
    }
    if let index = order.firstIndex(of: .gatewayStatus) { order.insert(order.remove(at: index), at: 0) }
  }
}
