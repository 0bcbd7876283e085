// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarTransports

/// A device that is broken or wants to break the plugin (SPEC.md 11).
let hostileCases: [CheckCase] = [
  CheckCase("truncated-answers", .hostilePeer, "Answers that lose their end give no good value, and harm nothing.") {
    try await Hostile.polls($0, .truncated, goodValues: .none)
  },
  CheckCase("doubled-answers", .hostilePeer, "An answer that comes twice is not taken for the next one.") {
    try await Hostile.polls($0, .doubled, goodValues: .plausible)
  },
  CheckCase("delayed-answers", .hostilePeer, "An answer that comes too late is not taken for the next one.", limit: 60) {
    // Late for the second question of a poll of 300 ms, by as much as is left when what came instead has been taken for the first
    // answer of the next poll and the answer to that for the second; and late for the first question.
    try await Hostile.polls($0, .delayed(.milliseconds(180)), .delayed(.milliseconds(450)), goodValues: .plausible)
  },
  CheckCase("flipped-bits", .hostilePeer, "Answers with flipped bits harm nothing.", limit: 60) {
    try await Hostile.polls($0, .flipped, goodValues: .any, count: $0.input.pace.times($0.isVisited ? 20 : 60))
  },
  CheckCase("endless-answers", .hostilePeer, "After an answer comes more without end: no value that the device never said, and no growing memory.", limit: 60) {
    try await Hostile.polls($0, .endless, goodValues: .plausible)
  },
  CheckCase("closed-connections", .hostilePeer, "A connection that ends instead of an answer is a failure that the host can act on.") {
    if $0.isVisited {
      try await Hostile.polls($0, .closing, .closingBehind, goodValues: .none)
    } else {
      try await Hostile.polls($0, .closing, goodValues: .none)
    }
  },
]

enum Hostile {
  enum Good {
    /// No value may be good.
    case none
    /// Good values must be near those of an honest device.
    case plausible
    /// A protocol without check sums cannot know.
    case any
  }

  typealias Ranges = [String: (least: Double, greatest: Double)]

  /// Bytes that the heap may be larger afterwards.
  private static let growth = 4 << 20

  /// `count` polls of each manner, then of an honest device.
  static func polls(_ bench: Bench, _ manners: Manner..., goodValues: Good, count: Int = 6) async throws {
    let peer = try bench.peer()
    let plugin = try bench.load()
    var link = try await bench.ready(plugin, to: peer.farEnd)
    let honest = await ranges(link)
    let before = OwnHoldings()
    var said: [(name: String, value: Value)] = []
    var least = Int64.max
    for manner in manners.flatMap({ Array(repeating: $0, count: count) }) {
      peer.behave(manner)
      _ = ValidationLayer.takeOverrun()
      let result = await link.poll(within: .milliseconds(300))
      least = min(least, ValidationLayer.takeOverrun())
      // What comes before the end is as good as any.
      if goodValues == .none, manner != .closingBehind, let (name, value) = link.unfounded {
        throw Finding.failed("\(name) was sent as good, \(value), out of an answer that was none")
      }
      said += link.told.values.map { ($0.key, $0.value) }
      if let failure = result.failure, failure == .config || failure == .auth || failure == .unsupported || failure == .bug {
        throw Finding.failed("poll fails with class \(failure), so the host would not ask again: \(result.text)")
      }
      if link.visit == nil, result.failure == .transient, result.reason == .closed {
        await link.close()
        link = try bench.link(plugin, to: peer.farEnd)
        _ = await link.open(within: .seconds(1))
        _ = await link.add(within: .seconds(1))
      }
    }
    if least > 200_000_000 { throw Finding.failed("every poll returned more than \(least / 1_000_000) ms after its deadline") }
    peer.behave(.honest)
    let (last, problem) = try await link.recover(Set(honest.keys)) { try bench.link(plugin, to: peer.farEnd) }
    if let problem { throw Finding.failed("the device is honest again, and eight polls later still: \(problem)") }
    said += last.told.values.map { ($0.key, $0.value) }
    let more = OwnHoldings().heap - before.heap
    if more > growth { throw Finding.failed("it holds \(more >> 20) MiB more than before") }
    await last.close()
    guard goodValues == .plausible else { return }
    try judge(said, honest, try await afterwards(bench, plugin, try bench.device()))
  }

  /// What an honest device says: numbers from least to greatest. What counts a session says nothing about the next one.
  static func ranges(_ link: LinkUnderTest) async -> Ranges {
    var ranges: Ranges = [:]
    let restarting = Set(link.told.points.lazy.map(\.point).filter(\.restarts).map(\.name))
    for _ in 0..<link.pace.times(5) {
      _ = await link.poll()
      for (name, value) in link.told.values where !restarting.contains(name) {
        let number = value.number ?? .nan
        let old = ranges[name] ?? (number, number)
        ranges[name] = (min(old.least, number), max(old.greatest, number))
      }
    }
    return ranges
  }

  /// The same at the end, over a connection of its own: one that is out of step would say what is to be judged.
  static func afterwards(_ bench: Bench, _ plugin: LoadedPlugin, _ device: FarEnd?) async throws -> Ranges {
    let link = try await bench.ready(plugin, to: device)
    let honest = await ranges(link)
    await link.close()
    return honest
  }

  /// Values move while a case runs: each has to be near what the device said before and what it says after, or between.
  static func judge(_ said: [(name: String, value: Value)], _ before: Ranges, _ after: Ranges) throws {
    for (name, value) in said {
      guard let number = value.number, let one = before[name], let other = after[name] else { continue }
      let (least, greatest) = (min(one.least, other.least), max(one.greatest, other.greatest))
      guard least.isFinite else { continue }
      let slack = max(abs(least), abs(greatest)) * 0.25 + 1
      guard number >= least - slack, number <= greatest + slack else {
        throw Finding.failed(
          "\(name) was sent as good, \(value), and the device said \(least) to \(greatest): an answer to another question?")
      }
    }
  }
}
