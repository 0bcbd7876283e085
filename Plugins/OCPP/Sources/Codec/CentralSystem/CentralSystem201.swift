// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Central system (CSMS) of OCPP 2.0.1.
package struct CentralSystem201: CentralSystem {
  var station: Station
  private var reports = ReportAssembly()
  var nextRequest: Int64 = 1

  package init(settings: ChargerSettings, stored: [String: JSON], seed: String) {
    station = Station(.v201, settings, stored, seed: seed)
  }

  package var registration: Registration { station.registration }
  package var isIntroduced: Bool { station.isIntroduced }
  package var sessions: SessionBook { station.sessions }
  package var clock: ChargerClock { station.clock }

  package func refusal(_ action: String, _ payload: JSON) -> Refusal? { station.refusal(action, payload) }
  package var wake: Int64? { [station.wake, reports.expiry].compactMap { $0 }.min() }

  package mutating func connected(_ now: Moment) -> [Effect] {
    station.connect(now)
    if station.registration.mustBoot, station.registration.policy != .accepted {
      station.introduction = nil
      trigger("BootNotification", nil)
    } else if station.registration.status == .accepted {
      station.tendLimits(now)
    }
    introduce(now)
    return finish(now)
  }

  package mutating func disconnected(_ now: Moment) -> [Effect] {
    for (purpose, outcome) in station.disconnect(now) { station.failed(purpose, outcome) }
    return finish(now)
  }

  package mutating func received(_ message: [UInt8], _ now: Moment) -> [Effect] {
    switch station.receive(message, now) {
    case .call(let id, let action, let payload)?: handle(id, action, payload, now)
    case .answer(let call, let payload)?: answered(call, payload, now)
    case .failure(let call, let code, let text)?: refused(call, code, text, now)
    case nil: break
    }
    return finish(now)
  }

  package mutating func authorized(ticket: UInt64, _ info: TagInfo, _ now: Moment) -> [Effect] {
    if let waiting = station.takeWaiting(ticket) { reply(waiting, info.at(now.unix)) }
    return finish(now)
  }

  package mutating func tick(_ now: Moment) -> [Effect] {
    while let call = station.calls.expire(now) {
      station.note("timeout.\(call.action)", "no answer to \(call.action)")
      station.failed(call.purpose, .unknown("the charger did not answer"))
    }
    while let waiting = station.expireWaiting(now) {
      reply(waiting, waiting.question.occasion == .stop ? TagInfo(.accepted) : station.settings.unanswered)
    }
    for (request, report) in reports.expire(now) { tell(report, request) }
    station.tendLimits(now)
    leadVehicles(now)
    introduce(now)
    return finish(now)
  }

  mutating func finish(_ now: Moment) -> [Effect] {
    for (command, ticket) in station.takeParked() { perform(command, ticket: ticket, now) }
    station.flush(now)
    return station.takeEffects()
  }

  /// What a charger is asked once a connection, when it is time.
  private mutating func introduce(_ now: Moment) {
    guard station.introduces(now) else { return }
    if station.registration.mustBoot { return trigger("BootNotification", nil) }
    guard station.registration.status == .accepted else { return }
    if !station.hasLearned { askAbilities() }
    guard !station.hasToldStates else { return }
    // Asked of a connector, not of the charger (2.0.1 part 2, F06); a charger that boots says it by itself.
    for evse in 1..<(min(station.connectors.count, 8) + 1) {
      trigger("StatusNotification", ["id": .integer(Int64(evse)), "connectorId": 1])
    }
  }

  mutating func askAbilities() {
    guard !station.isAsking else { return }
    station.isAsking = true
    for part in DeviceVariables.asked201.reversed() {
      let wanted: [JSON] = part.map {
        ["component": ["name": .string($0.component)], "variable": .object(["name": .string($0.variable), "instance": $0.instance.map { .string($0) }])]
      }
      if !station.call("GetVariables", ["getVariableData": .array(wanted)], .abilities, first: true) { station.hasLearned = true }
    }
  }

  mutating func trigger(_ message: String, _ place: JSON?) {
    station.registration.trigger(message)
    _ = station.call("TriggerMessage", .object(["requestedMessage": .string(message), "evse": place]), .learn)
  }
}

// MARK: Requests of the charger

extension CentralSystem201 {
  static let empty: JSON = .object([JSON.Member]())

