// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

private func boot(_ version: OCPPVersion) -> JSON {
  version == .v16
    ? ["chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "S"]
    : ["reason": "PowerUp", "chargingStation": ["vendorName": "V", "model": "M", "serialNumber": "S"]]
}

private func ready(_ version: OCPPVersion, _ change: (inout ChargerSettings) -> Void = { _ in }) -> Dialogue {
  var dialogue = Dialogue(version, change)
  dialogue.connect()
  // The first thing is to ask an unknown charger to boot.
  dialogue.answer(["status": "Accepted"])
  dialogue.call("BootNotification", boot(version))
  // What it can do, and how it is.
  dialogue.wait(0)
  for _ in 0..<4 { dialogue.answer(version == .v16 ? ["status": "Accepted"] : ["getVariableResult": []]) }
  return dialogue
}

@Suite struct CentralSystemTests {
  @Test(arguments: OCPPVersion.allCases)
  func bootAndHeartbeat(_ version: OCPPVersion) {
    var dialogue = Dialogue(version)
    dialogue.connect()
    #expect(dialogue.outstanding?.payload["requestedMessage"] == "BootNotification")
    let answer = dialogue.call("BootNotification", boot(version))?.payload
    #expect(answer?["status"] == "Accepted" && answer?["interval"] == 300)
    #expect(answer?["currentTime"]?.string == Stamp.text(dialogue.now.unix))
    #expect(dialogue.effects.contains { if case .identity(let identity) = $0 { identity.serial == "S" } else { false } })
    #expect(dialogue.call("Heartbeat", [:])?.payload?["currentTime"] != nil)
    // Known from now on: the next connection is not asked to boot.
    var again = Dialogue(version, stored: dialogue.stored)
    again.connect()
    #expect(again.outstanding?.action != "TriggerMessage" || again.outstanding?.payload["requestedMessage"] != "BootNotification")
  }

  @Test(arguments: OCPPVersion.allCases)
  func whatIsNotServed(_ version: OCPPVersion) {
    var dialogue = ready(version)
    #expect(dialogue.call("MakeCoffee", [:])?.errorCode == "NotImplemented")
    #expect(dialogue.call("ClearCache", [:])?.errorCode == "NotSupported")
    #expect(dialogue.call("Authorize", [:])?.errorCode?.hasSuffix("ConstraintViolation") == true)
    #expect(dialogue.call("Heartbeat", ["extra": 1])?.payload != nil)
    var strict = ready(version) { $0.isStrict = true }
    #expect(strict.call("Heartbeat", ["extra": 1])?.errorCode == ErrorCode.formatViolation.name(version))
  }

  /// Every request that a charger may send is answered, and validly.
  @Test(arguments: OCPPVersion.allCases)
  func everyRequest(_ version: OCPPVersion) {
    let catalogue = Catalogue.of(version)
    for action in catalogue.actions.values.sorted(by: { $0.name < $1.name }) where action.senders.contains(.charger) {
      for all in [false, true] {
        var dialogue = ready(version)
        let request = catalogue.example(action.request, all: all)
        #expect(catalogue.check(action.request, request).findings == [], "\(action.name) \(request.text)")
        #expect(dialogue.call(action.name, request)?.payload != nil, "\(action.name) \(request.text)")
      }
    }
  }

  /// Every request that a central system may send can be asked for, and its answer comes back.
  @Test(arguments: OCPPVersion.allCases)
  func everyCall(_ version: OCPPVersion) {
    let catalogue = Catalogue.of(version)
    for action in catalogue.actions.values.sorted(by: { $0.name < $1.name }) where action.senders.contains(.centralSystem) {
      for all in [false, true] {
        var dialogue = ready(version)
        dialogue.command(.call(action: action.name, payload: catalogue.example(action.request, all: all)))
        #expect(dialogue.outstanding?.action == action.name, "\(action.name): \(dialogue.outcomes)")
        let response = catalogue.example(action.response, all: all)
        dialogue.answer(response)
        #expect(dialogue.outcomes == [.done(response)], "\(action.name)")
      }
    }
  }

  @Test(arguments: OCPPVersion.allCases)
  func howCallsEnd(_ version: OCPPVersion) {
    func outcome(_ body: (inout Dialogue) -> Void) -> Outcome? {
      var dialogue = ready(version)
      dialogue.command(.unlock(connector: 1))
      body(&dialogue)
      return dialogue.outcomes.last
    }
    #expect(outcome { $0.answer(["status": "Unlocked"]) } == .done(["status": "Unlocked"]))
    #expect(outcome { $0.answer(["status": "UnlockFailed"]) } == .refused("the charger answered UnlockFailed"))
    #expect(outcome { $0.fail("NotImplemented") } == .failed("NotImplemented: "))
    #expect(outcome { $0.wait(31) } == .unknown("the charger did not answer"))
    #expect(outcome { $0.disconnect() } == .unknown("the connection ended before the answer"))
    guard case .failed? = outcome({ $0.answer(["status": 17]) }) else { return #expect(Bool(false)) }
    // Late, and for nobody.
    var dialogue = ready(version)
    dialogue.command(.unlock(connector: 1))
    dialogue.wait(31)
    dialogue.answer(["status": "Unlocked"])
    #expect(dialogue.outcomes.count == 1)
    #expect(dialogue.notes.contains { $0.contains("came after its time") })
    dialogue.disconnect()
    dialogue.command(.unlock(connector: 1), ticket: 9)
    #expect(dialogue.effects.last == .outcome(ticket: 9, .failed("the charger is not connected")))
  }

  @Test(arguments: OCPPVersion.allCases)
  func repeatedCallsActOnce(_ version: OCPPVersion) {
    var dialogue = ready(version)
    let payload: JSON =
      version == .v16
      ? ["connectorId": 1, "idTag": "GOOD", "meterStart": 5, "timestamp": .string(Stamp.text(dialogue.now.unix))]
      : [
        "eventType": "Started", "timestamp": .string(Stamp.text(dialogue.now.unix)), "triggerReason": "CablePluggedIn", "seqNo": 0,
        "transactionInfo": ["transactionId": "t"], "evse": ["id": 1],
      ]
    let action = version == .v16 ? "StartTransaction" : "TransactionEvent"
    let first = dialogue.call(action, payload, id: "same")
    #expect(first?.payload != nil)
    #expect(dialogue.call(action, payload, id: "same") == first)
    #expect(dialogue.sessions.count == 1)
    // With another id too, as after a reconnection.
    #expect(dialogue.call(action, payload, id: "other")?.payload == first?.payload)
    #expect(Set(dialogue.sessions.compactMap { $0["session"]?.string }).count == 1)
  }

  @Test(arguments: OCPPVersion.allCases)
  func tagsThatNobodyAnswersFor(_ version: OCPPVersion) {
    var dialogue = ready(version)
    dialogue.tags = { _ in nil }
    let payload: JSON = version == .v16 ? ["idTag": "X"] : ["idToken": ["idToken": "X", "type": "ISO14443"]]
    #expect(dialogue.call("Authorize", payload) == nil)
    dialogue.wait(11)
    let info = dialogue.sent.last?.payload
    #expect((info?["idTagInfo"] ?? info?["idTokenInfo"])?["status"] == "Invalid")
  }

  @Test(arguments: OCPPVersion.allCases)
  func pendingAndRejected(_ version: OCPPVersion) {
    var dialogue = Dialogue(version) { $0.registration = .pending }
    dialogue.connect()
    #expect(dialogue.call("BootNotification", boot(version))?.payload?["status"] == "Pending")
    let refused = dialogue.call("Heartbeat", [:])?.errorCode
    #expect(refused == (version == .v16 ? "GenericError" : "SecurityError"))
    // It may be configured meanwhile, and no more.
    dialogue.answer(["status": "Accepted"])
    dialogue.command(.start(connector: 1, tag: "GOOD"))
    guard case .refused(let text)? = dialogue.outcomes.last else {
      Issue.record("a pending charger was told to start")
      return
    }
    #expect(text.contains("held as pending"))
    dialogue.command(.trigger("StatusNotification", connector: 1))
    #expect(dialogue.outstanding?.action == "TriggerMessage")
    dialogue.answer(["status": "Accepted"])
    dialogue.command(.registration(.accepted))
    dialogue.answer(["status": "Accepted"])
    #expect(dialogue.call("BootNotification", boot(version))?.payload?["status"] == "Accepted")
    #expect(dialogue.call("Heartbeat", [:])?.payload != nil)
    var rejected = Dialogue(version) { $0.registration = .rejected }
    rejected.connect()
    rejected.call("BootNotification", boot(version))
    rejected.command(.reset(isHard: false))
    #expect(rejected.outcomes == [.refused("the charger is rejected")])
  }

  @Test(arguments: OCPPVersion.allCases)
  func limits(_ version: OCPPVersion) {
    var dialogue = ready(version)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: dialogue.now.boot + 60_000))
    #expect(dialogue.outstanding?.action == "SetChargingProfile")
    dialogue.answer(["status": "Accepted"])
    #expect(dialogue.outstanding?.action == "GetCompositeSchedule")
    let schedule: JSON = [
      "duration": 60, "chargingRateUnit": "A", "chargingSchedulePeriod": [["startPeriod": 0, "limit": 10]], "evseId": 0,
      "scheduleStart": "2026-11-22T21:12:17Z",
    ]
    var sixteen: JSON = schedule
    sixteen["evseId"] = nil
    sixteen["scheduleStart"] = nil
    dialogue.answer(
      version == .v16 ? ["status": "Accepted", "chargingSchedule": sixteen] : ["status": "Accepted", "schedule": schedule])
    #expect(dialogue.outcomes == [.done(["limit": 10, "unit": "A"])])
    // Again and again: nothing is sent before half of it is over.
    let frames = dialogue.sent.count
    dialogue.wait(10)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: dialogue.now.boot + 60_000), ticket: 2)
    #expect(dialogue.sent.count == frames && dialogue.outcomes.count == 2)
    dialogue.wait(25)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: dialogue.now.boot + 60_000), ticket: 3)
    #expect(dialogue.outstanding?.action == "SetChargingProfile" && dialogue.sent.count > frames)
    // A charger that comes back gets it again.
    dialogue.disconnect()
    dialogue.connect()
    dialogue.wait(1)
    #expect(dialogue.sent.last.map { if case .call(_, "SetChargingProfile", _) = $0 { true } else { false } } == true)
    dialogue.answer(["status": "Accepted"])
    dialogue.fail("NotImplemented")
    dialogue.command(.release(connector: 0), ticket: 4)
    for _ in 0..<4 where dialogue.outstanding?.action != "ClearChargingProfile" { dialogue.answer(["status": "Accepted"]) }
    #expect(dialogue.outstanding?.action == "ClearChargingProfile")
    dialogue.answer(["status": "Accepted"])
    #expect(dialogue.effects.last == .outcome(ticket: 4, .done(["status": "Accepted"])))
  }

  /// The outcome is unknown, and whether it is tried once more is for the host to say.
  @Test(arguments: OCPPVersion.allCases)
  func limitsThatAreNotAnswered(_ version: OCPPVersion) {
    var dialogue = ready(version)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: dialogue.now.boot + 600_000))
    #expect(dialogue.outstanding?.action == "SetChargingProfile")
    let frames = dialogue.sent.count
    for _ in 0..<5 { dialogue.wait(31) }
    #expect(dialogue.outcomes == [.unknown("the charger did not answer")])
    #expect(dialogue.sent.count == frames)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: dialogue.now.boot + 600_000), ticket: 2)
    #expect(dialogue.outstanding?.action == "SetChargingProfile" && dialogue.sent.count == frames + 1)
    for _ in 0..<5 { dialogue.wait(31) }
    dialogue.disconnect()
    dialogue.connect()
    dialogue.wait(1)
    #expect(dialogue.sent.last.map { if case .call(_, "SetChargingProfile", _) = $0 { true } else { false } } == true)
  }

  @Test(arguments: OCPPVersion.allCases)
  func limitsThatAreRefused(_ version: OCPPVersion) {
    var dialogue = ready(version)
    dialogue.command(.limit(Limit(current: 10), connector: 0, until: nil))
    dialogue.fail("NotSupported")
    // The next kind of profile.
    #expect(dialogue.outstanding?.action == "SetChargingProfile")
    dialogue.answer(["status": "Rejected"])
    #expect(dialogue.outcomes == [.refused("the charger rejected the charging profile")])
  }

  @Test func statusAndFaults16() {
    var dialogue = ready(.v16)
    dialogue.call("StatusNotification", ["connectorId": 1, "errorCode": "NoError", "status": "Available"])
    #expect(dialogue.points["status"] == .text("available") && dialogue.points["status_c1"] == nil)
    dialogue.call("StatusNotification", ["connectorId": 2, "errorCode": "GroundFailure", "status": "Faulted"])
    #expect(dialogue.points["status_c2"] == .text("faulted") && dialogue.points["fault_code_c2"] == .text("GroundFailure"))
    #expect(dialogue.points["status"] == .text("available") && dialogue.points["fault_code"] == .text("GroundFailure"))
    #expect(
      dialogue.call("StatusNotification", ["connectorId": 9999, "errorCode": "NoError", "status": "Available"])?.payload != nil)
    #expect(dialogue.points["status_c9999"] == nil)
  }

  /// No request of ours has room for a name of more than 36 characters; without a name there is no session.
  @Test func transactionsThatCannotBeNamed() {
    var dialogue = ready(.v201)
    func start(_ transaction: String) -> Frame? {
      dialogue.call(
        "TransactionEvent",
        [
          "eventType": "Started", "timestamp": "2026-11-22T21:13:36Z", "triggerReason": "CablePluggedIn", "seqNo": 0,
          "transactionInfo": ["transactionId": .string(transaction)], "evse": ["id": 1],
        ])
    }
    guard case .result? = start("") else {
      Issue.record("what the schema allows was refused")
      return
    }
    #expect(dialogue.notes.contains { $0.contains("names no transaction") })
    #expect(dialogue.sessions.isEmpty)
    guard case .result? = start(String(repeating: "t", count: 40)) else {
      Issue.record("a long name was refused")
      return
    }
    dialogue.command(.stop(connector: 1, session: nil))
    guard case .refused(let refusal)? = dialogue.outcomes.last else {
      Issue.record("it was asked to stop: \(String(describing: dialogue.outstanding))")
      return
    }
    #expect(refusal.contains("36 characters"))
  }

  @Test func clockOffByHours() {
    var dialogue = ready(.v16)
    let wrong = dialogue.now.unix + 7_200_000
    dialogue.call("StatusNotification", ["connectorId": 1, "errorCode": "NoError", "status": "Preparing", "timestamp": .string(Stamp.text(wrong))])
    dialogue.call(
      "StartTransaction", ["connectorId": 1, "idTag": "GOOD", "meterStart": 0, "timestamp": .string(Stamp.text(wrong))])
    #expect(dialogue.sessions.last?["started"]?.integer == dialogue.now.unix)
    #expect(dialogue.notes.contains { $0.contains("clock is off") })
  }

  /// A clock that is behind may be a message that waited: the beginning is marked until that is known, and corrected then.
  @Test(arguments: [7_200_000, 900 * 86_400_000, 0] as [Int64])
  func clockBehind(_ behind: Int64) {
    var dialogue = Dialogue(.v16)
    dialogue.connect()
    dialogue.call("BootNotification", boot(.v16))
    func stamp(_ difference: Int64) -> JSON { .string(Stamp.text(dialogue.now.unix - difference)) }
    let began = dialogue.now.unix
    // Where the clock is right it is a start that waited for an hour.
    dialogue.call(
      "StartTransaction",
      ["connectorId": 1, "idTag": "GOOD", "meterStart": 0, "timestamp": stamp(behind > 0 ? behind : 3_600_000)])
    #expect(dialogue.sessions.last?["uncertain"] == ["started"])
    for _ in 0..<3 {
      dialogue.wait(15)
      dialogue.call("StatusNotification", ["connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": stamp(behind)])
    }
    dialogue.call(
      "StopTransaction",
      ["transactionId": .integer(Int64(dialogue.sessions.last?["session"]?.string ?? "") ?? 0), "meterStop": 500, "timestamp": stamp(behind)])
    let document = dialogue.sessions.last
    #expect(document?["state"] == "ended" && document?["energy"]?.number == 500)
    #expect(document?["started"]?.integer == (behind > 0 ? began : began - 3_600_000))
    // What was never taken from a stamp cannot be corrected by it.
    #expect(document?["uncertain"] == (behind > 90 * 86_400_000 ? ["started"] : nil))
  }

  @Test func readingsOfASessionTellItsStatusOnce() {
    var dialogue = ready(.v201)
    func event(_ kind: String, _ number: Int64) {
      dialogue.call(
        "TransactionEvent",
        [
          "eventType": .string(kind), "timestamp": .string(Stamp.text(dialogue.now.unix)), "triggerReason": "MeterValuePeriodic",
          "seqNo": .integer(number), "transactionInfo": ["transactionId": "T", "chargingState": "Charging"], "evse": ["id": 1, "connectorId": 1],
          "meterValue": [["timestamp": .string(Stamp.text(dialogue.now.unix)), "sampledValue": [["value": .integer(1000 + number)]]]],
        ])
    }
    event("Started", 0)
    #expect(dialogue.points["status"] == .text("charging"))
    dialogue.effects = []
    for number in 1...3 as ClosedRange<Int64> { event("Updated", number) }
    #expect(dialogue.points["energy_total"] == .number(1003) && dialogue.points["status"] == nil)
  }

  @Test func whatIsStoredComesBeforeTheAnswer() {
    var dialogue = ready(.v16)
    let stamp = JSON.string(Stamp.text(dialogue.now.unix))
    dialogue.call("StartTransaction", ["connectorId": 1, "idTag": "GOOD", "meterStart": 0, "timestamp": stamp])
    let id = dialogue.sent.last?.payload?["transactionId"]?.integer ?? 0
    dialogue.effects = []
    dialogue.call("StopTransaction", ["transactionId": .integer(id), "meterStop": 100, "timestamp": stamp])
    let kinds = dialogue.effects.map { effect in
      switch effect {
      case .store: "store"
      case .session: "session"
      case .send: "send"
      default: "other"
      }
    }
    #expect(kinds == ["store", "store", "session", "send"])
  }
}

