// SPDX-License-Identifier: Apache-2.0

/// The messages that are under way on one connection.
package struct Window: Sendable {
  package enum Entry: Sendable, Equatable {
    /// From the queue.
    case message(ticket: UInt64)
    case state(StateTopic)
    case ephemeral(UInt64)
  }

  /// libmosquitto's own limit; what goes beyond it would wait inside of the library.
  package static let largest = 20

  package let capacity: Int
  private var entries: [Int32: Entry] = [:]
  private var states = 0

  /// `receiveMaximum`: how many the broker takes at a time.
  package init(receiveMaximum: Int) { capacity = min(Self.largest, max(1, receiveMaximum)) }

  package var isEmpty: Bool { entries.isEmpty }
  package var hasRoom: Bool { entries.count < capacity }
  /// Retained state leaves room for readings.
  package var hasRoomForState: Bool { hasRoom && states < max(1, capacity / 2) }
  /// How many messages of the backlog may be under way, so that live ones always find a place.
  package var late: Int { max(1, capacity * 3 / 4) }

  package mutating func insert(_ entry: Entry, identifier: Int32) {
    entries[identifier] = entry
    if case .state = entry { states += 1 }
  }

  /// The entry that the broker has answered for; nil for an identifier that is not under way.
  package mutating func remove(identifier: Int32) -> Entry? {
    guard let entry = entries.removeValue(forKey: identifier) else { return nil }
    if case .state = entry { states -= 1 }
    return entry
  }
}