  private mutating func handle(_ id: String, _ action: String, _ payload: JSON, _ now: Moment) {
    switch action {
    case "BootNotification": boot(id, payload, now)
    case "Heartbeat": station.answer(id, ["currentTime": .string(Stamp.text(now.unix))])
    case "Authorize":
      ask(payload["idToken"] ?? .null, connector: nil, .authorize, id, session: nil, now)
    case "StatusNotification": status(id, payload, now)
    case "MeterValues": meterValues(id, payload, now)
    case "TransactionEvent": transaction(id, payload, now)
    case "NotifyReport", "NotifyMonitoringReport", "ReportChargingProfiles", "NotifyDisplayMessages", "NotifyCustomerInformation":
      report(action, payload, now)
      station.answer(id, Self.empty)
    case "DataTransfer": pass(id, action, payload, ["status": "UnknownVendorId"])
    case "SignCertificate":
      station.requestedKey = payload["csr"]?.string.flatMap { PublicKeyInfo(request: $0) }
      pass(id, action, payload, ["status": "Accepted"])
    case "NotifyEVChargingNeeds": pass(id, action, payload, ["status": vehicleNeeds(payload, now) ? "Accepted" : "Rejected"])
    case "NotifyEVChargingSchedule": pass(id, action, payload, ["status": vehicleSchedule(payload, now) ? "Accepted" : "Rejected"])
    // Nobody here speaks for cars with a certificate authority: said so, in the words of the answer.
    case "Get15118EVCertificate": pass(id, action, payload, ["status": "Failed", "exiResponse": ""])
    case "GetCertificateStatus": pass(id, action, payload, ["status": "Failed"])
    default: pass(id, action, payload, Self.empty)
    }
  }

  private mutating func pass(_ id: String, _ action: String, _ payload: JSON, _ answer: JSON) {
    station.effects.append(.event(action, payload))
    station.answer(id, answer)
  }

  private mutating func boot(_ id: String, _ payload: JSON, _ now: Moment) {
    let charger = payload["chargingStation"]
    var identity = ChargerIdentity()
    identity.vendor = charger?["vendorName"]?.string?.cut(to: 64) ?? ""
    identity.model = charger?["model"]?.string?.cut(to: 64) ?? ""
    identity.serial = charger?["serialNumber"]?.string?.cut(to: 64) ?? ""
    identity.firmware = charger?["firmwareVersion"]?.string?.cut(to: 64) ?? ""
    let answer = station.boot(identity, now)
    station.answer(id, answer)
    guard station.registration.status == .accepted else { return }
    for place in station.leases.keys { station.leases[place]?.lost() }
    askAbilities()
    station.tendLimits(now)
  }

  private func evse(_ json: JSON?) -> Int? {
    guard let number = json?.integer, (0...Int64(Connectors.most)).contains(number) else { return nil }
    return Int(number)
  }

  private mutating func status(_ id: String, _ payload: JSON, _ now: Moment) {
    let time = station.time(payload["timestamp"], now)
    station.hasToldStates = true
    // An EVSE with several connectors uses one at a time; the others are available or taken along.
    if let evse = evse(payload["evseId"]), let word = payload["connectorStatus"]?.string {
      let session = station.sessions.session(on: evse)?.state
      if let status = Status(v201: word, session: session ?? (station.connectors[evse].status == .charging ? .finishing : nil)) {
        station.connectors.change(evse) { $0.word = word }
        station.tell(status, fault: status == .faulted ? "Faulted" : "", connector: evse, at: time.unix)
      }
    }
    station.answer(id, Self.empty)
  }

  private mutating func meterValues(_ id: String, _ payload: JSON, _ now: Moment) {
    if let evse = evse(payload["evseId"]) ?? (payload["evseId"] == nil ? 0 : nil) {
      for item in readings(payload["meterValue"], isLive: true, now) { station.tell(item.reading, connector: evse, at: item.at) }
    }
    station.answer(id, Self.empty)
  }

  private mutating func readings(_ json: JSON?, isLive: Bool, _ now: Moment) -> [TimedReading] {
    let sets = MeterSet.list(json)
    if isLive, let stamp = sets.last?.stamp { station.clock.observe(stamp, now) }
    return sets.map { set in
      TimedReading(
        MeterReading(set.samples), context: set.samples.first?.context ?? "Sample.Periodic",
        at: station.clock.corrected(set.stamp, now).unix)
    }
  }

