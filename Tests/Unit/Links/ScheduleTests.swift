// SPDX-License-Identifier: Apache-2.0

import BusbarLinks
import BusbarModel
import Testing

struct BackOffTests {
  @Test func doublesFromOneSecondToSixty() {
    var backOff = BackOff()
    let waits = (0..<100).map { _ in backOff.next(random: 0) / 1_000_000_000 }
    #expect(Array(waits.prefix(8)) == [1, 2, 4, 8, 16, 32, 60, 60])
    // collectd #3218: never longer.
    #expect(waits.dropFirst(6).allSatisfy { $0 == 60 })
  }

  @Test func jitterShortensByAFifthAtMost() {
    for random in [-1, 0, 0.3, 1, 7, .nan] as [Double] {
      var backOff = BackOff()
      let wait = backOff.next(random: random)
      #expect((800_000_000...1_000_000_000).contains(wait), "\(random)")
    }
    var backOff = BackOff()
    let shortest = backOff.next(random: 1)
    #expect(shortest == 800_000_000)
  }

  @Test func anySuccessResetsIt() {
    var backOff = BackOff()
    for _ in 0..<10 { _ = backOff.next(random: 0) }
    backOff.reset()
    let wait = backOff.next(random: 0)
    #expect(wait == BackOff.first)
    #expect(backOff != BackOff())
  }
}

struct PollScheduleTests {
  private static let second: Int64 = 1_000_000_000
  private static let start: Int64 = 1000 * second

  private func schedule(_ plan: PollPlan, _ points: [PointDescriptor]) -> PollSchedule {
    var schedule = PollSchedule()
    schedule.declare(points.enumerated().map { (UInt32($0.offset + 1), $0.element) }, plan: plan, now: Self.start)
    return schedule
  }

  private func power(_ period: Duration = .seconds(5)) -> PollSchedule {
    schedule(PollPlan(period: period), [PointDescriptor(name: "power")])
  }

  @Test func withoutPointsNothingIsDue() {
    let schedule = PollSchedule()
    #expect(schedule.next == nil)
    #expect(schedule.shortest == nil)
    #expect(schedule.due(at: .max) == [])
  }

  @Test func declaredPointsAreDueAtOnce() {
    let schedule = power()
    #expect(schedule.next == Self.start)
    #expect(schedule.due(at: Self.start) == [1])
    #expect(schedule.due(at: Self.start - 1) == [])
    #expect(schedule.shortest == 5 * Self.second)
  }

  @Test func theGridDoesNotDrift() {
    var schedule = power()
    for round in 0..<1000 {
      let due = Self.start + Int64(round) * 5 * Self.second
      #expect(schedule.next == due)
      // Each poll ends a little later than it was due.
      schedule.polled([1], at: due + Int64(round) % 4 * Self.second)
    }
    #expect(schedule.missed == 0)
  }

  @Test func missedPollsAreCountedAndNotCaughtUp() {
    var schedule = power()
    schedule.polled([1], at: Self.start + 17 * Self.second)
    #expect(schedule.missed == 3)
    #expect(schedule.next == Self.start + 20 * Self.second)
    #expect(schedule.due(at: Self.start + 19 * Self.second) == [])
  }

  @Test func aMissedPollOfSeveralPointsIsOne() {
    var schedule = schedule(
      PollPlan(period: .seconds(1), points: ["rare": .seconds(5)]),
      ["power", "voltage", "rare"].map { PointDescriptor(name: $0) })
    schedule.polled([1, 2, 3], at: Self.start + 7 * Self.second)
    #expect(schedule.missed == 7)
  }

  @Test func aPollThatIsLateByLessThanItsPeriodMissesNothing() {
    var schedule = power()
    schedule.polled([1], at: Self.start + 5 * Self.second - 1)
    #expect(schedule.missed == 0)
    #expect(schedule.next == Self.start + 5 * Self.second)
    // Just as the next one is due: that one is left out.
    schedule.polled([1], at: Self.start + 10 * Self.second)
    #expect(schedule.missed == 1)
    #expect(schedule.next == Self.start + 15 * Self.second)
  }

  @Test func aPollOutOfTurnChangesNothing() {
    var schedule = power()
    schedule.polled([1], at: Self.start)
    schedule.polled([1], at: Self.start + 2 * Self.second)
    #expect(schedule.next == Self.start + 5 * Self.second)
    #expect(schedule.missed == 0)
  }

  @Test func pointsHavePeriodsOfTheirOwn() {
    var schedule = schedule(
      PollPlan(period: .seconds(5), points: ["energy_total": .seconds(60), "fast": .seconds(1)]),
      [
        PointDescriptor(name: "power"), PointDescriptor(name: "energy_total"), PointDescriptor(name: "fast"),
        // Wishes count where they are for less, and where nobody said otherwise.
        PointDescriptor(name: "slow", period: .seconds(30)), PointDescriptor(name: "eager", period: .seconds(1)),
      ])
    schedule.polled(schedule.all, at: Self.start)
    func due(_ seconds: Int64) -> [UInt32] { schedule.due(at: Self.start + seconds * Self.second) }
    #expect(due(0) == [])
    #expect(due(1) == [3])
    #expect(due(5) == [1, 3, 5])
    #expect(due(30) == [1, 3, 4, 5])
    #expect(due(60) == [1, 2, 3, 4, 5])
    #expect(schedule.shortest == Self.second)
  }

  @Test func aConfiguredPeriodOfAPointWinsOverItsWish() {
    var schedule = schedule(
      PollPlan(period: .seconds(5), points: ["slow": .seconds(2)]),
      [PointDescriptor(name: "slow", period: .seconds(30))])
    schedule.polled([1], at: Self.start)
    #expect(schedule.next == Self.start + 2 * Self.second)
  }

