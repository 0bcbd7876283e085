// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import PluginJSON
import Synchronization
import Testing

/// The adapter between a host that writes down what it is asked and a charger whose texts the test writes.
struct OCPPAdapterTests {
  @Test func aBootIsAnsweredAndTellsWhoItIs() async throws {
    let charger = try await ChargerLink()
    #expect(await charger.poll().failure == .transient)
    await charger.boot()
    #expect(charger.answer("boot")?.array?[2]["status"] == "Accepted")
    #expect(charger.told.identities.last == DeviceIdentity(vendor: "Acme", model: "M1", serial: "S-7", firmware: ""))
    #expect(charger.told.identities.first?.actions?.contains("charge.start") == true)
    #expect(charger.told.values["status"] == .text("available"))
    #expect(charger.told.values["connected"] == .boolean(false) && charger.told.values["enabled"] == .boolean(true))
    #expect(await charger.poll().failure == nil)
  }

  @Test func whatItIsIsKnownAgainWithoutABoot() async throws {
    let first = try await ChargerLink()
    await first.boot()
    let second = try await ChargerLink(first.diary)
    await second.connect()
    #expect(second.told.identities.last?.serial == "S-7")
    #expect(await second.poll().failure == nil)
  }

  @Test func pollsTellOnlyWhatStands() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    await charger.call(
      "MeterValues", #"{"connectorId":1,"meterValue":[{"timestamp":"2026-11-29T00:00:00Z","sampledValue":[{"value":"7000","measurand":"Power.Active.Import","unit":"W"},{"value":"10.1","measurand":"Current.Import","phase":"L1","unit":"A"}]}]}"#,
      id: "m1")
    #expect(charger.told.values["power"] == .number(7000) && charger.told.values["current_l1"] == .number(10.1))
    #expect(charger.told.points.first { $0.name == "current_l1" }?.unit == "A")
  }

  @Test func aSessionIsOnDiskBeforeTheChargerHearsOfIt() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    charger.diary.clear()
    await charger.call(
      "StartTransaction", #"{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"2026-11-29T00:00:00Z"}"#, id: "start")
    #expect(charger.answer("start") == nil)
    guard case .asked(let ticket, "GOOD")? = charger.diary.all.last(where: { if case .asked = $0 { true } else { false } }) else {
      Issue.record("nobody was asked: \(charger.diary.all)")
      return
    }
    await charger.event(.verdict(ticket: ticket, TagAnswer(verdict: 1, group: "FLEET")))
    let answer = try #require(charger.answer("start")?.array?[2])
    #expect(answer["idTagInfo"]?["status"] == "Accepted" && answer["idTagInfo"]?["parentIdTag"] == "FLEET")
    let deeds = charger.diary.all
    let stored = try #require(deeds.firstIndex(of: .stored("session.1")))
    let recorded = try #require(deeds.firstIndex { if case .recorded("evcharger.session", _) = $0 { true } else { false } })
    let sent = try #require(deeds.firstIndex { if case .sent = $0 { true } else { false } })
    #expect(stored < sent && recorded < sent)
  }

  @Test func whatCannotBeKeptIsNotAnswered() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    charger.diary.clear()
    charger.diary.refuses = true
    let start = #"{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"2026-11-29T00:00:00Z"}"#
    await charger.call("StartTransaction", start, id: "s1")
    #expect(charger.diary.all.contains(.closed(1011)) && charger.told.problems["StorageFailed"] == true)
    guard case .asked(let ticket, _)? = charger.diary.all.last(where: { if case .asked = $0 { true } else { false } }) else { return }
    await charger.event(.verdict(ticket: ticket, TagAnswer(verdict: 1)))
    #expect(charger.answer("s1") == nil)
    await charger.event(.closed(code: 1011, reason: ""))
    charger.diary.refuses = false
    await charger.connect()
    await charger.call("StartTransaction", start, id: "s2")
    #expect(charger.diary.values["session.1"] != nil && charger.told.problems["StorageFailed"] == false)
  }

  @Test func aCommandEndsWithTheChargersAnswer() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    let arguments = #"{"action":"GetConfiguration","payload":{"key":["X"]}}"#
    guard case .pending(let token, _) = await charger.command(.action(name: "ocpp.call", arguments: arguments)) else {
      Issue.record("the command did not wait")
      return
    }
    await charger.reply(#"{"unknownKey":["X"]}"#, to: "GetConfiguration")
    #expect(charger.diary.all.last == .completed(token, .done(.text(#"{"unknownKey":["X"]}"#))))
  }

  /// What is longer than an answer may be (async.h) ends the command all the same.
  @Test func anAnswerThatIsTooLongIsCutDown() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    guard case .pending(let token, _) = await charger.command(.action(name: "ocpp.call", arguments: #"{"action":"GetConfiguration"}"#)) else {
      Issue.record("the command did not wait")
      return
    }
    let key = #"{"key":"K","readonly":true,"value":"\#(String(repeating: "v", count: 480))"}"#
    let keys = Array(repeating: key, count: 100).joined(separator: ",")
    await charger.reply(#"{"configurationKey":[\#(keys)]}"#, to: "GetConfiguration")
    #expect(charger.diary.all.last == .completed(token, .done(.text(#"{"truncated":true}"#))))
  }

  @Test func theSameActionActsOnce() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    guard case .pending = await charger.command(.action(name: "unlock", arguments: "{}"), id: "c1") else {
      Issue.record("the command did not wait")
      return
    }
    guard case .failed = await charger.command(.action(name: "unlock", arguments: "{}"), id: "c1") else {
      Issue.record("it was sent again while it is under way")
      return
    }
    await charger.reply(#"{"status":"Unlocked"}"#, to: "UnlockConnector")
    #expect(charger.completed == .done(.text(#"{"status":"Unlocked"}"#)))
    let sent = charger.diary.frames.count
    #expect(await charger.command(.action(name: "unlock", arguments: "{}"), id: "c1") == .done(nil))
    #expect(charger.diary.frames.count == sent)
  }

  @Test func commandsThatCannotBeGiven() async throws {
    let charger = try await ChargerLink()
    func failure(_ verb: AdapterCommand.Verb) async -> CallResult? {
      if case .failed(let result) = await charger.command(verb) { return result }
      return nil
    }
    #expect(await failure(.action(name: "reset", arguments: "{}"))?.text == "the charger is not connected")
    await charger.boot()
    let sent = charger.diary.frames.count
    #expect(await failure(.action(name: "dance", arguments: "{}"))?.failure == .unsupported)
    #expect(await failure(.action(name: "unlock", arguments: #"{"connector":99}"#)) != nil)
    #expect(await failure(.action(name: "ocpp.call", arguments: #"{"payload":{}}"#)) != nil)
    #expect(await failure(.set(point: charger.told.id("current_limit"), value: .number(3))) != nil)
    // The host's word for these is `refused`, `invalid`.
    for (name, arguments) in [
      ("ocpp.call", #"{"action":"Fly","payload":{}}"#), ("charge.start", #"{"conector":1}"#), ("charge.start", #"{"tag":true}"#),
      ("reset", #"{"hard":"maybe"}"#),
    ] {
      #expect(await failure(.action(name: name, arguments: arguments))?.reason == .range, "\(name) \(arguments)")
    }
    #expect(await charger.command(.action(name: "reset", arguments: "{}"), dryRun: true) == .done(nil))
    #expect(charger.diary.frames.count == sent)
  }

  @Test func aLimitBecomesAProfileAndIsReadBack() async throws {
    let charger = try await ChargerLink(config: #"{"safe_current":8,"introduction":"0s"}"#)
    await charger.boot()
    let limit = charger.told.points.first { $0.name == "current_limit" }
    #expect(limit?.safe == .integer(8) || limit?.safe == .number(8))
    #expect(limit?.writable == true && limit?.refresh == .seconds(240) && limit?.allowed == [0])
    guard case .pending = await charger.command(.set(point: charger.told.id("current_limit"), value: .number(16))) else {
      Issue.record("the command did not wait")
      return
    }
    let periods = charger.diary.frames.last?.array?[3]["csChargingProfiles"]?["chargingSchedule"]?["chargingSchedulePeriod"]?.array
    #expect(periods?.compactMap { $0["limit"]?.number } == [16, 8])
    await charger.reply(#"{"status":"Accepted"}"#, to: "SetChargingProfile")
    await charger.reply(
      #"{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16}]}}"#,
      to: "GetCompositeSchedule")
    #expect(charger.completed == .done(.number(16)) && charger.told.values["current_limit"] == .number(16))
    // A second quantity: one profile has the stricter of both.
    _ = await charger.command(.set(point: charger.told.id("power_limit"), value: .number(6900)))
    let stricter = charger.diary.frames.last?.array?[3]["csChargingProfiles"]?["chargingSchedule"]?["chargingSchedulePeriod"]?.array
    #expect(stricter?.first?["limit"]?.number == 10)
    await charger.reply(#"{"status":"Accepted"}"#, to: "SetChargingProfile")
    await charger.reply(#"{"status":"Rejected"}"#, to: "GetCompositeSchedule")
    // Its safe value does not stand against the lease of the other one, and has no end where nobody leads.
    _ = await charger.command(.set(point: charger.told.id("power_limit"), value: .number(5520)), safe: true)
    let left = charger.diary.frames.last?.array?[3]["csChargingProfiles"]?["chargingSchedule"]?["chargingSchedulePeriod"]?.array
    #expect(left?.first?["limit"]?.number == 16)
  }

  @Test func aTagListIsOfferedOnceAndWhenItChanges() async throws {
    let charger = try await ChargerLink()
    charger.diary.tags.withLock { $0 = Array(#"{"version":3,"tags":[{"tag":"A1","verdict":"accepted"}]}"#.utf8) }
    await charger.boot { await charger.reply(#"{"listVersion":0}"#, to: "GetLocalListVersion") }
    #expect(charger.asked?["listVersion"] == 3)
    await charger.reply(#"{"status":"Accepted"}"#, to: "SendLocalList")
    let sent = charger.diary.frames.count
    await charger.call("Heartbeat", "{}", id: "h")
    #expect(charger.diary.frames.count == sent + 1)
    charger.diary.tags.withLock { $0 = Array(#"{"version":4,"tags":[]}"#.utf8) }
    await charger.event(.listChanged)
    await charger.reply(#"{"listVersion":3}"#, to: "GetLocalListVersion")
    #expect(charger.asked?["updateType"] == "Differential")
  }

  @Test func eventsAreKeptInParts() async throws {
    let charger = try await ChargerLink()
    await charger.connect("ocpp2.0.1")
    await charger.call(
      "BootNotification", #"{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}"#, id: "boot")
    // Without a serial number it is known by the name that it connects with.
    #expect(charger.told.identities.last?.serial == "CP1")
    let value = String(repeating: "v", count: 900)
    let items = (0..<60).map {
      #"{"component":{"name":"C\#($0)"},"variable":{"name":"V"},"variableAttribute":[{"value":"\#(value)"}]}"#
    }
    await charger.call(
      "NotifyReport",
      #"{"requestId":5,"generatedAt":"2026-11-29T00:00:00Z","seqNo":0,"reportData":[\#(items.joined(separator: ","))]}"#, id: "r")
    let documents = charger.diary.all.compactMap { deed -> JSON? in
      guard case .recorded("ocpp.notify-report", let text) = deed else { return nil }
      return try? JSON(parsing: Array(text.utf8))
    }
    #expect(documents.count > 3 && documents.allSatisfy { $0.bytes.count <= 16 << 10 })
    #expect(documents.reduce(0) { $0 + ($1["content"]?["items"]?.array?.count ?? 0) } == 60)
    #expect(documents.last?["content"]?["part"]?.integer == documents.last?["content"]?["parts"]?.integer)
  }

  /// Security whitepaper, AuthorizationKey: hexadecimal digits.
  @Test func aPasswordIsGivenToTheCharger() async throws {
    let charger = try await ChargerLink()
    await charger.boot()
    func give(_ password: String) async -> CommandResult {
      await charger.command(.action(name: "ocpp.password", arguments: #"{"password":"\#(password)"}"#))
    }
    guard case .failed = await give("short"), case .failed = await give("with a space in it") else {
      Issue.record("a password that cannot be was taken")
      return
    }
    guard case .pending = await give("0123456789abcdef") else {
      Issue.record("the command did not wait")
      return
    }
    #expect(charger.diary.frames.last?.array?[3] == ["key": "AuthorizationKey", "value": "30313233343536373839616263646566"])
    await charger.reply(#"{"status":"Rejected"}"#, to: "ChangeConfiguration")
    #expect(charger.completed == .refused("the charger answered Rejected"))
  }

  @Test func whatDoesNotSpeakOCPPIsSentAway() async throws {
    let charger = try await ChargerLink()
    let result = await charger.event(.opened(SocketPeer(identity: "CP1", subprotocol: "chat", address: "127.0.0.1:1")))
    #expect(result.failure == .device && charger.diary.all.contains(.closed(1002)))
  }

  @Test(arguments: [
    #"{"safe_current":3}"#, #"{"safe_current":50}"#, #"{"min_current":20,"max_current":10}"#, #"{"heartbeat":"soon"}"#,
    #"{"boot":"perhaps"}"#, #"{"remote_tag":""}"#,
  ])
  func settingsThatCannotBe(config: String) async throws {
    let charger = try await ChargerLink(add: false)
    #expect(await charger.add(config).failure == .config)
  }

  @Test func oneChargePointIsOneDevice() async throws {
    let charger = try await ChargerLink()
    #expect(await charger.add("{}", number: 2).failure == .config)
  }
}
