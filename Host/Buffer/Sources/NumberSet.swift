// SPDX-License-Identifier: Apache-2.0

/// A set of numbers kept as ranges: small where the numbers come in runs, as sequence numbers do.
package struct NumberSet: Sendable, Equatable {
  /// In rising order; neither overlapping nor adjacent.
  package private(set) var ranges: [ClosedRange<Int64>] = []

  package init() {}

  package init(_ ranges: [ClosedRange<Int64>]) {
    for range in ranges { insert(range) }
  }

  package var isEmpty: Bool { ranges.isEmpty }

  package func contains(_ number: Int64) -> Bool {
    let index = firstIndex(endingAtOrAfter: number)
    return index < ranges.count && ranges[index].lowerBound <= number
  }

  package mutating func insert(_ number: Int64) { insert(number...number) }

  package mutating func insert(_ range: ClosedRange<Int64>) {
    // What ends just before the range is adjacent and merges with it.
    let start = firstIndex(endingAtOrAfter: range.lowerBound.subtractingReportingOverflow(1).overflow
      ? range.lowerBound : range.lowerBound - 1)
    var end = start
    var low = range.lowerBound
    var high = range.upperBound
    while end < ranges.count, high == .max || ranges[end].lowerBound <= high + 1 {
      low = min(low, ranges[end].lowerBound)
      high = max(high, ranges[end].upperBound)
      end += 1
    }
    ranges.replaceSubrange(start..<end, with: CollectionOfOne(low...high))
  }

  package mutating func remove(_ number: Int64) { remove(number...number) }

  package mutating func remove(_ range: ClosedRange<Int64>) {
    let start = firstIndex(endingAtOrAfter: range.lowerBound)
    var end = start
    var kept: [ClosedRange<Int64>] = []
    while end < ranges.count, ranges[end].lowerBound <= range.upperBound {
      let old = ranges[end]
      if old.lowerBound < range.lowerBound { kept.append(old.lowerBound...(range.lowerBound - 1)) }
      if old.upperBound > range.upperBound { kept.append((range.upperBound + 1)...old.upperBound) }
      end += 1
    }
    ranges.replaceSubrange(start..<end, with: kept)
  }

  package mutating func remove(_ other: NumberSet) {
    for range in other.ranges { remove(range) }
  }

  /// The numbers of the set that lie in the range.
  package func intersection(_ range: ClosedRange<Int64>) -> [ClosedRange<Int64>] {
    var result: [ClosedRange<Int64>] = []
    var index = firstIndex(endingAtOrAfter: range.lowerBound)
    while index < ranges.count, ranges[index].lowerBound <= range.upperBound {
      result.append(ranges[index].clamped(to: range))
      index += 1
    }
    return result
  }

  private func firstIndex(endingAtOrAfter number: Int64) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
