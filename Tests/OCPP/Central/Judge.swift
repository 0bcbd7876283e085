// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON

/// A central system that is spoken to in lists and answers in lists.
struct Judge {
  private var central: any CentralSystem = CentralSystem16(settings: ChargerSettings(), stored: [:], seed: "t")

  mutating func answer(_ items: [JSON]) -> [JSON] {
    guard let verb = items.first?.string else { return [] }
    if verb == "start" {
      start(items)
      return []
    }
    guard items.count >= 3, let boot = items[1].integer, let unix = items[2].integer else { return [] }
    let now = Moment(boot: boot, unix: unix)
    let effects: [Effect]
    switch verb {
    case "connected": effects = central.connected(now)
    case "disconnected": effects = central.disconnected(now)
    case "tick": effects = central.tick(now)
    case "received" where items.count > 3: effects = central.received(Array((items[3].string ?? "").utf8), now)
    case "authorized" where items.count > 4:
      let status = items[4].string.flatMap { TagInfo.Status(rawValue: $0) } ?? .invalid
      effects = central.authorized(ticket: UInt64(items[3].integer ?? 0), TagInfo(status), now)
    case "command" where items.count > 4:
      guard let command = command(items[4]) else { return [["note", "no such command"]] }
      effects = central.command(command, ticket: UInt64(items[3].integer ?? 0), now)
    default: effects = []
    }
    return effects.map(describe) + [["wake", central.wake.map { .integer($0) } ?? .null]]
  }

  private mutating func start(_ items: [JSON]) {
    var settings = ChargerSettings()
    settings.introduction = 0
    var stored: [String: JSON] = [:]
    for member in (items.count > 2 ? items[2].members : nil) ?? [] { stored[member.name] = member.value }
    if items.count > 3 {
      let given = items[3]
      if let interval = given["heartbeatInterval"]?.integer { settings.heartbeatInterval = interval }
      if let safe = given["safe"]?.number { settings.safe = Limit(current: safe) }
      if let status = given["registration"]?.string.flatMap({ Registration.Status(rawValue: $0) }) { settings.registration = status }
      if let patience = given["patience"]?.integer { settings.patience = patience }
      if let interval = given["sessionInterval"]?.integer { settings.sessionInterval = interval }
    }
    let seed = items.count > 4 ? items[4].string ?? "t" : "t"
    central =
      items.count > 1 && items[1].string == OCPPVersion.v201.rawValue
      ? CentralSystem201(settings: settings, stored: stored, seed: seed) : CentralSystem16(settings: settings, stored: stored, seed: seed)
  }
}

private func command(_ json: JSON) -> Command? {
  let connector = json["connector"]?.integer.map { Int($0) }
  switch json["do"]?.string {
  case "call": return .call(action: json["action"]?.string ?? "", payload: json["payload"] ?? [:])
  case "start": return .start(connector: connector, tag: json["tag"]?.string ?? "")
  case "stop": return .stop(connector: connector)
  case "unlock": return .unlock(connector: connector ?? 1)
  case "reset": return .reset(isHard: json["hard"]?.boolean ?? false)
  case "enable": return .enable(json["on"]?.boolean ?? true, connector: connector ?? 0)
  case "trigger": return .trigger(json["message"]?.string ?? "", connector: connector)
  case "release": return .release(connector: connector ?? 0)
  case "limit":
    return .limit(
      Limit(current: json["current"]?.number, power: json["power"]?.number), connector: connector ?? 0, until: json["until"]?.integer)
  case "tags":
    let entries = (json["tags"]?.array ?? []).compactMap(\.string).map { TagList.Entry($0, TagInfo(.accepted)) }
    return .tags(TagList(version: json["version"]?.integer ?? 1, entries))
  case "registration": return json["status"]?.string.flatMap { Registration.Status(rawValue: $0) }.map { .registration($0) }
  default: return nil
  }
}

private func describe(_ effect: Effect) -> JSON {
  switch effect {
  case .send(let text): ["send", .string(text)]
  case .points(let points, let time):
    [
      "points",
      .object(
        points.map { point in
          switch point.value {
          case .number(let value): JSON.Member(point.name, .number(value))
          case .text(let text): JSON.Member(point.name, .string(text))
          case .flag(let flag): JSON.Member(point.name, .boolean(flag))
          }
        }), .integer(time),
    ]
  case .session(let document): ["session", document]
  case .event(let kind, let content): ["event", .string(kind), content]
  case .identity(let identity):
    ["identity", ["vendor": .string(identity.vendor), "model": .string(identity.model), "serial": .string(identity.serial)]]
  case .authorize(let question): ["authorize", .integer(Int64(question.ticket)), .string(question.tag)]
  case .store(let key, let value): ["store", .string(key), value ?? .null]
  case .outcome(let ticket, let outcome): ["outcome", .integer(Int64(ticket)), describe(outcome)]
  case .alarm(let name, let isActive, let text): ["alarm", .string(name), .boolean(isActive), .string(text)]
  case .note(let text): ["note", .string(text)]
  case .close(let text): ["close", .string(text)]
  }
}

private func describe(_ outcome: Outcome) -> JSON {
  switch outcome {
  case .done(let answer): ["done", answer]
  case .accepted(let answer): ["accepted", answer]
  case .refused(let text): ["refused", .string(text)]
  case .invalid(let text): ["invalid", .string(text)]
  case .failed(let text): ["failed", .string(text)]
  case .unknown(let text): ["unknown", .string(text)]
  }
}