  private mutating func transaction(_ id: String, _ payload: JSON, _ now: Moment) {
    let isLive = payload["offline"]?.boolean != true
    let info = payload["transactionInfo"]
    guard let kind = payload["eventType"]?.string.flatMap({ SessionBook.Event.Kind(rawValue: $0) }),
      let transaction = info?["transactionId"]?.string
    else { return station.refuse(id, .occurrenceConstraintViolation, "transactionInfo.transactionId is missing") }
    // The schema allows it; a session needs a name.
    guard !transaction.isEmpty else {
      station.note("event", "a TransactionEvent names no transaction: its session is not counted")
      return station.answer(id, Self.empty)
    }
    let token = payload["idToken"]
    var event = SessionBook.Event(
      kind, transaction: transaction.cut(to: 64), sequence: payload["seqNo"]?.integer ?? 0,
      time: station.time(payload["timestamp"], isLive: isLive, now))
    event.evse = evse(payload["evse"]?["id"]) ?? 0
    event.tag = token?["idToken"]?.string
    event.chargingState = info?["chargingState"]?.string
    event.stoppedReason = info?["stoppedReason"]?.string?.cut(to: 40)
    event.remoteStart = info?["remoteStartId"]?.integer
    event.readings = readings(payload["meterValue"], isLive: isLive, now)
    let isNew = station.sessions.receive(event, now)
    if !isNew { station.note("event", "a TransactionEvent came again") }
    if let session = station.sessions[event.transaction] {
      let evse = session.connector
      for item in event.readings { station.tell(item.reading, connector: evse, at: item.at) }
      if station.connectors[evse].word == "Occupied" || station.connectors[evse].word == nil, evse > 0, isLive {
        let status = Status(session.state)
        // Each reading of a session says again that it charges.
        if !status.isCharging || station.connectors[evse].status != status {
          station.tell(status, fault: "", connector: evse, at: event.time.unix)
        }
      }
      if kind == .started, !station.installed.isDisjoint(with: [LimitProfile.id(.session, evse)]) {
        for place in station.leases.keys { station.leases[place]?.lost() }
      }
    }
    station.settleSessions(now)
    if kind == .ended, isNew { ended(event.transaction, now) }
    let answer = cost(event, now)
    if let token, !token.isNull, isNew {
      ask(token, connector: event.evse, kind == .ended ? .stop : .start, id, answer, session: event.transaction, now)
    } else {
      station.answer(id, answer)
    }
  }

  /// What the session has cost so far, where there is a tariff and something to count (2.0.1 part 2, I02 and I03).
  private func cost(_ event: SessionBook.Event, _ now: Moment) -> JSON {
    guard let tariff = station.settings.tariff, event.kind == .ended || !event.readings.isEmpty,
      let session = station.sessions[event.transaction]
    else { return Self.empty }
    return ["totalCost": .number(tariff.cost(of: session, now))]
  }

  private mutating func ended(_ transaction: String, _ now: Moment) {
    releaseVehicle(transaction, now)
    guard let session = station.sessions[transaction], session.canBeNamed, !session.sequence.isComplete else { return }
    // Whether what is missing is still to come (2.0.1 part 2, E14).
    _ = station.call("GetTransactionStatus", ["transactionId": .string(transaction)], .learn)
  }

  private mutating func report(_ action: String, _ payload: JSON, _ now: Moment) {
    let (items, number): ([JSON], Int64) =
      switch action {
      case "NotifyReport": (payload["reportData"]?.array ?? [], payload["seqNo"]?.integer ?? 0)
      case "NotifyMonitoringReport": (payload["monitor"]?.array ?? [], payload["seqNo"]?.integer ?? 0)
      case "NotifyCustomerInformation": ([payload["data"] ?? .null], payload["seqNo"]?.integer ?? 0)
      // These are not numbered: each part stands for itself.
      case "ReportChargingProfiles":
        (
          (payload["chargingProfile"]?.array ?? []).map { ["evseId": payload["evseId"] ?? .null, "chargingProfile": $0] },
          -1
        )
      default: (payload["messageInfo"]?.array ?? [], -1)
      }
    if action == "NotifyReport" {
      for item in items { station.variables.learn201(report: item) }
      station.learned()
    }
    let request = payload["requestId"]?.integer ?? 0
    guard number >= 0 else {
      station.effects.append(.event(action, payload))
      return
    }
    let whole = reports.receive(request: request, number: number, more: payload["tbc"]?.boolean ?? false, items: items, now)
    if let whole { tell(whole, request, action) }
  }

