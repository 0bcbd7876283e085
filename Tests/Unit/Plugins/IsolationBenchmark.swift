// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import Foundation
import Testing

/// What a poll costs in the host and in a child: `Tests/Benchmarks/isolation` runs it. No test: it asserts no time.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BUSBAR_BENCHMARK"] != nil))
struct IsolationBenchmark {
  private static let polls = 2_000
  /// Between them: a child that tells more than 2,000 samples a second is not read for a while (FlowBudget), which is not what is
  /// measured.
  private static let pause = Duration.milliseconds(4)

  @Test func aPoll() async throws {
    let plugin = try await Built.loaded(Built.shared.value.fixture)
    var medians: [Mode: Double] = [:]
    for round in 1...3 {
      for mode in [Mode.host, .child] {
        let times = try await Mode.$current.withValue(mode) { try await Self.measure(plugin) }
        let median = times[times.count / 2]
        medians[mode] = min(median, medians[mode] ?? .infinity)
        print("round \(round), \(mode.rawValue): median \(Self.text(median)) us, p99 \(Self.text(times[times.count * 99 / 100])) us")
      }
    }
    if let host = medians[.host], let child = medians[.child] {
      print("a poll of 5 points: host \(Self.text(host)) us, child \(Self.text(child)) us, \(Self.text(child - host)) us more")
    }
  }

  private static func text(_ time: Double) -> String { String(format: "%.1f", time) }

  /// Microseconds from the guard's call to its completion, sorted.
  private static func measure(_ plugin: TestPlugin) async throws -> [Double] {
    let link = try TestLink(plugin)
    #expect(await link.open() == .done)
    #expect(await link.add(#"{"does": "good"}"#) == .done)
    let due = link.told.ids()
    var times: [Double] = []
    for poll in 0..<polls {
      let start = Clock.boot()
      _ = await link.poll(due)
      if poll >= polls / 10 { times.append(Double(Clock.boot() - start) / 1000) }
      try await Task.sleep(for: Self.pause)
    }
    #expect(await link.close() == .done)
    return times.sorted()
  }
}
