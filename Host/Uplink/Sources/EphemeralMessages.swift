// SPDX-License-Identifier: Apache-2.0

/// A message that is worth sending for a while only, such as an answer to a command.
package struct EphemeralMessage: Sendable, Equatable {
  /// The whole topic, prefix in it.
  package var topic: String
  package var payload: [UInt8]
  package var correlation: [UInt8]?

  package init(topic: String, payload: [UInt8], correlation: [UInt8]? = nil) {
    self.topic = topic
    self.payload = payload
    self.correlation = correlation
  }
}

/// Keeps ephemeral messages until the broker has them, over lost connections too; when there are too many, the oldest
/// give way.
package struct EphemeralMessages: Sendable {
  private struct Entry {
    var number: UInt64
    var message: EphemeralMessage
    var isUnderWay = false
  }

  package let capacity: Int
  package private(set) var dropped = 0
  private var entries: [Entry] = []
  private var last: UInt64 = 0

  package init(capacity: Int = 512) { self.capacity = capacity }

  package var isEmpty: Bool { entries.isEmpty }

  package mutating func add(_ message: EphemeralMessage) {
    if entries.count >= capacity {
      entries.removeFirst()
      dropped += 1
    }
    last += 1
    entries.append(Entry(number: last, message: message))
  }

  package mutating func next() -> (number: UInt64, message: EphemeralMessage)? {
    guard let index = entries.firstIndex(where: { !$0.isUnderWay }) else { return nil }
    entries[index].isUnderWay = true
    return (entries[index].number, entries[index].message)
  }

  /// The broker answered, whatever it said: asking again would not change it.
  package mutating func finished(_ number: UInt64) { entries.removeAll { $0.number == number } }

  package mutating func connectionLost() {
    for index in entries.indices { entries[index].isUnderWay = false }
  }
}
