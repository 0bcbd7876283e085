// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Judges the readings of one device before anybody sees them. A value type without I/O; times are nanoseconds of the boot
/// clock. Allocates nothing while all is well.
package struct DeviceJudge: Sendable {
  /// What is to be told: once when something begins, once when it is over.
  package enum Notice: Sendable, Equatable {
    case began(point: String, why: Implausibility, value: Double?)
    /// `count` readings were not taken as they came.
    case ended(point: String, count: Int)
    case counter(point: String, from: Double, to: Double, fell: Bool)
  }

  /// Polls in a row that leave out a point they used to bring, until it is stale.
  package static let omissions = 3
  /// Nanoseconds for which a device may repeat the same time of its own: hourly values have hourly times.
  package static let standstill: Int64 = 2 * 3_600_000_000_000
  /// Good readings in a row after which former trouble is forgotten.
  private static let calm: Int32 = 1000

  private struct Entry {
    let name: String
    var id: UInt32
    var point: PointDescriptor
    var judge: PointJudge?
    /// Readings in this episode of implausible values; 0 = there is none.
    var doubted: Int32 = 0
    /// Good readings in a row since.
    var good: Int32 = 0
    /// Episodes that followed close on another: each doubles the good readings that end the next, so that a point that
    /// trembles does not fill the log.
    var relapses: Int32 = 0
    /// The running poll brought it; polls in a row that did, and that did not.
    var delivered = false
    var bringing: Int32 = 0
    var omitted: Int32 = 0
  }

  private let kind: DeviceKind
  private var entries: [Entry] = []
  private var places: [String: Int] = [:]
  /// Where the search for the next item begins: readings come in the same order again and again.
  private var cursor = 0
  /// When a judged value of the device last became another one.
  private var lastChange = Int64.min
  private var deviceTime: Int64?
  private var deviceTimeSince: Int64 = 0
  /// Counts from before the start are still to be asked for.
  package private(set) var lacksCounts = true

  package init(kind: DeviceKind) { self.kind = kind }

  /// Points with values that are doubted now.
  package var doubtful: Bool { entries.contains { $0.doubted > 0 } }

  /// What is declared again unchanged keeps its past.
  package mutating func declare(_ points: [(id: UInt32, point: PointDescriptor)]) {
    // A charger's points are declared once: room for more would be most of what thousands take.
    entries.reserveCapacity(entries.count + points.count { places[$0.point.name] == nil })
    for (id, point) in points {
      if let place = places[point.name] {
        entries[place].id = id
        guard entries[place].point != point else { continue }
        let rules = PlausibilityRules(point, kind: kind)
        entries[place].point = point
        if entries[place].judge?.rules != rules { entries[place].judge = rules.map { PointJudge($0) } }
      } else {
        let judge = PlausibilityRules(point, kind: kind).map { PointJudge($0) }
        places[point.name] = entries.count
        entries.append(Entry(name: point.name, id: id, point: point, judge: judge))
      }
    }
  }

  /// Another device answers at this address.
  package mutating func forget() {
    for place in entries.indices {
      let old = entries[place]
      entries[place] = Entry(
        name: old.name, id: old.id, point: old.point, judge: old.judge.map { PointJudge($0.rules) })
    }
    deviceTime = nil
    lacksCounts = true
  }

  /// Last good counts by point, with their age in nanoseconds.
  package mutating func restore(_ counts: [(point: String, value: Double, age: Int64)], now: Int64) {
    lacksCounts = false
    for count in counts {
      guard let place = places[count.point], entries[place].judge?.rules.isCounter == true else { continue }
      entries[place].judge?.restore(count.value, time: now - max(0, count.age))
    }
  }

  /// The reading with the quality it deserves. What a device has kept and tells later was `taken` before now, and is judged by
  /// that time; where something newer was judged already, it is looked at alone.
  package mutating func take(
    _ items: [Reading.Item], now: Int64, taken: Int64? = nil, deviceTime: Int64?
  ) -> (items: [Reading.Item], notices: [Notice]) {
    let stale = standsStill(deviceTime, now)
    var judged = items
    var notices: [Notice] = []
    for index in items.indices {
      guard let place = place(of: items[index].point.name) else { continue }
      entries[place].delivered = true
      guard let value = items[index].value else { continue }
      guard let number = value.number else {
        settle(place, &notices)
        continue
      }
      let doubt: Implausibility?
      if stale {
        doubt = .stale
      } else {
        doubt = judge(number, at: place, taken ?? now, &judged[index].quality, &notices)
      }
      if let doubt {
        judged[index] = Self.item(items[index], doubt)
        if entries[place].doubted == 0 {
          if entries[place].good < Self.calm, entries[place].relapses < 10 { entries[place].relapses += 1 }
          notices.append(.began(point: entries[place].name, why: doubt, value: number))
        }
        entries[place].doubted &+= 1
        entries[place].good = 0
      } else {
        settle(place, &notices)
      }
    }
    return (judged, notices)
  }

  /// Nil where the value may be taken.
  private mutating func judge(
    _ number: Double, at place: Int, _ now: Int64, _ quality: inout Quality, _ notices: inout [Notice]
  ) -> Implausibility? {
    if let judge = entries[place].judge, judge.isPast(now) { return judge.isPossible(number) ? nil : .range }
    guard let verdict = entries[place].judge?.judge(number, at: now) else { return nil }
    switch verdict {
    case .implausible(let why): return why
    case .blurred: quality = .uncertain
    case .accepted(let from, let to, let fell):
      notices.append(.counter(point: entries[place].name, from: from, to: to, fell: fell))
    case .good: break
    }
    let changed = entries[place].judge?.changed ?? now
    if changed == now { lastChange = max(lastChange, now) }
    // At rest a value may stand at 0 for as long as it likes.
    let limit = entries[place].judge?.rules.frozen ?? 0
    let isFrozen = limit > 0 && number != 0 && now - changed >= limit && lastChange - changed >= limit / 2
    return isFrozen ? .frozen : nil
  }

  private mutating func settle(_ place: Int, _ notices: inout [Notice]) {
    entries[place].good &+= 1
    if entries[place].doubted > 0 {
      // The first episode ends as soon as a new level would count.
      guard entries[place].good >= Int32(PointJudge.patience) << max(0, entries[place].relapses - 1) else { return }
      notices.append(.ended(point: entries[place].name, count: Int(entries[place].doubted)))
      entries[place].doubted = 0
      entries[place].good = 0
    } else if entries[place].good >= Self.calm {
      entries[place].relapses = 0
      entries[place].good = Self.calm
    }
  }

  private static func item(_ item: Reading.Item, _ doubt: Implausibility) -> Reading.Item {
    guard case .bad(let reason) = doubt.quality else {
      var uncertain = item
      uncertain.quality = .uncertain
      return uncertain
    }
    return Reading.Item(item.point, bad: reason)
  }

  /// The device has been telling the same time for too long: what it delivers is old. A clock that is set back is not
  /// held against it.
  private mutating func standsStill(_ time: Int64?, _ now: Int64) -> Bool {
    guard let time else { return false }
    guard time == deviceTime else {
      deviceTime = time
      deviceTimeSince = now
      return false
    }
    return now - deviceTimeSince >= Self.standstill
  }

  private mutating func place(of name: String) -> Int? {
    if cursor >= entries.count { cursor = 0 }
    if cursor < entries.count, entries[cursor].name == name {
      cursor += 1
      return cursor - 1
    }
    guard let place = places[name] else { return nil }
    cursor = place + 1
    return place
  }

  // MARK: Points that polls leave out

  package mutating func beginPoll() {
    for place in entries.indices { entries[place].delivered = false }
  }

  /// A poll ended well. Returns those of `due` that it used to bring and has left out for too long. Points that come on
  /// their own are not expected in polls.
  package mutating func endPoll(due: [UInt32]) -> (stale: [UInt32], notices: [Notice]) {
    var stale: [UInt32] = []
    var notices: [Notice] = []
    for place in entries.indices where due.contains(entries[place].id) {
      if entries[place].delivered {
        entries[place].bringing = min(Int32(Self.omissions), entries[place].bringing + 1)
        entries[place].omitted = 0
      } else if entries[place].bringing == Int32(Self.omissions) {
        entries[place].omitted &+= 1
        guard entries[place].omitted >= Int32(Self.omissions) else { continue }
        stale.append(entries[place].id)
        if entries[place].doubted == 0 {
          notices.append(.began(point: entries[place].name, why: .stale, value: nil))
        }
        entries[place].doubted += 1
        entries[place].good = 0
      } else {
        entries[place].bringing = 0
      }
    }
    return (stale, notices)
  }
}
