// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// What the host and its operators want of a charger.
extension CentralSystem201 {
  package mutating func command(_ command: Command, ticket: UInt64, _ now: Moment) -> [Effect] {
    if station.parks(command, ticket: ticket) {
      askAbilities()
    } else {
      perform(command, ticket: ticket, now)
    }
    return finish(now)
  }

  mutating func perform(_ command: Command, ticket: UInt64, _ now: Moment) {
    switch command {
    case .limit(let limit, let connector, let until): station.limit(limit, place: connector, until: until, ticket: ticket, now)
    case .release(let connector): station.release(connector, ticket: ticket, now)
    case .registration(let status):
      station.registration.policy = status
      if station.isConnected, station.registration.status != status { trigger("BootNotification", nil) }
      station.end(ticket, .done(["status": .string(status.rawValue)]))
    case .tags(let list): station.send("GetLocalListVersion", Self.empty, .listVersion(ticket, list), ticket)
    default:
      switch request(command, now) {
      case .success(let (action, payload)): send(action, payload, command, ticket)
      case .failure(let refusal): station.end(ticket, refusal.outcome)
      }
    }
  }

  /// Lists that the charger takes in parts only (2.0.1 part 2, B05.FR.11 and B06.FR.05) are sent in parts, and the answers put together.
  private static let lists: [String: (given: String, answered: String, most: DeviceVariables.Name)] = [
    "GetVariables": ("getVariableData", "getVariableResult", .itemsPerGet),
    "SetVariables": ("setVariableData", "setVariableResult", .itemsPerSet),
  ]

  private mutating func send(_ action: String, _ payload: JSON, _ command: Command, _ ticket: UInt64) {
    guard let list = Self.lists[action], let items = payload[list.given]?.array, let most = station.variables.number(list.most),
      most > 0, items.count > most
    else { return station.send(action, payload, .command(ticket, command), ticket) }
    var parts = stride(from: 0, to: items.count, by: most).map { start -> JSON in
      var part = payload
      part[list.given] = .array(Array(items[start..<min(start + most, items.count)]))
      return part
    }
    let first = parts.removeFirst()
    station.send(action, first, .parts(ticket, rest: parts, answers: []), ticket)
  }

  mutating func partAnswered(_ action: String, _ payload: JSON, _ ticket: UInt64, _ rest: [JSON], _ answers: [JSON]) {
    guard let list = Self.lists[action] else { return }
    let answers = answers + (payload[list.answered]?.array ?? [])
    guard let next = rest.first else {
      var whole = payload
      whole[list.answered] = .array(answers)
      return station.end(ticket, .done(whole))
    }
    station.send(action, next, .parts(ticket, rest: Array(rest.dropFirst()), answers: answers), ticket)
  }

  private mutating func request(_ command: Command, _ now: Moment) -> Result<(String, JSON), Refusal> {
    func evse(_ number: Int?) -> JSON? { number.flatMap { $0 > 0 ? ["id": .integer(Int64($0))] : nil } }
    switch command {
    case .call(let action, let payload):
      if let refusal = station.refusal(action, payload) { return .failure(refusal) }
      if action == "TriggerMessage", let message = payload["requestedMessage"]?.string {
        station.registration.trigger(message.hasPrefix("Sign") ? "SignCertificate" : message)
      }
      if action == "SetChargingProfile" { noteVehicleProfile(payload) }
      return .success((action, payload))
    case .start(let number, let tag):
      guard (1...36).contains(tag.unicodeScalars.count) else { return .failure(Refusal(text: "a tag has 1 to 36 characters")) }
      station.expect(tag, now)
      nextRequest += 1
      return .success((
        "RequestStartTransaction",
        .object([
          "evseId": number.map { .integer(Int64($0)) }, "remoteStartId": .integer(nextRequest),
          "idToken": ["idToken": .string(tag), "type": "Central"],
        ])
      ))
    case .stop(let number, let session):
      guard let running = station.running(number, session) else {
        return .failure(Refusal(text: "no session is running there", isOfState: true))
      }
      guard running.canBeNamed else {
        let text = "its transaction is named in more than 36 characters, which no request has room for: limit it to 0 A"
        return .failure(Refusal(text: text, isOfState: true))
      }
      return .success(("RequestStopTransaction", ["transactionId": .string(running.id)]))
    case .unlock(let number): return .success(("UnlockConnector", ["evseId": .integer(Int64(number)), "connectorId": 1]))
    case .reset(let isHard): return .success(("Reset", ["type": isHard ? "Immediate" : "OnIdle"]))
    case .enable(let isEnabled, let number):
      return .success((
        "ChangeAvailability",
        .object(["operationalStatus": isEnabled ? "Operative" : "Inoperative", "evse": evse(number)])
      ))
    case .trigger(let message, let number):
      // StatusNotification is asked of a connector, not of an EVSE (2.0.1 part 2, F06).
      let place: JSON? = message == "StatusNotification" ? number.map { ["id": .integer(Int64($0)), "connectorId": 1] } : evse(number)
      return request(.call(action: "TriggerMessage", payload: .object(["requestedMessage": .string(message), "evse": place])), now)
    case .password(let password):
      guard (16...40).contains(password.utf8.count) else { return .failure(Refusal(text: "a password has 16 to 40 characters")) }
      let variable: JSON = [
        "component": ["name": "SecurityCtrlr"], "variable": ["name": "BasicAuthPassword"], "attributeValue": .string(password),
      ]
      return .success(("SetVariables", ["setVariableData": [variable]]))
    case .certificate(let chain, let use):
      if let refusal = station.refusal(chain) { return .failure(refusal) }
      return .success((
        "CertificateSigned",
        .object(["certificateChain": .string(chain.text), "certificateType": use.map { .string($0) }])
      ))
    case .network(let profile): return request(.call(action: "SetNetworkProfile", payload: profile.json), now)
    case .limit, .release, .tags, .registration: return .failure(Refusal(text: "not a request"))
    }
  }
}