  private mutating func tell(_ report: ReportAssembly.Report, _ request: Int64, _ action: String = "NotifyReport") {
    station.effects.append(
      .event(action, ["requestId": .integer(request), "complete": .boolean(report.isComplete), "items": .array(report.items)]))
  }

  /// `token` is an IdTokenType.
  private mutating func ask(
    _ token: JSON, connector: Int?, _ occasion: TagQuestion.Occasion, _ id: String, _ payload: JSON = empty, session: String?,
    _ now: Moment
  ) {
    let type = token["type"]?.string ?? ""
    // Started by a button, where nobody is asked (2.0.1 part 2, C02). An end is a fact, also where nobody can be asked any more; what is
    // known of the tag is told, as its group (C16).
    guard type != "NoAuthorization", occasion != .stop || station.waiting.count < Station.mostWaiting else {
      var payload = payload
      payload["idTokenInfo"] = TagInfo(.accepted).v201
      return station.answer(id, payload)
    }
    let tag = token["idToken"]?.string ?? ""
    let waiting = station.ask(
      tag, type: type, connector: connector, occasion, callID: id, payload: payload, session: session, now)
    if let waiting { reply(waiting, TagInfo(.accepted)) }
  }

  private mutating func reply(_ waiting: Station.Waiting, _ info: TagInfo) {
    var payload = waiting.payload
    payload["idTokenInfo"] = info.v201
    station.answer(waiting.callID, payload)
  }
}

// MARK: Answers of the charger

extension CentralSystem201 {
  private mutating func answered(_ call: CallQueue<Station.Purpose>.Call, _ payload: JSON, _ now: Moment) {
    let status = payload["status"]?.string ?? payload["setVariableResult"]?.array?.first?["attributeStatus"]?.string ?? "Accepted"
    switch call.purpose {
    case .command(let ticket, let command): station.end(ticket, Outcome(status, payload, of: command))
    case .limit(let ticket, let step):
      let reason = payload["statusInfo"]?["reasonCode"]?.string ?? ""
      station.limitAnswered(step, ticket, status: status, text: reason, now)
    case .verifyLimit(let ticket, let step):
      station.limitVerified(
        step, ticket, schedule: payload["schedule"].flatMap { CompositeSchedule($0) }, isUnsupported: false, now)
    case .clearLimit(let ticket, _): station.end(ticket, .done(payload))
    case .listVersion(let ticket, let list): station.sendList(list, version: payload["versionNumber"]?.integer ?? -1, ticket)
    case .list(let ticket, let list, let rest, let full): station.listAnswered(list, rest, isFull: full, status: status, ticket)
    case .parts(let ticket, let rest, let answers): partAnswered(call.action, payload, ticket, rest, answers)
    case .abilities: learn(payload)
    case .vehicle(let evse): vehicleAnswered(evse, status)
    case .learn: break
    }
  }

  private mutating func learn(_ payload: JSON) {
    for item in payload["getVariableResult"]?.array ?? [] where item["attributeStatus"]?.string == "Accepted" {
      if let component = item["component"]?["name"]?.string, let variable = item["variable"]?["name"]?.string,
        let value = item["attributeValue"]?.string
      {
        station.variables.learn201(
          component: component, variable: variable, instance: item["variable"]?["instance"]?.string, value: value)
      }
    }
    station.learned()
  }

  private mutating func refused(_ call: CallQueue<Station.Purpose>.Call, _ code: String, _ text: String, _ now: Moment) {
    let isUnsupported = code == "NotImplemented" || code == "NotSupported"
    switch call.purpose {
    case .limit(let ticket, let step): station.limitAnswered(step, ticket, status: code, text: text, now)
    case .verifyLimit(let ticket, let step): station.limitVerified(step, ticket, schedule: nil, isUnsupported: isUnsupported, now)
    default: station.failed(call.purpose, .failed("\(code): \(text)".cut(to: 300)))
    }
  }
}
