// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// How often the points of a device are read, as a person configured it.
package struct PollPlan: Sendable, Equatable {
  package var period: Duration
  /// Points with a period of their own.
  package var points: [String: Duration]

  package init(period: Duration, points: [String: Duration] = [:]) {
    self.period = period
    self.points = points
  }
}

/// When each point of a device is due, on the boot clock. A fixed grid: a late poll does not shift the ones after it,
/// and polls that were missed are counted, not caught up.
package struct PollSchedule: Sendable {
  private struct Entry {
    let point: UInt32
    let period: Int64
    /// On the grid.
    var due: Int64
    /// Due out of turn, which leaves the grid where it is.
    var hurried = false
    /// By which the first poll moves the grid.
    var shift: Int64 = 0
    /// The last poll left it out: due with the next one of the device, for a while.
    var again: Int64?
    var omissions = 0
    var next: Int64 { hurried ? 0 : min(due, again ?? .max) }
  }

  /// So many polls in a row may leave a point out before it is due at its own time only.
  private static let patience = 3

  /// Periods, nanoseconds: a tenth of a second to a year.
  private static let leastPeriod: Int64 = 100_000_000
  private static let longestPeriod: Int64 = 365 * 86_400 * 1_000_000_000
  /// The grids of devices that were declared together lie apart by less than this, and than their periods: so that a site's
  /// devices are not all read in the same millisecond, for ever, and its readings still belong together. Nanoseconds.
  private static let spread: Int64 = 500_000_000

  private var entries: [Entry] = []
  /// Polls that did not take place, because the one after them came more than a whole period late.
  package private(set) var missed = 0
  /// The shortest period, nanoseconds; nil without points.
  package private(set) var shortest: Int64?

  package init() {}

  /// A point that is declared is due at once; one that is declared again keeps its place; one that cannot be read is never
  /// due. A point's own wish counts only where it wants to be read less often than the plan says. `phase` from 0 to 1 moves
  /// the grid, for all points of the device alike.
  package mutating func declare(_ points: [(id: UInt32, point: PointDescriptor)], plan: PollPlan, phase: Double = 0, now: Int64) {
    let new = points.compactMap { id, point -> (id: UInt32, period: Int64)? in
      guard point.readable, !entries.contains(where: { $0.point == id }) else { return nil }
      let planned = plan.points[point.name] ?? max(plan.period, point.period ?? .zero)
      return (id, min(Self.longestPeriod, max(Self.leastPeriod, planned.nanoseconds)))
    }
    shortest = (entries.map(\.period) + new.map(\.period)).min()
    let shift = Int64(phase * Double(min(Self.spread, shortest ?? 0)))
    entries += new.map { Entry(point: $0.id, period: $0.period, due: now, shift: shift) }
  }

  package mutating func removeAll() {
    entries.removeAll()
    shortest = nil
  }

  /// When something is due next; nil without points.
  package var next: Int64? { entries.lazy.map(\.next).min() }

  /// The points that are due, in the order of their declaration.
  package func due(at now: Int64) -> [UInt32] {
    var points: [UInt32] = []
    points.reserveCapacity(entries.count)
    for entry in entries where entry.next <= now { points.append(entry.point) }
    return points
  }

  /// Everything is due now: a command may have changed it.
  package mutating func hurry() {
    for index in entries.indices { entries[index].hurried = true }
  }

  package var all: [UInt32] { entries.map(\.point) }

  /// These points were asked for: each is due again at the next place of its grid. Those that a poll left out, because a slow
  /// device had no time for them, do not wait so long.
  package mutating func polled(_ points: some Sequence<UInt32>, leftOut: Set<UInt32> = [], at now: Int64) {
    let points = Set(points)
    var latest: Int64 = 0
    for index in entries.indices where points.contains(entries[index].point) {
      entries[index].hurried = false
      let isLeftOut = leftOut.contains(entries[index].point)
      entries[index].omissions = isLeftOut ? min(entries[index].omissions + 1, Self.patience + 1) : 0
      entries[index].again = nil
      guard entries[index].due <= now else { continue }
      let late = (now - entries[index].due) / entries[index].period
      latest = max(latest, late)
      entries[index].due += (late + 1) * entries[index].period + entries[index].shift
      entries[index].shift = 0
    }
    // One poll reads them all.
    missed += Int(latest)
    guard !leftOut.isEmpty else { return }
    let next = entries.map(\.due).min()
    for index in entries.indices where leftOut.contains(entries[index].point) && entries[index].omissions <= Self.patience {
      entries[index].again = next
    }
  }
}
