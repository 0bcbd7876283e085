// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import Testing

/// `#expect` cannot hand on a local variable that changes.
private final class Box {
  var table = LeaseTable()
}

@Suite struct LeaseTableTests {
  let limit = PointKey(device: wallbox, point: "current_limit")
  let power = PointKey(device: battery, point: "power_setpoint")
  let held = PointKey(device: battery, point: "max_charge_power")

  func lease(
    _ owner: String, _ value: Double, until expiry: Int64 = 60, _ priority: Priority = .schedule, safe: Double = 6
  ) -> Lease {
    Lease(owner: owner, priority: priority, value: .number(value), expiry: expiry * second, safe: .number(safe))
  }

  /// Granted and taken by the device.
  private func inForce(
    _ the: Box, _ lease: Lease, _ point: PointDescriptor, _ key: PointKey, at now: Int64 = 0
  ) {
    the.table.grant(lease, at: point, of: key)
    if let value = the.table.effective(key, now: now)?.value {
      the.table.written(key, value: value, certain: true, now: now)
    }
  }

  @Test func aPointWithoutLeasesIsIdle() {
    let the = Box()
    #expect(the.table.step(limit, now: 0) == .idle)
    #expect(the.table.keys.isEmpty)
    #expect(the.table.verdict(on: lease("a", 16), at: currentLimit, of: limit, now: 0) == .applies)
    #expect(the.table.keys.isEmpty)
  }

