// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import Testing

@Suite struct CommandCheckTests {
  static let now: Int64 = 1_795_378_158_000
  let check = CommandCheck(boot: 1000 * second, unix: now)
  let device = Site.devices[0]

  func request(
    _ verb: CommandRequest.Verb, id: String = "1", ts: Int64 = now, for validFor: Duration? = nil,
    owner: String = "ems",
    safe: Value? = nil, role: Role = .operator_
  ) -> CommandRequest {
    CommandRequest(
      id: id, device: wallbox, verb: verb, time: ts, validFor: validFor, owner: owner, safe: safe, role: role)
  }

  func stop(_ request: CommandRequest, on device: ControlledDevice?, _ check: CommandCheck? = nil) -> CommandStop? {
    do throws(CommandStop) {
      _ = try (check ?? self.check).check(request, on: device)
      return nil
    } catch {
      #expect(!error.text.isEmpty)
      #expect((error.reason != nil) == (error.status == .refused))
      return error
    }
  }

  func reason(_ point: String, _ value: Value?) -> RefusalReason? {
    stop(request(.set(point: point, value: value)), on: device)?.reason
  }

  @Test func devicePointAndPermission() {
    let set = CommandRequest.Verb.set(point: "current_limit", value: .number(10))
    #expect(stop(request(set), on: device) == nil)
    #expect(stop(request(set), on: nil)?.reason == .unknownDevice)
    #expect(reason("current", .number(1)) == .unknownPoint)
    #expect(reason("power", .number(1)) == .readOnly)
    #expect(stop(request(set, role: .viewer), on: device)?.reason == .notAuthorized)
    var locked = device
    locked.writable = false
    #expect(stop(request(set), on: locked)?.reason == .readOnly)
    #expect(stop(request(.action(name: "unlock", arguments: [:])), on: locked)?.reason == .readOnly)
    #expect(stop(request(.set(point: "none", value: .number(1))), on: locked)?.reason == .unknownPoint)
  }

  @Test func aDeviceThatWasNeverReachedFailsInsteadOfDenyingItsPoints() {
    let unseen = ControlledDevice(id: wallbox, writable: true, points: [], known: false)
    #expect(stop(request(.set(point: "current_limit", value: .number(10))), on: unseen)?.status == .failed)
    #expect(stop(request(.action(name: "unlock", arguments: [:])), on: unseen)?.status == .failed)
  }

  @Test func actions() throws {
    #expect(stop(request(.action(name: "reset", arguments: [:])), on: device)?.reason == .unsupported)
    let checked = try check.check(request(.action(name: "unlock", arguments: ["a": 1])), on: device)
    #expect(checked.work == .action(name: "unlock", arguments: ["a": 1]))
    #expect(checked.expiry == 1060 * second)
  }

  /// The host has to know the password of who connects to it; other devices may have any actions.
  @Test func aPasswordIsChangedByTheHostAlone() throws {
    var visitor = device
    visitor.actions.append("acme.password")
    let set = CommandRequest.Verb.action(name: "acme.password", arguments: [:])
    #expect(throws: Never.self) { try check.check(request(set), on: visitor) }
    visitor.visits = true
    #expect(stop(request(set), on: visitor)?.text.contains("busbar password rotate") == true)
    var own = request(set)
    own.isOwn = true
    #expect(throws: Never.self) { try check.check(own, on: visitor) }
  }

