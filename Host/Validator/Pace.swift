// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// How long an honest device takes to answer, measured before the cases. Most answer in no time; one that wants a pause before
/// every question would keep a check busy for hours, so cases read a few points of it at a time and wait longer.
package struct Pace: Sendable, Codable, Equatable {
  /// Nanoseconds of a poll of all points, and of one alone.
  package var whole: Int64
  package var one: Int64
  /// How many points there are.
  package var points: Int

  static let none = Pace(whole: 0, one: 0, points: 0)

  /// A device that answers all its points within this is as good as any.
  private static let quick: Int64 = 1_000_000_000
  /// What a poll of a part of them may take.
  private static let part: Int64 = 1_500_000_000

  package var isSlow: Bool { whole > Self.quick }

  /// How many points a case reads at a time.
  var atOnce: Int { isSlow ? min(points, max(3, Int(Int64(points) * Self.part / whole))) : .max }

  /// For calls of which nothing else is said: twice what a poll of everything takes, five seconds at least.
  var patience: Duration { max(.seconds(5), .nanoseconds(2 * whole)) }

  /// What the device's own pauses may add to the time of a call that is cut short on purpose.
  var slack: Duration { isSlow ? .nanoseconds(2 * one) : .zero }

  /// Cases that repeat something do so less often.
  func times(_ count: Int) -> Int { isSlow ? max(3, count / 4) : count }

  /// Seconds after which a case is stuck.
  func limit(_ seconds: Int) -> Int { isSlow ? seconds * 4 : seconds }

  /// So many cases at a time: those with a slow device mostly wait.
  package var casesAtOnce: Int { isSlow ? 12 : 1 }
}

extension CheckCase {
  /// Not one of the check: what it finds is for the others.
  static let pace = CheckCase("pace", .lifeCycle, "How long the device takes to answer.", limit: 150) { bench in
    let link = try bench.link(try bench.load(), to: try bench.device())
    try expectDone(await link.open(), "open")
    try expectDone(await link.add(), "device_add")
    if let visit = link.visit { try await visit.begin(link.told.readable.map(\.id), .none) }
    let points = link.told.points.map(\.id)
    func time(_ due: [UInt32]) async throws -> Int64 {
      let begun = Clock.boot()
      try expectDone(await link.poll(points: due, within: .seconds(60)), "poll")
      return Clock.boot() - begun
    }
    // The first one asks who the device is, too.
    _ = try await time(points)
    let whole = try await time(points)
    let one = try await time(Array(points.prefix(1)))
    await link.close()
    throw Finding.measured(Pace(whole: whole, one: one, points: points.count))
  }
}
