// SPDX-License-Identifier: Apache-2.0

import BusbarLinks
import BusbarModel
import BusbarPlugins
import Testing

struct DeviceHealthTests {
  private static let timeout = CallResult(failure: .transient, reason: .timeout, text: "")

  private func answered(_ health: inout DeviceHealth, now: Int64 = 0) {
    health.answered(asked: 4, bad: 0, example: nil, took: 1_000_000, now: now)
  }

  @Test func beginsConnecting() {
    let health = DeviceHealth(now: 7)
    #expect(health.state == .connecting)
    #expect(health.reason == nil)
    #expect(health.since == 7)
    #expect(health.quality == LinkQuality(success: 0, p50_ms: 0, p95_ms: 0, errors: [:], reconnects: 0))
  }

  @Test func aDeviceThatNeverAnsweredIsOfflineAtOnce() {
    var health = DeviceHealth(now: 0)
    let changed = health.failed(Self.timeout, took: 1, now: 5)
    #expect(changed)
    #expect(health.state == .offline)
    #expect(health.since == 5)
    #expect(health.reason?.isEmpty == false)
  }

  @Test func aDeviceThatWasThereGetsThreeChances() {
    var health = DeviceHealth(now: 0)
    answered(&health, now: 1)
    #expect(health.state == .online)
    health.failed(Self.timeout, took: 1, now: 2)
    #expect(health.state == .degraded)
    health.failed(Self.timeout, took: 1, now: 3)
    #expect(health.state == .degraded)
    #expect(health.since == 2)
    health.failed(Self.timeout, took: 1, now: 4)
    #expect(health.state == .offline)
    #expect(health.since == 4)
    #expect(health.failuresInARow == 3)
    answered(&health, now: 9)
    #expect(health.state == .online)
    #expect(health.reason == nil)
    #expect(health.since == 9)
    #expect(health.failuresInARow == 0)
  }

  @Test func oneAnswerStartsThePatienceAnew() {
    var health = DeviceHealth(now: 0)
    answered(&health)
    for _ in 0..<10 {
      health.failed(Self.timeout, took: 1, now: 0)
      health.failed(Self.timeout, took: 1, now: 0)
      answered(&health)
    }
    #expect(health.state == .online)
  }

  @Test func pointsWithoutAValueDegradeIt() {
    var health = DeviceHealth(now: 0)
    var changed = health.answered(asked: 12, bad: 2, example: "temperature", took: 1, now: 1)
    #expect(changed)
    #expect(health.state == .degraded)
    #expect(health.reason == "2 of 12 points have no value (temperature)")
    // The same again is no news, another number is.
    changed = health.answered(asked: 12, bad: 2, example: "temperature", took: 1, now: 2)
    #expect(!changed)
    changed = health.answered(asked: 12, bad: 3, example: "temperature", took: 1, now: 3)
    #expect(changed)
    #expect(health.since == 1)
  }

  @Test(arguments: [CallResult.Class.config, .auth, .unsupported])
  func whatAPersonHasToMendNeedsAttention(failure: CallResult.Class) {
    var health = DeviceHealth(now: 0)
    answered(&health)
    health.failed(CallResult(failure: failure, reason: .unspecified, text: "the password is wrong"), took: 1, now: 1)
    #expect(health.state == .needsAttention)
    #expect(health.reason == "the password is wrong")
    // Another chance when the link is there again; not for others.
    health.linkOpened(now: 2)
    #expect(health.state == .connecting)
    #expect(health.reason == nil)
  }

  @Test(arguments: [CallResult.Class.transient, .device, .bug, .cancelled])
  func whatMayPassDoesNot(failure: CallResult.Class) {
    var health = DeviceHealth(now: 0)
    health.failed(CallResult(failure: failure, reason: .unspecified, text: ""), took: 1, now: 1)
    #expect(health.state == .offline)
    health.linkOpened(now: 2)
    #expect(health.state == .offline)
  }

  @Test func stuckEndsWithAnAnswerOrAFailure() {
    var health = DeviceHealth(now: 0)
    answered(&health)
    var changed = health.stuck(now: 3)
    #expect(changed)
    #expect(health.state == .stuck)
    #expect(health.reason?.isEmpty == false)
    changed = health.stuck(now: 4)
    #expect(!changed)
    answered(&health)
    #expect(health.state == .online)
  }

  @Test func qualityIsOfTheLastHundredPolls() {
    var health = DeviceHealth(now: 0)
    for _ in 0..<50 { health.failed(Self.timeout, took: 9_000_000_000, now: 0) }
    for took in 1...100 { health.answered(asked: 1, bad: 0, example: nil, took: Int64(took) * 1_000_000, now: 0) }
    var quality = health.quality
    #expect(quality.success == 1)
    #expect(quality.p50_ms == 51)
    #expect(quality.p95_ms == 96)
    #expect(quality.errors == ["timeout": 50])
    for _ in 0..<25 { health.failed(Self.timeout, took: 1, now: 0) }
    quality = health.quality
    #expect(quality.success == 0.75)
    #expect(quality.errors == ["timeout": 75])
  }

  @Test func aLinkThatCannotBeOpenedIsNoPoll() {
    var health = DeviceHealth(now: 0)
    answered(&health)
    health.failed(CallResult(failure: .transient, reason: .refused, text: "no"), took: nil, now: 0)
    #expect(health.quality.success == 1)
    #expect(health.quality.errors == ["refused": 1])
    health.reconnected()
    #expect(health.quality.reconnects == 1)
  }

  @Test(
    arguments: [
      (.transient, .timeout, "timeout", .timeout), (.transient, .closed, "closed", .comm),
      (.transient, .refused, "refused", .comm), (.transient, .address, "address", .comm),
      (.transient, .garbled, "garbled", .decode), (.device, .unspecified, "device", .device),
      (.device, .timeout, "timeout", .timeout), (.transient, .unspecified, "comm", .comm),
      (.bug, .other(5), "bug", .comm),
      (.config, .unspecified, "config", .comm), (.auth, .other(1024), "auth", .comm),
      (.unsupported, .unspecified, "unsupported", .comm),
    ] as [(CallResult.Class, CallResult.Reason, String, BadReason)])
  func namesOfFailures(failure: CallResult.Class, reason: CallResult.Reason, name: String, bad: BadReason) {
    let result = CallResult(failure: failure, reason: reason, text: "")
    #expect(DeviceHealth.errorName(result) == name)
    #expect(DeviceHealth.badReason(result) == bad)
    var health = DeviceHealth(now: 0)
    health.failed(result, took: 1, now: 0)
    #expect(health.reason?.isEmpty == false)
    #expect(health.quality.errors == [name: 1])
  }
}
