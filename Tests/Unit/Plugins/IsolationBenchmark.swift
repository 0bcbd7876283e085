// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import Foundation
import Synchronization
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

    /// The plugin waits 2 ms, as for a quick device; with the others it answers at once, while the caller has not come to rest yet.
    case waiting = "4 ms apart, 2 ms of them the device's"

    static let wanted: [Self] =
      ProcessInfo.processInfo.environment["BUSBAR_BENCHMARK"] == "awake" ? [.awake] : [.waiting, .apart, .inARow]

    func pause(after poll: Int) -> Duration? {
      switch self {
      case .apart, .awake, .waiting: .milliseconds(4)
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
    #expect(await link.add(pace == .waiting ? #"{"does": "good-after-2-ms"}"# : #"{"does": "good"}"#) == .done)
    let times = await Caller.polls(link, pace)
    #expect(await link.close() == .done)
    return times.sorted()
  }

  /// Calls as the guard of a link does, from the same kind of thread, and waits as it does, by the sleep of that thread: tasks
  /// of the runtime's own pool would wake other processors in between.
  private final class Caller: Sendable {
    static let executor = TimedExecutor(name: "benchmark")

    private let link: TestLink
    private let due: [UInt32]
    private let pace: Pace
    private let done: CheckedContinuation<[Double], Never>
    private let times = Mutex<[Double]>([])

    private init(_ link: TestLink, _ pace: Pace, _ done: CheckedContinuation<[Double], Never>) {
      self.link = link
      due = link.told.ids()
      self.pace = pace
      self.done = done
    }

    static func polls(_ link: TestLink, _ pace: Pace) async -> [Double] {
      await withCheckedContinuation { done in
        let caller = Caller(link, pace, done)
        executor.call { caller.poll(0) }
      }
    }

    private func poll(_ number: Int) {
      let start = Clock.boot()
      link.link.poll(1, due: due, deadline: later()) { _ in
        Self.executor.call { self.ended(number, Double(Clock.boot() - start) / 1000) }
      }
    }

    private func ended(_ number: Int, _ time: Double) {
      let next = number + 1
      if next > IsolationBenchmark.polls / 10 { times.withLock { $0.append(time) } }
      guard next < IsolationBenchmark.polls else { return done.resume(returning: times.withLock { $0 }) }
      if let pause = pace.pause(after: number) {
        _ = Self.executor.alarm(at: Clock.boot() + pause.nanoseconds) { self.poll(next) }
      } else {
        poll(next)
      }
    }
  }
}