  @Test(arguments: [
    (Value.text("10"), RefusalReason.invalid), (.boolean(true), .invalid), (.number(.nan), .invalid),
    (.number(.infinity), .invalid), (.number(5.9), .outOfRange), (.integer(33), .outOfRange),
    (.number(-1), .outOfRange),
  ])
  func valuesThatALimitRefuses(value: Value, reason expected: RefusalReason) {
    #expect(reason("current_limit", value) == expected)
    #expect(
      stop(request(.set(point: "current_limit", value: .number(10)), safe: value), on: device)?.reason == expected)
  }

  @Test(arguments: [Value.number(6), .integer(32), .number(10.5), .integer(0)])
  func valuesThatALimitTakes(value: Value) throws {
    let checked = try check.check(request(.set(point: "current_limit", value: value)), on: device)
    guard case .lease(let point, let lease) = checked.work else { return #expect(Bool(false), "no lease") }
    #expect(point == currentLimit)
    #expect(lease.value == .number(try #require(value.number)))
    #expect(lease.safe == .number(6))
  }

  @Test func theRangeIsNamed() {
    let stop = stop(request(.set(point: "current_limit", value: .number(40))), on: device)
    #expect(stop?.text == "'value' 40 A for current_limit is outside of 6 to 32, or 0 A")
  }

  @Test func otherTypes() throws {
    #expect(reason("phases", .number(2.5)) == .invalid)
    #expect(reason("phases", .integer(4)) == .outOfRange)
    #expect(reason("enabled", .integer(1)) == .invalid)
    let checked = try check.check(request(.set(point: "phases", value: .number(3))), on: device)
    guard case .setting(_, .integer(3)) = checked.work else { return #expect(Bool(false), "no setting") }
    #expect(try mode.accepts(.text("hold"), as: "value") == .text("hold"))
    #expect(throws: CommandStop.self) { try mode.accepts(.text("HOLD"), as: "value") }
    #expect(throws: CommandStop.self) { try mode.accepts(.integer(1), as: "value") }
    let text = PointDescriptor(name: "label", type: .text, writable: true)
    #expect(try text.accepts(.text("x"), as: "value") == .text("x"))
    #expect(throws: CommandStop.self) { try text.accepts(.text(String(repeating: "x", count: 256)), as: "value") }
    let bytes = PointDescriptor(name: "raw", type: .bytes, writable: true)
    #expect(throws: CommandStop.self) { try bytes.accepts(.text("00"), as: "value") }
  }

  @Test func aSetpointWithoutAnySafeValueIsRefused() throws {
    #expect(reason("enabled", .boolean(false)) == .noSafeValue)
    let checked = try check.check(
      request(.set(point: "enabled", value: .boolean(false)), safe: .boolean(true)), on: device)
    guard case .lease(_, let lease) = checked.work else { return #expect(Bool(false), "no lease") }
    #expect(lease.safe == .boolean(true))
  }

  @Test func theTemplatesSafeValueIsNotOverridden() throws {
    let checked = try check.check(
      request(.set(point: "current_limit", value: .number(32)), safe: .number(32)), on: device)
    guard case .lease(_, let lease) = checked.work else { return #expect(Bool(false), "no lease") }
    #expect(lease.safe == .number(6))
  }

  @Test func releases() throws {
    #expect(
      try check.check(request(.set(point: "current_limit", value: nil)), on: device).work == .release(currentLimit))
    #expect(reason("phases", nil) == .invalid)
  }

  @Test func ages() throws {
    let set = CommandRequest.Verb.set(point: "current_limit", value: .number(10))
    func expiry(_ request: CommandRequest) throws -> Int64 { try check.check(request, on: device).expiry / second }
    #expect(try expiry(request(set)) == 1120)  // the point's own 120 s
    #expect(try expiry(request(set, for: .seconds(10))) == 1010)
    #expect(try expiry(request(set, ts: Self.now - 4000, for: .seconds(10))) == 1006)
    #expect(try expiry(request(set, ts: Self.now + 300_000, for: .seconds(10))) == 1310)
    #expect(try expiry(request(set, for: .seconds(86400))) == 87400)
    #expect(stop(request(set, ts: Self.now - 10_000, for: .seconds(10)), on: device)?.status == .expired)
    #expect(stop(request(set, ts: Self.now - 120_000), on: device)?.status == .expired)
    #expect(stop(request(set, ts: Self.now + 300_001), on: device)?.reason == .invalid)
    #expect(stop(request(set, ts: -1), on: device)?.reason == .invalid)
    #expect(stop(request(set, ts: .max), on: device)?.reason == .invalid)
    #expect(stop(request(set, for: .seconds(86401)), on: device)?.reason == .invalid)
    #expect(stop(request(set, for: .zero), on: device)?.reason == .invalid)
    #expect(stop(request(set, for: .seconds(-5)), on: device)?.reason == .invalid)
    let act = CommandRequest.Verb.action(name: "unlock", arguments: [:])
    #expect(stop(request(act, ts: Self.now - 60_000), on: device)?.status == .expired)
    #expect(try expiry(request(act, ts: Self.now - 59_000)) == 1001)
    #expect(try expiry(request(act, ts: Self.now - 60_000, for: .seconds(120))) == 1060)
  }

  @Test func withoutAnyDefaultALeaseLastsFifteenMinutesAndNoTemplateGivesMore() throws {
    var device = device
    for (lease, seconds) in [(nil, 900), (.seconds(3600), 900), (.seconds(5), 5)] as [(Duration?, Int64)] {
      device.points[1].lease = lease
      let checked = try check.check(request(.set(point: "current_limit", value: .number(10))), on: device)
      #expect(checked.expiry == (1000 + seconds) * second)
    }
  }

  @Test func whileTheClockIsNotSetAgeCountsFromReceipt() throws {
    let unset = CommandCheck(boot: 50 * second, unix: 86_400_000)
    let set = request(.set(point: "current_limit", value: .number(10)), for: .seconds(10))
    #expect(try unset.check(set, on: device).expiry == 60 * second)
    #expect(try unset.check(request(set.verb, ts: 5), on: device).expiry == 170 * second)
    #expect(stop(request(set.verb, for: .seconds(86401)), on: device, unset)?.reason == .invalid)
  }

  @Test func idsAndOwnersAreBounded() {
    let set = CommandRequest.Verb.set(point: "current_limit", value: .number(10))
    for text in ["", String(repeating: "x", count: 65), "e" + String(repeating: "\u{301}", count: 200)] {
      #expect(stop(request(set, id: text), on: device)?.reason == .invalid)
      #expect(stop(request(set, owner: text), on: device)?.reason == .invalid)
    }
    #expect(stop(request(set, id: String(repeating: "x", count: 64)), on: device) == nil)
  }

  @Test func aRepeatedRequestHasTheSameDigest() {
    let one = request(.set(point: "current_limit", value: .number(10)))
    var again = one
    again.time += 5
    again.role = .administrator
    again.owner = "administrator"
    #expect(one.digest == again.digest)
    for change: (inout CommandRequest) -> Void in [
      { $0.verb = .set(point: "current_limit", value: .number(11)) },
      { $0.verb = .set(point: "current_limit", value: nil) }, { $0.verb = .action(name: "unlock", arguments: [:]) },
      { $0.validFor = .seconds(1) }, { $0.priority = .grid }, { $0.safe = .number(6) }, { $0.device = battery },
    ] {
      var other = one
      change(&other)
      #expect(one.digest != other.digest)
    }
  }
}
