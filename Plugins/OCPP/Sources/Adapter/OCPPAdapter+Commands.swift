// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
public import PluginKit

extension OCPPAdapter {
  public func command(
    _ command: PluginKit.Command, on charger: Charger, _ call: borrowing Call
  ) throws(AdapterError) -> PluginKit.Outcome {
    let now = Moment.now
    let wish = try wish(command, charger, now)
    // What boots are answered with can be decided before the charger comes.
    if case .registration(let status)? = wish.command, peer == nil || charger.central == nil {
      if !command.dryRun { charger.hold(status, now) }
      return .done(nil)
    }
    guard peer != nil, charger.central != nil else { throw AdapterError(.transient, "the charger is not connected") }
    if command.dryRun {
      if case .call(let action, let payload)? = wish.command, let refusal = charger.central?.refusal(action, payload) {
        throw .invalid(refusal.text)
      }
      return .done(nil)
    }
    guard BootClock.now < command.validUntil else { throw AdapterError(.device, "its time is over") }
    if wish.kind == .action {
      if let outcome = charger.commands.outcome(of: command.key) { return outcome }
      guard !charger.commands.isUnderWay(command.key) else { throw AdapterError(.device, "the same command is under way") }
    }
    if let limit = wish.limit {
      charger.wishes.set(limit.value, of: limit.quantity, place: limit.place, isSafe: command.isSafe, now)
    }
    let ticket = charger.commands.add(CommandDesk.Entry(token: call.token, key: command.key, kind: wish.kind))
    // What ends at once is the answer of this call, not one that comes later.
    charger.commands.current = ticket
    perform(charger.central?.command(wish.request(charger, now), ticket: ticket, now) ?? [], charger, call)
    charger.commands.current = nil
    guard let ended = charger.commands.takeImmediate() else { return .pending }
    return try ended.get()
  }

  /// How a command ended, in the host's words: an answer, an outcome or a failure.
  func ended(_ ticket: UInt64, _ outcome: OCPPCodec.Outcome, _ charger: Charger) {
    guard let entry = charger.commands.take(ticket) else { return }
    let ended = CommandEnd(outcome, entry.kind)
    if case .outcome(let outcome, _) = ended {
      if entry.kind == .action, entry.token != nil { charger.commands.remember(entry.key, outcome) }
      if ended.tookEffect { show(entry.kind, charger) }
    }
    guard let token = entry.token else { return }
    if charger.commands.current == ticket {
      charger.commands.immediate = ended
      return
    }
    switch ended {
    case .outcome(let outcome, let answer): link.complete(token, outcome, answer: answer)
    case .failure(let error): link.fail(token, error)
    }
  }

  /// What was set is what stands.
  private func show(_ kind: CommandDesk.Kind, _ charger: Charger) {
    let (name, value): (String, PointValue.Value)
    switch kind {
    case .action: return
    case .number(let point, let number): (name, value) = (point, .number(number))
    // The charger's own word about it is its status, which follows.
    case .flag: return
    }
    charger.points.keep(value, of: name)
    if let entry = charger.points[name] { emit([(entry, value)], time: 0) }
  }
}

/// A command in the words of the conversation.
struct Wish {
  var kind: CommandDesk.Kind
  var limit: (value: Double, quantity: LimitWishes.Quantity, place: Int)?
  var command: OCPPCodec.Command?

  /// Both limits of a place are one profile.
  func request(_ charger: Charger, _ now: Moment) -> OCPPCodec.Command {
    if let command { return command }
    let place = limit?.place ?? 0
    let (limit, until) = charger.wishes.limit(of: place, now)
    return .limit(limit, connector: place, until: until)
  }
}

extension OCPPAdapter {
  private func wish(_ command: PluginKit.Command, _ charger: Charger, _ now: Moment) throws(AdapterError) -> Wish {
    switch command.verb {
    case .action(let name, let arguments): return Wish(kind: .action, command: try action(name, arguments, charger))
    case .number(let id, let number):
      let (name, base, place) = try point(id, charger)
      guard number.isFinite, number >= 0 else { throw AdapterError.invalid("\(name) is 0 or more") }
      switch base {
      case "current_limit":
        guard number == 0 || number >= charger.config.leastCurrent, number <= charger.config.mostCurrent else {
          throw AdapterError.invalid(
            "\(name) is \(JSON.text(number)) A; expected 0 or \(JSON.text(charger.config.leastCurrent)) to \(JSON.text(charger.config.mostCurrent)) A")
        }
        return Wish(kind: .number(name, number), limit: (number, .current, place))
      case "power_limit": return Wish(kind: .number(name, number), limit: (number, .power, place))
      default: throw AdapterError(.unsupported, "\(name) cannot be written")
      }
    case .boolean(let id, let flag):
      let (name, base, place) = try point(id, charger)
      guard base == "enabled" else { throw AdapterError(.unsupported, "\(name) cannot be written") }
      return Wish(kind: .flag(name, flag), command: .enable(flag, connector: place))
    case .label, .text: throw AdapterError(.unsupported, "this point cannot be written")
    }
  }

  private func point(_ id: PointID, _ charger: Charger) throws(AdapterError) -> (name: String, base: String, place: Int) {
    guard let name = charger.points.name(of: id) else { throw AdapterError(.unsupported, "there is no such point") }
    let (base, connector) = PointCatalogue.split(name)
    return (name, String(base), connector)
  }

