// SPDX-License-Identifier: Apache-2.0

import Testing

import BusbarPlugins

/// The life of a plugin's process, transition by transition.
@Suite struct SupervisionTests {
  private static let second: Int64 = 1_000_000_000

  private func running(now: Int64 = 0) -> Supervision {
    var life = Supervision()
    #expect(life.wanted(now: now) == .start)
    life.loaded()
    #expect(life.state == .running)
    return life
  }

  @Test func aChildIsStartedOnce() {
    var life = Supervision()
    #expect(life.state == .idle)
    #expect(life.wanted(now: 0) == .start)
    #expect(life.state == .starting)
    #expect(life.wanted(now: 0) == .use)
    life.loaded()
    #expect(life.wanted(now: 0) == .use)
  }

  @Test func aDeathIsWaitedFor() {
    var life = running()
    life.died("crash", now: 10 * Self.second)
    let until = 10 * Self.second + Supervision.pause
    #expect(life.state == .backingOff(until: until))
    #expect(life.reason == "crash")
    #expect(life.wanted(now: until - 1) == .wait(until: until))
    #expect(life.wanted(now: until) == .start)
  }

  @Test func thePauseDoubles() {
    var life = running()
    var pauses: [Int64] = []
    for death in 0..<4 {
      let now = Int64(death) * 20 * Self.second
      life.died("crash", now: now)
      guard case .backingOff(let until) = life.state else { break }
      pauses.append(until - now)
      #expect(life.wanted(now: until) == .start)
      life.loaded()
    }
    #expect(pauses == [1, 2, 4, 8].map { $0 * Supervision.pause })
  }

  @Test func fiveDeathsInTenMinutesAreTooMany() {
    var life = Supervision()
    for death in 0..<5 {
      #expect(life.wanted(now: Int64(death) * 100 * Self.second) == .start)
      // Also where it never came to life.
      if death > 1 { life.loaded() }
      life.died("crash", now: Int64(death) * 100 * Self.second)
    }
    #expect(life.state == .quarantined)
    #expect(life.wanted(now: .max) == .never)
    #expect(life.total == 5)
  }

  @Test func oldDeathsAreForgotten() {
    var life = running()
    for death in 0..<20 {
      life.died("crash", now: Int64(death) * 151 * Self.second)
      #expect(life.recent.count <= 4)
      #expect(life.wanted(now: Int64(death) * 151 * Self.second + 60 * Self.second) == .start)
      life.loaded()
    }
    #expect(life.total == 20)
  }

  @Test func aPersonReleases() {
    var life = running()
    for _ in 0..<5 { life.died("crash", now: 0) }
    #expect(life.state == .quarantined)
    #expect(life.released() == false)
    #expect(life.state == .idle)
    #expect(life.reason == nil)
    #expect(life.wanted(now: 0) == .start)
    life.died("crash", now: 0)
    #expect(life.state == .backingOff(until: Supervision.pause))
  }

  @Test func aRefusalIsNoDeath() {
    var life = Supervision()
    _ = life.wanted(now: 0)
    life.refused("it refuses this host")
    #expect(life.wanted(now: .max) == .never)
    #expect(life.recent.isEmpty)
    #expect(life.replaced() == false)
    #expect(life.wanted(now: 0) == .start)
  }

  @Test func aNewFileTakesOver() {
    var life = running()
    life.died("crash", now: 0)
    _ = life.wanted(now: Supervision.pause)
    life.loaded()
    #expect(life.replaced() == true)
    #expect(life.state == .draining)
    #expect(life.recent.isEmpty)
    #expect(life.wanted(now: 0) == .start)
    // While it is being started as well.
    #expect(life.replaced() == true)
    #expect(life.state == .draining)
    var backing = running()
    backing.died("crash", now: 0)
    #expect(backing.replaced() == false)
    #expect(backing.state == .idle)
  }

  @Test func whatNobodyNeedsEnds() {
    var life = running()
    #expect(life.unneeded() == true)
    #expect(life.state == .idle)
    #expect(life.unneeded() == false)
    #expect(life.wanted(now: 0) == .start)
    #expect(life.unneeded() == false)
  }

  // MARK: Bounds of what a child tells

  @Test func aBurstIsFreeAndAFloodWaits() {
    let second = Self.second
    var budget = FlowBudget(now: 100 * second)
    for _ in 0..<4 { budget.take(bytes: 0, messages: 0, samples: 1000, points: 5, now: 100 * second) }
    #expect(budget.pause(now: 100 * second) == nil)
    budget.take(bytes: 0, messages: 0, samples: 1000, points: 5, now: 100 * second)
    #expect(budget.pause(now: 100 * second) == 100 * second + second / 2)
    #expect(budget.pause(now: 101 * second) == nil)
  }

  /// 200 devices with 100 points each, read four times a second.
  @Test func aLargePluginIsNotHeldUp() {
    var budget = FlowBudget(now: 0)
    for round in 0..<40 {
      let now = Int64(round) * Self.second / 4
      for _ in 0..<200 { budget.take(bytes: 3_300, messages: 2, samples: 100, points: 20_000, now: now) }
      #expect(budget.pause(now: now) == nil)
    }
  }

  @Test func problemsAreBounded() {
    var limit = ProblemLimit()
    for number in 0..<ProblemLimit.active { #expect(limit.take(1, "P\(number)", active: true, now: 0) == .change) }
    #expect(limit.take(1, "P0", active: true, now: 0) == .same)
    #expect(limit.take(1, "one more", active: true, now: 0) == .tooMany)
    #expect(limit.take(1, "P0", active: false, now: 0) == .change)
    #expect(limit.take(2, "P0", active: false, now: 0) == .same)
    var flicker = ProblemLimit()
    for change in 0..<ProblemLimit.changesPerMinute {
      #expect(flicker.take(1, "P", active: change % 2 == 0, now: Int64(change)) == .change)
    }
    #expect(flicker.take(1, "P", active: true, now: 0) == .tooMany)
    #expect(flicker.take(1, "P", active: true, now: 60 * Self.second) == .change)
  }
}
