// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Central system of OCPP 1.6J with the security whitepaper.
package struct CentralSystem16: CentralSystem {
  var station: Station

  package init(settings: ChargerSettings, stored: [String: JSON], seed: String) {
    station = Station(.v16, settings, stored, seed: seed)
  }

  package var registration: Registration { station.registration }
  package var isIntroduced: Bool { station.isIntroduced }
  package var sessions: SessionBook { station.sessions }
  package var clock: ChargerClock { station.clock }

  package var wake: Int64? { station.wake }
  package func refusal(_ action: String, _ payload: JSON) -> Refusal? { station.refusal(action, payload) }

  package mutating func connected(_ now: Moment) -> [Effect] {
    station.connect(now)
    if station.registration.mustBoot, station.registration.policy != .accepted {
      station.introduction = nil
      trigger("BootNotification", nil, .learn)
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
    if let waiting = station.takeWaiting(ticket) { reply(waiting, info.at(now.unix), now) }
    return finish(now)
  }

  package mutating func tick(_ now: Moment) -> [Effect] {
    while let call = station.calls.expire(now) {
      station.note("timeout.\(call.action)", "no answer to \(call.action)")
      station.failed(call.purpose, .unknown("the charger did not answer"))
    }
    while let waiting = station.expireWaiting(now) { reply(waiting, station.settings.unanswered, now) }
    station.tendLimits(now)
    introduce(now)
    return finish(now)
  }

  private mutating func finish(_ now: Moment) -> [Effect] {
    for (command, ticket) in station.takeParked() { perform(command, ticket: ticket, now) }
    station.flush(now)
    return station.takeEffects()
  }

  /// What a charger is asked once a connection, when it is time.
  private mutating func introduce(_ now: Moment) {
    guard station.introduces(now) else { return }
    // It knows nothing of a loss on our side, and is served meanwhile.
    if station.registration.mustBoot { return trigger("BootNotification", nil, .learn) }
    guard station.registration.status == .accepted else { return }
    if !station.hasLearned { askAbilities() }
    // Its states are in notifications that may have come before we began to listen.
    if !station.hasToldStates { trigger("StatusNotification", nil, .learn) }
  }

  private mutating func askAbilities() {
    guard !station.isAsking else { return }
    station.isAsking = true
    let keys: JSON = .array(DeviceVariables.asked16.map { .string($0) })
    if !station.call("GetConfiguration", ["key": keys], .abilities, first: true) { station.hasLearned = true }
  }

  private mutating func trigger(_ message: String, _ connector: Int?, _ purpose: Station.Purpose) {
    station.registration.trigger(message)
    _ = station.call(
      "TriggerMessage", .object(["requestedMessage": .string(message), "connectorId": connector.map { .integer(Int64($0)) }]), purpose)
  }
}

// MARK: Requests of the charger

extension CentralSystem16 {
  private mutating func handle(_ id: String, _ action: String, _ payload: JSON, _ now: Moment) {
    switch action {
    case "BootNotification": boot(id, payload, now)
    case "Heartbeat": station.answer(id, ["currentTime": .string(Stamp.text(now.unix))])
    case "Authorize":
      ask(payload["idTag"]?.string ?? "", connector: nil, .authorize, id, [:], session: nil, now)
    case "StatusNotification": status(id, payload, now)
    case "MeterValues": meterValues(id, payload, now)
    case "StartTransaction": start(id, payload, now)
    case "StopTransaction": stop(id, payload, now)
    case "DataTransfer":
      station.effects.append(.event(action, payload))
      station.answer(id, ["status": "UnknownVendorId"])
    case "SignCertificate":
      station.requestedKey = payload["csr"]?.string.flatMap { PublicKeyInfo(request: $0) }
      station.effects.append(.event(action, payload))
      station.answer(id, ["status": "Accepted"])
    default:
      // Notifications of firmware, diagnostics, logs and security events: passed on.
      station.effects.append(.event(action, payload))
      station.answer(id, .object([JSON.Member]()))
    }
  }

  private mutating func boot(_ id: String, _ payload: JSON, _ now: Moment) {
    var identity = ChargerIdentity()
    identity.vendor = payload["chargePointVendor"]?.string?.cut(to: 64) ?? ""
    identity.model = payload["chargePointModel"]?.string?.cut(to: 64) ?? ""
    identity.serial = (payload["chargePointSerialNumber"] ?? payload["chargeBoxSerialNumber"])?.string?.cut(to: 64) ?? ""
    identity.firmware = payload["firmwareVersion"]?.string?.cut(to: 64) ?? ""
    identity.meter = payload["meterSerialNumber"]?.string?.cut(to: 64) ?? ""
    let answer = station.boot(identity, now)
    station.answer(id, answer)
    guard station.registration.status == .accepted else { return }
    for place in station.leases.keys { station.leases[place]?.lost() }
    askAbilities()
    station.tendLimits(now)
  }

  private mutating func status(_ id: String, _ payload: JSON, _ now: Moment) {
    let connector = Int(truncatingIfNeeded: payload["connectorId"]?.integer ?? 0)
    let time = station.time(payload["timestamp"], now)
    station.hasToldStates = true
    if let status = payload["status"]?.string.flatMap({ Status(v16: $0) }), (0...Connectors.most).contains(connector) {
      let code = payload["errorCode"]?.string ?? "NoError"
      let vendor = payload["vendorErrorCode"]?.string ?? ""
      let fault = code == "NoError" ? "" : code == "OtherError" && !vendor.isEmpty ? vendor.cut(to: 50) : code.cut(to: 50)
      station.tell(status, fault: fault, connector: connector, at: time.unix)
      if connector > 0, let state = status.session, let session = station.sessions.session(on: connector), session.state != state {
        station.sessions.change(session.id) { $0.state = state }
      }
      station.settleSessions(now)
    }
    station.answer(id, .object([JSON.Member]()))
  }

  private mutating func meterValues(_ id: String, _ payload: JSON, _ now: Moment) {
    let connector = Int(truncatingIfNeeded: payload["connectorId"]?.integer ?? 0)
    if (0...Connectors.most).contains(connector) {
      let readings = readings(payload["meterValue"], now)
      station.sessions.read(readings, connector: connector, transaction: payload["transactionId"]?.integer, now)
      for item in readings { station.tell(item.reading, connector: connector, at: item.at) }
      station.settleSessions(now)
    }
    station.answer(id, .object([JSON.Member]()))
  }

  private mutating func readings(_ json: JSON?, _ now: Moment) -> [TimedReading] {
    let sets = MeterSet.list(json)
    // Only the newest can have been taken just now.
    if let stamp = sets.last?.stamp { station.clock.observe(stamp, now) }
    return sets.map { set in
      TimedReading(
        MeterReading(set.samples), context: set.samples.first?.context ?? "Sample.Periodic",
        at: station.clock.corrected(set.stamp, now).unix)
    }
  }

  private mutating func start(_ id: String, _ payload: JSON, _ now: Moment) {
    let connector = Int(truncatingIfNeeded: payload["connectorId"]?.integer ?? 0)
    let tag = payload["idTag"]?.string ?? ""
    guard (1...Connectors.most).contains(connector) else {
      station.refuse(id, .propertyConstraintViolation, "connectorId is \(connector)")
      return
    }
    let began = station.time(payload["timestamp"], now)
    let (number, isRepeat) = station.sessions.start(
      SessionBook.Start(
        connector: connector, tag: tag, register: payload["meterStart"]?.number, stamp: payload["timestamp"]?.string ?? "",
        began: began), now)
    if isRepeat { station.note("start", "a StartTransaction came again") }
    if station.installed.contains(LimitProfile.id(.session, connector)) {
      for place in station.leases.keys { station.leases[place]?.lost() }
    }
    station.settleSessions(now)
    ask(tag, connector: connector, .start, id, ["transactionId": .integer(number)], session: String(number), now)
  }

  private mutating func stop(_ id: String, _ payload: JSON, _ now: Moment) {
    let ended = station.time(payload["timestamp"], now)
    let readings = readings(payload["transactionData"], now)
    let tag = payload["idTag"]?.string
    station.sessions.stop(
      SessionBook.Stop(
        transaction: payload["transactionId"]?.integer ?? 0, register: payload["meterStop"]?.number, ended: ended, tag: tag,
        reason: payload["reason"]?.string?.cut(to: 40), readings: readings), now)
    station.settleSessions(now)
    // The end is a fact: nobody is asked about it.
    station.answer(id, tag == nil ? .object([JSON.Member]()) : ["idTagInfo": TagInfo(.accepted).v16])
  }

  private mutating func ask(
    _ tag: String, connector: Int?, _ occasion: TagQuestion.Occasion, _ id: String, _ payload: JSON, session: String?, _ now: Moment
  ) {
    let known = station.ask(tag, connector: connector, occasion, callID: id, payload: payload, session: session, now)
    if let known { reply(known, TagInfo(.accepted), now) }
  }

  private mutating func reply(_ waiting: Station.Waiting, _ info: TagInfo, _ now: Moment) {
    var payload = waiting.payload
    payload["idTagInfo"] = info.v16
    station.answer(waiting.callID, payload)
  }
}

// MARK: Commands

extension CentralSystem16 {
  package mutating func command(_ command: Command, ticket: UInt64, _ now: Moment) -> [Effect] {
    if station.parks(command, ticket: ticket) {
      askAbilities()
    } else {
      perform(command, ticket: ticket, now)
    }
    return finish(now)
  }

  private mutating func perform(_ command: Command, ticket: UInt64, _ now: Moment) {
    switch command {
    case .limit(let limit, let connector, let until): station.limit(limit, place: connector, until: until, ticket: ticket, now)
    case .release(let connector): station.release(connector, ticket: ticket, now)
    case .registration(let status):
      station.registration.policy = status
      if station.isConnected, station.registration.status != status { trigger("BootNotification", nil, .learn) }
      station.end(ticket, .done(["status": .string(status.rawValue)]))
    case .tags(let list): station.send("GetLocalListVersion", .object([JSON.Member]()), .listVersion(ticket, list), ticket)
    default:
      switch request(command, now) {
      case .success(let (action, payload)): station.send(action, payload, .command(ticket, command), ticket)
      case .failure(let refusal): station.end(ticket, refusal.outcome)
      }
    }
  }

  private mutating func request(_ command: Command, _ now: Moment) -> Result<(String, JSON), Refusal> {
    func connector(_ number: Int?) -> JSON? { number.map { .integer(Int64($0)) } }
    switch command {
    case .call(let action, let payload):
      if let refusal = station.refusal(action, payload) { return .failure(refusal) }
      if action == "TriggerMessage" || action == "ExtendedTriggerMessage", let message = payload["requestedMessage"]?.string {
        station.registration.trigger(message == "SignChargePointCertificate" ? "SignCertificate" : message)
      }
      return .success((action, payload))
    case .start(let number, let tag):
      guard (1...20).contains(tag.unicodeScalars.count) else { return .failure(Refusal(text: "a tag has 1 to 20 characters")) }
      station.expect(tag, now)
      return .success(("RemoteStartTransaction", .object(["connectorId": connector(number), "idTag": .string(tag)])))
    case .stop(let number, let session):
      guard let running = station.running(number, session), let id = Int64(running.id) else {
        return .failure(Refusal(text: "no session is running there", isOfState: true))
      }
      return .success(("RemoteStopTransaction", ["transactionId": .integer(id)]))
    case .unlock(let number): return .success(("UnlockConnector", ["connectorId": .integer(Int64(number))]))
    case .reset(let isHard): return .success(("Reset", ["type": isHard ? "Hard" : "Soft"]))
    case .enable(let isEnabled, let number):
      return .success((
        "ChangeAvailability", ["connectorId": .integer(Int64(number)), "type": isEnabled ? "Operative" : "Inoperative"]
      ))
    case .trigger(let message, let number):
      let payload: JSON = .object(["requestedMessage": .string(message), "connectorId": connector(number)])
      return request(.call(action: "TriggerMessage", payload: payload), now)
    case .password(let password):
      // Written as hexadecimal digits (security whitepaper, AuthorizationKey), where 20 bytes are the most.
      guard (16...20).contains(password.utf8.count) else { return .failure(Refusal(text: "a password has 16 to 20 characters in OCPP 1.6")) }
      let digits = password.utf8.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
      return .success(("ChangeConfiguration", ["key": "AuthorizationKey", "value": .string(digits)]))
    case .certificate(let chain, _):
      if let refusal = station.refusal(chain) { return .failure(refusal) }
      return .success(("CertificateSigned", ["certificateChain": .string(chain.text)]))
    case .network: return .failure(Refusal(text: "OCPP 1.6 has no network profiles", isOfState: true))
    case .limit, .release, .tags, .registration: return .failure(Refusal(text: "not a request"))
    }
  }
}

// MARK: Answers of the charger

extension CentralSystem16 {
  private mutating func answered(_ call: CallQueue<Station.Purpose>.Call, _ payload: JSON, _ now: Moment) {
    let status = payload["status"]?.string ?? "Accepted"
    switch call.purpose {
    case .command(let ticket, let command): station.end(ticket, Outcome(status, payload, of: command))
    case .limit(let ticket, let step): station.limitAnswered(step, ticket, status: status, text: "", now)
    case .verifyLimit(let ticket, let step):
      station.limitVerified(
        step, ticket, schedule: payload["chargingSchedule"].flatMap { CompositeSchedule($0) }, isUnsupported: false, now)
    // A profile that is unknown there is cleared too.
    case .clearLimit(let ticket, _): station.end(ticket, .done(payload))
    case .listVersion(let ticket, let list): station.sendList(list, version: payload["listVersion"]?.integer ?? -1, ticket)
    case .list(let ticket, let list, let rest, let full): station.listAnswered(list, rest, isFull: full, status: status, ticket)
    case .abilities: learn(payload)
    case .parts, .vehicle, .learn: break
    }
  }

  private mutating func learn(_ payload: JSON) {
    for item in payload["configurationKey"]?.array ?? [] {
      if let key = item["key"]?.string, let value = item["value"]?.string { station.variables.learn16(key: key, value: value) }
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