  private func action(_ name: String, _ arguments: String, _ charger: Charger) throws(AdapterError) -> OCPPCodec.Command {
    let given: JSON
    do {
      given = try JSON(parsing: Array((arguments.isEmpty ? "{}" : arguments).utf8))
    } catch {
      throw AdapterError.invalid("the arguments are no JSON object: \(error.description)")
    }
    try Self.check(given, of: name)
    let connector = try connector(given)
    // A charger with one connector needs no word about it.
    let place = connector ?? (charger.connectors < 2 ? 1 : nil)
    switch name {
    case "charge.start": return .start(connector: place, tag: try Self.text("tag", given) ?? charger.config.remoteTag)
    case "charge.stop": return .stop(connector: connector, session: try Self.text("session", given))
    case "unlock": return .unlock(connector: place ?? 1)
    case "reset":
      guard let hard = given["hard"], !hard.isNull else { return .reset(isHard: false) }
      guard let isHard = hard.boolean else { throw AdapterError.invalid("\"hard\" is \(hard.text); expected true or false") }
      return .reset(isHard: isHard)
    case "ocpp.call":
      guard let action = given["action"]?.string else {
        throw AdapterError.invalid("ocpp.call needs \"action\", the name of an OCPP request, and its \"payload\"")
      }
      var payload = given["payload"] ?? .object([JSON.Member]())
      // From a command line it is a text.
      if let text = payload.string, let parsed = try? JSON(parsing: Array(text.utf8)) { payload = parsed }
      guard payload.members != nil else { throw AdapterError.invalid("\"payload\" is \(payload.kind), not an object") }
      return .call(action: action, payload: payload)
    case "ocpp.password":
      guard let password = try Self.text("password", given), password.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
        throw AdapterError.invalid("ocpp.password needs \"password\", of characters that can be printed")
      }
      return .password(password)
    case "certificate.sign": return try certificate(given)
    case "ocpp.network": return try network(given)
    case "ocpp.boot":
      guard let status = ChargerConfig.registration(given["status"]?.string ?? "") else {
        throw AdapterError.invalid("ocpp.boot needs \"status\": accepted, pending or rejected")
      }
      return .registration(status)
    default: throw AdapterError(.unsupported, "there is no action \(name)")
    }
  }

  private func certificate(_ given: JSON) throws(AdapterError) -> OCPPCodec.Command {
    guard let pem = given["chain"]?.string else {
      throw AdapterError.invalid("certificate.sign needs \"chain\", the certificate that was asked for and what signed it, as PEM")
    }
    let use = given["use"]?.string
    guard [nil, "ChargingStationCertificate", "V2GCertificate"].contains(use) else {
      throw AdapterError.invalid("\"use\" is \(use?.cut(to: 40) ?? ""); expected ChargingStationCertificate or V2GCertificate")
    }
    do {
      return .certificate(try CertificateChain(pem: pem), use: use)
    } catch {
      throw AdapterError.invalid(error.text)
    }
  }

  private func network(_ given: JSON) throws(AdapterError) -> OCPPCodec.Command {
    // From a command line numbers may come as texts.
    func number(_ key: String) -> Int64? { given[key].flatMap { $0.integer ?? $0.string.flatMap { Int64($0) } } }
    guard let slot = number("slot"), let url = given["url"]?.string, let security = number("security") else {
      throw AdapterError.invalid("ocpp.network needs \"slot\", \"url\" and \"security\", the security profile")
    }
    do {
      return .network(
        try NetworkProfile(
          slot: slot, url: url, security: security, interface: given["interface"]?.string ?? "Wired0",
          timeout: number("timeout") ?? 30))
    } catch {
      throw AdapterError.invalid(error.text)
    }
  }

  /// Another name is a slip of the pen: it would change what is done without a word.
  private static func check(_ given: JSON, of action: String) throws(AdapterError) {
    guard let known = arguments[action], let members = given.members else { return }
    for member in members where !known.contains(member.name) {
      throw AdapterError.invalid("\(action) has no argument \"\(member.name.cut(to: 40))\"; it takes \(known.joined(separator: ", "))")
    }
  }

  private static let arguments: [String: [String]] = [
    "charge.start": ["connector", "tag"], "charge.stop": ["connector", "session"], "unlock": ["connector"], "reset": ["hard"],
    "ocpp.call": ["action", "payload"], "certificate.sign": ["chain", "use"], "ocpp.boot": ["status"],
    "ocpp.network": ["slot", "url", "security", "interface", "timeout"],
  ]

  /// A text, or a number that a command line took for one; nil where it is not given.
  private static func text(_ name: String, _ given: JSON) throws(AdapterError) -> String? {
    guard let json = given[name], !json.isNull else { return nil }
    guard let text = json.string ?? json.integer.map({ String($0) }) else {
      throw AdapterError.invalid("\"\(name)\" is \(json.kind), not a text")
    }
    return text
  }

  private func connector(_ arguments: JSON) throws(AdapterError) -> Int? {
    guard let json = arguments["connector"], !json.isNull else { return nil }
    // From a command line numbers may come as texts.
    guard let number = json.integer ?? json.string.flatMap({ Int64($0) }), (1...Int64(Connectors.most)).contains(number) else {
      throw AdapterError.invalid("\"connector\" is \(json.text); expected 1 to \(Connectors.most)")
    }
    return Int(number)
  }
}