extension Catalogue {
  /// A payload with the required fields, or with all of them.
  func example(_ shape: Shape, all: Bool, depth: Int = 0) -> JSON {
    var members: [JSON.Member] = []
    for field in shape.fields where field.isRequired || all && depth < 4 && field.name != "customData" {
      let value = example(field, all: all, depth: depth)
      members.append(JSON.Member(field.name, value))
    }
    return .object(members)
  }

  private func example(_ field: Shape.Field, all: Bool, depth: Int) -> JSON {
    guard let items = field.items else { return example(field.kind, all: all, depth: depth) }
    return .array((0..<max(items.lowerBound, min(1, items.upperBound))).map { _ in example(field.kind, all: all, depth: depth) })
  }

  private func example(_ kind: Shape.Kind, all: Bool, depth: Int) -> JSON {
    switch kind {
    case .any: "any"
    case .boolean: true
    case .time: "2026-11-22T21:12:17Z"
    case .text(let longest): .string("text".cut(to: min(longest, 4)))
    case .integer(let bounds): .integer(min(max(1, bounds.lowerBound), bounds.upperBound))
    case .number: 1.5
    case .enumeration(let index): .string(enumerations[index].values[0])
    case .object(let index): example(shapes[index], all: all, depth: depth + 1)
    }
  }
}
