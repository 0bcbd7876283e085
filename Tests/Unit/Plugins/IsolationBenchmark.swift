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

  /// Between polls there is time: a child that tells more than 2,000 samples a second is not read for a while (FlowBudget), which
  /// is not what is measured.
  private enum Pace: String {
    /// Each finds the processor's caches as others have left them, and the processors asleep.
    case apart = "4 ms apart"
    /// The same while something else, which gives way at once, keeps the processors from falling asleep.
    case awake = "4 ms apart, processors awake"
    case inARow = "50 in a row"

    static let wanted: [Self] = ProcessInfo.processInfo.environment["BUSBAR_BENCHMARK"] == "awake" ? [.awake] : [.apart, .inARow]

    func pause(after poll: Int) -> Duration? {
      switch self {
      case .apart, .awake: .milliseconds(4)
      case .inARow: poll % 50 == 49 ? .milliseconds(200) : nil
      }
    }
  }

  @Test func aPoll() async throws {
    let plugin = try await Built.loaded(Built.shared.value.fixture, caller: Caller.executor)
    for pace in Pace.wanted {
      var medians: [Mode: Double] = [:]
      for round in 1...3 {
        for mode in [Mode.host, .child] {
          let times = try await Mode.$current.withValue(mode) { try await Self.measure(plugin, pace) }
          let median = times[times.count / 2]
          medians[mode] = min(median, medians[mode] ?? .infinity)
          print(
            "round \(round), \(pace.rawValue), \(mode.rawValue): median \(Self.text(median)) us, "
              + "p99 \(Self.text(times[times.count * 99 / 100])) us")
        }
      }
      if let host = medians[.host], let child = medians[.child] {
        print(
          "a poll of 5 points, \(pace.rawValue): host \(Self.text(host)) us, child \(Self.text(child)) us, "
            + "\(Self.text(child - host)) us more")
      }
    }
  }

  private static func text(_ time: Double) -> String { String(format: "%.1f", time) }

  /// Microseconds from the guard's call to its completion, sorted.
  private static func measure(_ plugin: TestPlugin, _ pace: Pace) async throws -> [Double] {
    let link = try TestLink(plugin)
    #expect(await link.open() == .done)
    #expect(await link.add(#"{"does": "good"}"#) == .done)
    let times = await Caller().polls(link, pace)
    #expect(await link.close() == .done)
    return times.sorted()
  }

  /// Calls as the guard of a link does, from the same kind of thread.
  private actor Caller {
    static let executor = TimedExecutor(name: "benchmark")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe Self.executor.asUnownedSerialExecutor() }

    func polls(_ link: TestLink, _ pace: Pace) async -> [Double] {
      let due = link.told.ids()
      var times: [Double] = []
      for poll in 0..<IsolationBenchmark.polls {
        let start = Clock.boot()
        _ = await withTaskExecutorPreference(Self.executor) {
          await withCheckedContinuation { done in link.link.poll(1, due: due, deadline: later()) { done.resume(returning: $0) } }
        }
        if poll >= IsolationBenchmark.polls / 10 { times.append(Double(Clock.boot() - start) / 1000) }
        if let pause = pace.pause(after: poll) { try? await Task.sleep(for: pause) }
      }
      return times
    }
  }
}