  @Test func onlyThePolledPointsMove() {
    var schedule = schedule(
      PollPlan(period: .seconds(5)), [PointDescriptor(name: "power"), PointDescriptor(name: "energy")])
    schedule.polled([2, 99], at: Self.start)
    #expect(schedule.due(at: Self.start) == [1])
  }

  @Test func declaringAgainKeepsThePlaceOnTheGrid() {
    var schedule = power()
    schedule.polled([1], at: Self.start)
    schedule.declare(
      [(1, PointDescriptor(name: "power")), (2, PointDescriptor(name: "energy"))], plan: PollPlan(period: .seconds(5)),
      now: Self.start + 3 * Self.second)
    #expect(schedule.due(at: Self.start + 3 * Self.second) == [2])
    #expect(schedule.due(at: Self.start + 5 * Self.second) == [1, 2])
  }

  @Test func hurryMakesAllDueAndLeavesTheGrid() {
    var schedule = power()
    schedule.polled([1], at: Self.start)
    schedule.hurry()
    #expect(schedule.due(at: Self.start + Self.second) == [1])
    #expect(schedule.next ?? .max <= Self.start)
    schedule.polled([1], at: Self.start + Self.second)
    #expect(schedule.next == Self.start + 5 * Self.second)
    #expect(schedule.missed == 0)
    // Also where it was due anyway.
    schedule.hurry()
    schedule.polled([1], at: Self.start + 6 * Self.second)
    #expect(schedule.next == Self.start + 10 * Self.second)
  }

  /// Devices that were declared at once are read at once, and not at once for ever.
  @Test func phasesMoveTheGridAfterTheFirstPoll() {
    for (phase, period, shift) in [
      (0, 5 * Self.second, 0), (0.5, 5 * Self.second, Self.second / 4), (0.5, Self.second / 5, Self.second / 10),
    ] as [(Double, Int64, Int64)] {
      var schedule = PollSchedule()
      schedule.declare(
        [(1, PointDescriptor(name: "power")), (2, PointDescriptor(name: "energy"))],
        plan: PollPlan(period: .nanoseconds(period), points: ["energy": .seconds(60)]), phase: phase, now: Self.start)
      #expect(schedule.due(at: Self.start) == [1, 2])
      schedule.polled([1, 2], at: Self.start + 1)
      #expect(schedule.next == Self.start + period + shift)
      schedule.polled([1], at: Self.start + period + shift)
      #expect(schedule.next == Self.start + 2 * period + shift)
      // All points of a device moved alike: they are still read together.
      #expect(schedule.due(at: Self.start + 60 * Self.second + shift) == [1, 2])
      #expect(schedule.due(at: Self.start + 60 * Self.second + shift - 1) == [1])
      #expect(schedule.missed == 0)
    }
  }

  @Test func whatCanOnlyBeWrittenIsNeverDue() {
    let schedule = schedule(
      PollPlan(period: .seconds(5)), [PointDescriptor(name: "power"), PointDescriptor(name: "power_limit", writable: true, readable: false)])
    #expect(schedule.due(at: .max) == [1])
    #expect(schedule.all == [1])
  }

  /// A device of half a second a question has no time for all its points in the first poll: those that are read rarely do not
  /// wait an hour for their first value.
  @Test func whatAPollLeftOutIsDueWithTheNextOne() {
    var schedule = schedule(
      PollPlan(period: .seconds(5), points: ["max_current": .seconds(3600)]),
      [PointDescriptor(name: "power"), PointDescriptor(name: "max_current")])
    schedule.polled([1, 2], leftOut: [2], at: Self.start + Self.second)
    #expect(schedule.due(at: Self.start + 4 * Self.second) == [])
    #expect(schedule.due(at: Self.start + 5 * Self.second) == [1, 2])
    schedule.polled([1, 2], at: Self.start + 6 * Self.second)
    #expect(schedule.due(at: Self.start + 3599 * Self.second) == [1])
    #expect(schedule.due(at: Self.start + 3600 * Self.second) == [1, 2])
    #expect(schedule.missed == 0)
  }

  /// One that never comes is asked for at its own time after a while.
  @Test func whatIsLeftOutForEverDoesNotComeAlongEachTime() {
    var schedule = schedule(
      PollPlan(period: .seconds(5), points: ["max_current": .seconds(3600)]),
      [PointDescriptor(name: "power"), PointDescriptor(name: "max_current")])
    var asked = 0
    for round in 0..<20 {
      let due = schedule.due(at: Self.start + Int64(round) * 5 * Self.second)
      if due.contains(2) { asked += 1 }
      schedule.polled(due, leftOut: [2], at: Self.start + Int64(round) * 5 * Self.second)
    }
    #expect(asked == 4)
  }

  @Test func noPeriodIsShorterThanATenthOfASecond() {
    for period in [Duration.zero, .milliseconds(-5), .nanoseconds(1), .milliseconds(99)] {
      #expect(power(period).shortest == 100_000_000)
    }
  }

  @Test func aClockThatJumpsFarAheadEndsInOneStep() {
    var schedule = power(.milliseconds(100))
    schedule.polled([1], at: .max / 2)
    #expect(schedule.next.map { $0 > .max / 2 } == true)
  }

  @Test func theLongestPeriodDoesNotOverflow() {
    var schedule = power(.seconds(Int64.max))
    schedule.polled([1], at: Self.start)
    #expect(schedule.next.map { $0 > Self.start } == true)
  }
}
