// SPDX-License-Identifier: Apache-2.0

/// The gaps that are still to be reported. A gap stays until its report is acknowledged; one that is under way is not
/// changed, so that an acknowledgement never covers more than was reported.
package struct GapLedger: Sendable, Equatable {
  package struct Item: Sendable, Equatable {
    package var id: Int64
    /// The stream's row.
    package var stream: Int64
    package var numbers: ClosedRange<Int64>
    package var reason: Gap.Reason

    package init(id: Int64, stream: Int64, numbers: ClosedRange<Int64>, reason: Gap.Reason) {
      self.id = id
      self.stream = stream
      self.numbers = numbers
      self.reason = reason
    }
  }

  /// What the disk has to learn.
  package struct Changes: Sendable, Equatable {
    package var written: [Item] = []
    package var removed: [Int64] = []

    package var isEmpty: Bool { written.isEmpty && removed.isEmpty }
  }

  private var items: [Int64: Item] = [:]
  /// Not under way, in the order of their making.
  private var waiting: [Int64] = []
  private var underWay: Set<Int64> = []
  private var changed: Set<Int64> = []
  private var removed: Set<Int64> = []
  private var nextID: Int64 = 1

  package init() {}

  /// With what was on disk at the start.
  package init(_ stored: [Item]) {
    for item in stored.sorted(by: { $0.id < $1.id }) {
      items[item.id] = item
      waiting.append(item.id)
      nextID = item.id + 1
    }
  }

  package var isEmpty: Bool { items.isEmpty }
  package var all: [Item] { items.values.sorted { $0.id < $1.id } }
  package var underWayCount: Int { underWay.count }
  package var isChanged: Bool { !changed.isEmpty || !removed.isEmpty }

  /// Adds numbers; those that touch or overlap a waiting gap of the same stream and reason become one with it.
  package mutating func add(stream: Int64, numbers: ClosedRange<Int64>, reason: Gap.Reason) {
    var low = numbers.lowerBound
    var high = numbers.upperBound
    var merged: Int64?
    for id in waiting {
      guard let item = items[id], item.stream == stream, item.reason == reason,
        item.numbers.lowerBound <= high + 1, low <= item.numbers.upperBound + 1
      else { continue }
      low = min(low, item.numbers.lowerBound)
      high = max(high, item.numbers.upperBound)
      if merged == nil { merged = id } else { forget(id) }
    }
    let id = merged ?? nextID
    if merged == nil {
      nextID += 1
      waiting.append(id)
    }
    items[id] = Item(id: id, stream: stream, numbers: low...high, reason: reason)
    changed.insert(id)
  }

  /// The oldest that waits and whose stream is not held back.
  package mutating func take(unless held: (Int64) -> Bool) -> Item? {
    for (index, id) in waiting.enumerated() {
      guard let item = items[id], !held(item.stream) else { continue }
      waiting.remove(at: index)
      underWay.insert(id)
      return item
    }
    return nil
  }

  package mutating func acknowledged(_ id: Int64) {
    guard underWay.contains(id) else { return }
    forget(id)
  }

  /// Its report did not arrive: it waits again.
  package mutating func returned(_ id: Int64) {
    guard underWay.remove(id) != nil else { return }
    waiting.append(id)
    waiting.sort()
  }

  package mutating func allReturned() {
    waiting.append(contentsOf: underWay)
    waiting.sort()
    underWay.removeAll()
  }

  package var changes: Changes {
    Changes(written: changed.sorted().compactMap { items[$0] }, removed: removed.sorted())
  }

  /// These changes are on disk now. What has changed again since stays to be written.
  package mutating func stored(_ changes: Changes) {
    for item in changes.written where items[item.id] == item { changed.remove(item.id) }
    removed.subtract(changes.removed)
  }

  private mutating func forget(_ id: Int64) {
    items[id] = nil
    waiting.removeAll { $0 == id }
    underWay.remove(id)
    changed.remove(id)
    removed.insert(id)
  }
}
