// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The running minute of one device, and the minutes that ended and are not written yet. It takes the memory of one tally
/// a point, and of so many minutes as wait.
package struct MinuteBook: Sendable {
  /// Points of one device that are followed.
  static let mostPoints = 4096
  /// Minutes that wait at most, where the disk does not take them; the oldest goes.
  static let mostMinutes = 120

  private struct Point: Sendable {
    var name: String
    var kind: Block.Series
    var tally = Tally()
  }

  private var minute = Int64.min
  private var points: [Point] = []
  /// Of books with many points; few are looked through as fast.
  private var places: [String: Int] = [:]
  private static let few = 24
  private var ended = Block()

  package init() {}

  /// `minute` is the one of the reading, since the Unix epoch. One that differs from the running minute ends it, in
  /// whichever direction the clock went.
  package mutating func take(_ reading: Reading, minute: Int64) {
    if minute != self.minute {
      endMinute()
      self.minute = minute
    }
    // Points come in the same order each time.
    var guess = 0
    for index in reading.items.indices {
      guard let value = reading.items[index].value else { continue }
      guard let place = place(reading, index, guess) else { continue }
      points[place].tally.add(value)
      guess = place + 1
    }
  }

  /// Ends the running minute where it is over; `now` is the present minute.
  package mutating func end(before now: Int64) {
    if minute < now { endMinute() }
  }

  /// Hands over the minutes that ended.
  package mutating func takeEnded() -> Block {
    defer { ended = Block() }
    return ended
  }

  /// Minutes that wait, with the running one as it is so far.
  package var known: Block {
    var block = ended
    for point in points {
      if let summary = point.tally.summary { block.put(minute, summary, of: point.name, like: point.kind) }
    }
    return block
  }

  package mutating func endMinute() {
    for place in points.indices {
      guard let summary = points[place].tally.summary else { continue }
      ended.put(minute, summary, of: points[place].name, like: points[place].kind, most: Self.mostMinutes)
      points[place].tally.clear()
    }
    minute = .min
  }

  private mutating func place(_ reading: Reading, _ index: Int, _ guess: Int) -> Int? {
    if guess < points.count, points[guess].name == reading.items[index].point.name { return guess }
    let point = reading.items[index].point
    if points.count <= Self.few {
      if let place = points.firstIndex(where: { $0.name == point.name }) { return place }
    } else if let place = places[point.name] {
      return place
    }
    guard points.count < Self.mostPoints else { return nil }
    points.append(Point(name: point.name, kind: Self.kind(of: point)))
    if points.count > Self.few {
      if places.isEmpty { for place in points.indices { places[points[place].name] = place } }
      places[point.name] = points.count - 1
    }
    return points.count - 1
  }

  /// A mean has one digit more than the values it is made of.
  private static func kind(of point: PointDescriptor) -> Block.Series {
    Block.Series(unit: point.unit, isCounter: point.kind == .counter, step: point.resolution / 10)
  }
}
