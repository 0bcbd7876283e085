// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Reports that come in parts, each with a number and a word whether more follow: NotifyReport, NotifyMonitoringReport,
/// ReportChargingProfiles, NotifyDisplayMessages, NotifyCustomerInformation (2.0.1 part 2, B07 and others).
package struct ReportAssembly: Sendable {
  package struct Report: Equatable, Sendable {
    package var items: [JSON]
    /// Parts were missing, or there was more than is kept.
    package var isComplete: Bool

    package init(items: [JSON], isComplete: Bool) {
      self.items = items
      self.isComplete = isComplete
    }
  }

  /// For all reports that are being collected.
  package static let mostItems = 10_000
  package static let mostReports = 4
  /// Milliseconds from the last part on.
  package static let patience: Int64 = 120_000

  private struct Collection: Sendable {
    var request: Int64
    var parts: [Int64: [JSON]] = [:]
    var last: Int64?
    var dropped = false
    var at: Int64
  }

  private var collections: [Collection] = []

  package init() {}

  /// The whole report, where this was the last part of it.
  package mutating func receive(request: Int64, number: Int64, more: Bool, items: [JSON], _ now: Moment) -> Report? {
    if !collections.contains(where: { $0.request == request }) {
      if collections.count >= Self.mostReports { collections.removeFirst() }
      collections.append(Collection(request: request, at: now.boot))
    }
    guard let index = collections.firstIndex(where: { $0.request == request }) else { return nil }
    collections[index].at = now.boot
    let held = collections.reduce(0) { $0 + $1.parts.values.reduce(0) { $0 + $1.count } }
    if held + items.count <= Self.mostItems {
      collections[index].parts[number] = items
    } else {
      collections[index].dropped = true
    }
    if !more { collections[index].last = number }
    return finish(index)
  }

  private mutating func finish(_ index: Int, evenIncomplete: Bool = false) -> Report? {
    let collection = collections[index]
    let numbers = collection.parts.keys.sorted()
    let isWhole = collection.last.map { last in numbers.last == last && Int64(numbers.count) == last - (numbers.first ?? 0) + 1 } ?? false
    // Parts count from 0; some chargers begin at 1.
    let complete = isWhole && (numbers.first ?? 2) <= 1 && !collection.dropped
    guard complete || evenIncomplete || collection.last != nil && collection.dropped else { return nil }
    collections.remove(at: index)
    return Report(items: numbers.flatMap { collection.parts[$0] ?? [] }, isComplete: complete)
  }

  /// What will not be finished any more.
  package mutating func expire(_ now: Moment) -> [(request: Int64, report: Report)] {
    var found: [(Int64, Report)] = []
    while let index = collections.firstIndex(where: { now.boot - $0.at >= Self.patience }) {
      let request = collections[index].request
      if let report = finish(index, evenIncomplete: true) { found.append((request, report)) }
    }
    return found
  }

  package var expiry: Int64? { collections.map(\.at).min().map { $0 + Self.patience } }
}