  @Test func theSmallestLimitAppliesWhateverThePriority() {
    let the = Box()
    inForce(the, lease("a", 16, .grid), currentLimit, limit)
    guard case .behind(let first) = the.table.verdict(on: lease("b", 20, .safety), at: currentLimit, of: limit, now: 0)
    else { return #expect(Bool(false), "the smaller limit has to apply") }
    #expect(first.owner == "a")
    #expect(the.table.verdict(on: lease("b", 10, .optimizer), at: currentLimit, of: limit, now: 0) == .applies)
    #expect(the.table.verdict(on: lease("b", 16, .optimizer), at: currentLimit, of: limit, now: 0) == .applies)
  }

  @Test func theHighestPriorityAppliesToASetpointTheLaterAmongEquals() {
    let the = Box()
    inForce(the, lease("a", 100, .user), setpoint, power)
    guard case .overruled(let by) = the.table.verdict(on: lease("b", 50, .schedule), at: setpoint, of: power, now: 0)
    else { return #expect(Bool(false), "the higher priority has to rule") }
    #expect(by.owner == "a")
    #expect(the.table.verdict(on: lease("b", 50, .user), at: setpoint, of: power, now: 0) == .applies)
    #expect(the.table.verdict(on: lease("b", 50, .grid), at: setpoint, of: power, now: 0) == .applies)
    the.table.grant(lease("b", 50, .user), at: setpoint, of: power)
    #expect(the.table.effective(power, now: 0)?.owner == "b")
    the.table.grant(lease("c", 70, .grid), at: setpoint, of: power)
    #expect(the.table.effective(power, now: 0)?.owner == "c")
    the.table.grant(lease("d", 80, .user), at: setpoint, of: power)
    #expect(the.table.effective(power, now: 0)?.owner == "c")
  }

  @Test func anOwnerReplacesItsOwnLeaseAlsoByALowerPriority() {
    let the = Box()
    inForce(the, lease("a", 100, .grid), setpoint, power)
    #expect(the.table.verdict(on: lease("a", 50, .optimizer), at: setpoint, of: power, now: 0) == .applies)
    the.table.grant(lease("a", 50, .optimizer), at: setpoint, of: power)
    #expect(the.table.leases(power, now: 0).map(\.value) == [.number(50)])
  }

  @Test func aLeaseThatIsOverNoLongerCounts() {
    let the = Box()
    inForce(the, lease("a", 100, until: 60, .grid), setpoint, power)
    #expect(the.table.verdict(on: lease("b", 50), at: setpoint, of: power, now: 60 * second) == .applies)
    #expect(the.table.effective(power, now: 60 * second - 1)?.owner == "a")
    #expect(the.table.effective(power, now: 60 * second) == nil)
    #expect(the.table.leases(power, now: 60 * second).isEmpty)
  }

  @Test func whenTheFirstEndsTheNextAppliesThenTheSafeValueOfTheLast() {
    let the = Box()
    inForce(the, lease("a", 10, until: 60, safe: 7), currentLimit, limit)
    inForce(the, lease("b", 20, until: 90, safe: 8), currentLimit, limit)
    #expect(the.table.step(limit, now: 0) == .wait(until: 60 * second))
    #expect(the.table.debt(limit, now: 0) == .number(7))
    guard case .write(.number(20), .command, let next?) = the.table.step(limit, now: 60 * second)
    else { return #expect(Bool(false), "the next lease has to be written") }
    #expect(next.owner == "b")
    the.table.written(limit, value: .number(20), certain: true, now: 60 * second)
    #expect(the.table.step(limit, now: 60 * second) == .wait(until: 90 * second))
    #expect(the.table.step(limit, now: 90 * second) == .write(.number(8), .safe, lease: nil))
    the.table.written(limit, value: .number(8), certain: true, now: 90 * second)
    #expect(the.table.step(limit, now: 90 * second) == .idle)
    #expect(the.table.debt(limit, now: 90 * second) == nil)
  }

  @Test func ofLeasesThatEndTogetherTheLongestGivesTheSafeValue() {
    let the = Box()
    inForce(the, lease("a", 10, until: 60, safe: 7), currentLimit, limit)
    inForce(the, lease("b", 20, until: 90, safe: 8), currentLimit, limit)
    #expect(the.table.step(limit, now: 200 * second) == .write(.number(8), .safe, lease: nil))
  }

  @Test func aNextLeaseWithTheSameValueIsNotWrittenAgain() {
    let the = Box()
    inForce(the, lease("a", 10, until: 60), currentLimit, limit)
    inForce(the, lease("b", 10, until: 90), currentLimit, limit)
    #expect(the.table.step(limit, now: 60 * second) == .wait(until: 90 * second))
  }

  @Test func aSafeValueThatIsInForceIsNotWrittenAgain() {
    let the = Box()
    inForce(the, lease("a", 6), currentLimit, limit)
    #expect(the.table.step(limit, now: 60 * second) == .idle)
  }

  @Test func aSafeValueWithoutAnAnswerIsWrittenAgain() {
    let the = Box()
    the.table.grant(lease("a", 6), at: currentLimit, of: limit)
    the.table.written(limit, value: .number(6), certain: false, now: 0)
    #expect(the.table.step(limit, now: 1) == .wait(until: 60 * second))
    #expect(the.table.step(limit, now: 60 * second) == .write(.number(6), .safe, lease: nil))
  }

  @Test func failedWritesAreTriedAgainAfterOneSecondDoublingToSixty() {
    let the = Box()
    inForce(the, lease("a", 10), currentLimit, limit)
    var now = 60 * second
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] as [Int64] {
      #expect(the.table.step(limit, now: now) == .write(.number(6), .safe, lease: nil))
      _ = the.table.failed(limit, value: .number(6), perhapsSent: false, now: now)
      #expect(the.table.step(limit, now: now) == .wait(until: now + pause * second))
      #expect(the.table.step(limit, now: now + pause * second - 1) == .wait(until: now + pause * second))
      now += pause * second
    }
    #expect(the.table.failures(limit) == 8)
    the.table.contact(wallbox)
    #expect(the.table.step(limit, now: now - 59 * second) == .write(.number(6), .safe, lease: nil))
    the.table.written(limit, value: .number(6), certain: true, now: now)
    #expect(the.table.failures(limit) == 0)
  }

  @Test func aLeaseEndsOnTimeAlsoWhileItsWriteIsTriedAgain() {
    let the = Box()
    the.table.grant(lease("a", 10, until: 60), at: currentLimit, of: limit)
    _ = the.table.failed(limit, value: .number(10), perhapsSent: true, now: 59 * second + second / 2)
    #expect(the.table.step(limit, now: 59 * second + second / 2) == .wait(until: 60 * second))
    #expect(the.table.step(limit, now: 60 * second) == .write(.number(6), .safe, lease: nil))
  }

  @Test func aWriteWithoutAnAnswerLeavesNothingKnown() {
    let the = Box()
    inForce(the, lease("b", 20, until: 90), currentLimit, limit)
    inForce(the, lease("a", 10, until: 60), currentLimit, limit)
    _ = the.table.step(limit, now: 60 * second)
    _ = the.table.failed(limit, value: .number(20), perhapsSent: false, now: 60 * second)
    #expect(the.table.holds(limit, .number(10)))
    _ = the.table.failed(limit, value: .number(20), perhapsSent: true, now: 60 * second)
    #expect(!the.table.holds(limit, .number(10)))
    #expect(!the.table.holds(limit, .number(20)))
  }

  @Test func aValueInForceIsRefreshed() {
    let the = Box()
    let lease = Lease(owner: "a", priority: .grid, value: .integer(100), expiry: 70 * second, safe: .integer(5000))
    inForce(the, lease, watched, held)
    let granted = the.table.effective(held, now: 0)
    #expect(the.table.step(held, now: 0) == .wait(until: 30 * second))
    #expect(the.table.step(held, now: 30 * second) == .write(.integer(100), .refresh, lease: granted))
    the.table.written(held, value: .integer(100), certain: true, now: 31 * second)
    #expect(the.table.step(held, now: 31 * second) == .wait(until: 61 * second))
    the.table.written(held, value: .integer(100), certain: true, now: 61 * second)
    #expect(the.table.step(held, now: 61 * second) == .wait(until: 70 * second))
    #expect(the.table.step(held, now: 70 * second) == .write(.integer(5000), .safe, lease: nil))
    the.table.written(held, value: .integer(5000), certain: true, now: 70 * second)
    #expect(the.table.step(held, now: 70 * second) == .idle)
  }

  @Test func aReleaseEndsOnlyTheOwnersLease() {
    let the = Box()
    inForce(the, lease("a", 10), currentLimit, limit)
    inForce(the, lease("b", 12), currentLimit, limit)
    #expect(the.table.release(limit, owner: "c") == false)
    #expect(the.table.release(limit, owner: "a") == true)
    guard case .write(.number(12), .command, _) = the.table.step(limit, now: 1)
    else { return #expect(Bool(false), "the next lease has to be written") }
    #expect(the.table.release(limit, owner: "b") == true)
    #expect(the.table.step(limit, now: 1) == .write(.number(6), .safe, lease: nil))
    #expect(the.table.release(limit, owner: "b") == false)
  }

  @Test func aDebtFromBeforeTheStartStaysUntilTheDeviceTookIt() {
    let the = Box()
    the.table.inherit(limit, safe: .number(6))
    #expect(the.table.inherited(limit) == .number(6))
    #expect(the.table.step(limit, now: 0) == .write(.number(6), .safe, lease: nil))
    the.table.written(limit, value: .number(6), certain: false, now: 0)
    #expect(the.table.inherited(limit) == .number(6))
    the.table.written(limit, value: .number(6), certain: true, now: 0)
    #expect(the.table.inherited(limit) == nil)
    #expect(the.table.step(limit, now: 0) == .idle)
  }

  @Test func inventedOwnersCannotFillTheMemory() {
    let the = Box()
    for number in 0..<LeaseTable.ownersPerPoint {
      the.table.grant(lease("o\(number)", 20), at: currentLimit, of: limit)
    }
    #expect(the.table.verdict(on: lease("new", 10), at: currentLimit, of: limit, now: 0) == .full)
    #expect(the.table.verdict(on: lease("o1", 10), at: currentLimit, of: limit, now: 0) == .applies)
    #expect(the.table.verdict(on: lease("new", 10), at: currentLimit, of: limit, now: 60 * second) == .applies)
  }

  @Test func aLimitThatIsNoNumberGoesByPriority() {
    var words = mode
    words.name = "max_mode"
    #expect(words.isLimit && !words.combinesAsLimit)
    #expect(currentLimit.combinesAsLimit && watched.combinesAsLimit && !setpoint.combinesAsLimit)
  }
}
