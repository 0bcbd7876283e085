// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarControl
internal import BusbarDiscovery
internal import BusbarLinks
internal import BusbarManagement
internal import BusbarModel
internal import BusbarSecurity
internal import BusbarSystem

/// What `gateways/{id}/commands` can ask of the host itself.
struct GatewayActions: Sendable {
  enum Name: String, CaseIterable {
    case discover, approve, forget, reload
    case setLogin = "set-login"
    case removeLogin = "remove-login"
    case rotateLogin = "rotate-login"
    case listTags = "list-tags"
    case setTag = "set-tag"
    case removeTag = "remove-tag"
    case restartPlugin = "restart-plugin"
    case setConfig = "set-config"

    /// Who changes which devices there are is an installer; who changes the host, an administrator.
    var role: Role {
      switch self {
      case .discover, .approve, .forget, .reload, .restartPlugin, .setLogin, .removeLogin, .rotateLogin: .installer
      // Who may charge is the business of whoever runs the place from day to day.
      case .listTags, .setTag, .removeTag: .operator_
      case .setConfig: .administrator
      }
    }
  }

  let discovery: DiscoveryDesk
  let desk: ListenerDesk
  let arbiter: Arbiter
  let tags: TagDesk
  let reload: @Sendable () async throws(OperationError) -> JSONValue
  let restart: @Sendable (String) async throws(OperationError) -> JSONValue

  /// `early` is told that a search has begun; the answer comes at its end.
  func carryOut(
    _ action: Name, _ request: JSONValue, id: String, early: @Sendable (CommandResponse) -> Void
  ) async -> CommandResponse {
    func response(
      _ status: CommandResponse.Status, value: Value? = nil, _ reason: RefusalReason? = nil, _ text: String? = nil
    ) -> CommandResponse {
      CommandResponse(
        id: id, time: Clock.unixMilliseconds(), status: status, value: value, reason: reason, text: text)
    }
    do {
      switch action {
      case .reload:
        let problems = try await reload()["problems"]?.array?.compactMap(\.string) ?? []
        return response(.done, value: nil, nil, problems.isEmpty ? nil : problems.joined(separator: "; "))
      case .discover:
        _ = try await discovery.start(try Self.endpoints(request))
        early(response(.accepted))
        let progress = await discovery.discoverer.wait()
        let problems = progress?.problems ?? []
        return response(
          .done, value: .integer(Int64(progress?.found ?? 0)), nil,
          problems.isEmpty ? nil : problems.prefix(8).joined(separator: "; "))
      case .approve:
        let wanted = try OnboardingRequest(
          request, id: "device", beside: ["id", "ts", "action", "valid_for", "owner"])
        let device = try await discovery.onboarding.add(wanted)
        return response(.done, value: .text(device.rawValue))
      case .forget:
        if let candidate = request["candidate"]?.string {
          try await discovery.forget(candidate: candidate)
        } else if let device = request["device"]?.string.flatMap(DeviceID.init(rawValue:)) {
          try await discovery.onboarding.remove(device)
        } else {
          return response(.refused, .invalid, "'device' or 'candidate' is missing")
        }
        return response(.done)
      case .setLogin:
        let password = request["password"]?.string
        let profile = request["profile"]?.integer.flatMap { (0...3).contains($0) ? Int($0) : nil }
        guard password != nil || profile != nil, request["profile"] == nil || profile != nil else {
          return response(.refused, .invalid, "set-login needs 'password', a text, or 'profile', a number from 0 to 3")
        }
        try await desk.set(try await visitor(request), password: password.map { Array($0.utf8) }, profile: profile)
        return response(.done)
      case .rotateLogin:
        let visitor = try await visitor(request)
        guard let device = request["device"]?.string.flatMap(DeviceID.init(rawValue:)),
          let action = await discovery.links.describe(device)?.actions.first(where: { $0.hasSuffix(".password") })
        else { return response(.refused, .unsupported, "the device takes no new password over its connection: use set-login, and set it there") }
        var told = try await desk.rotate(visitor) { password in
          var order = CommandRequest(
            id: "rotate-\(Clock.unix())", device: device, verb: .action(name: action, arguments: ["password": .string(password)]),
            time: Clock.unixMilliseconds(), owner: "busbar", role: .installer)
          order.isOwn = true
          return await arbiter.submit(order)
        }
        told.id = id
        return told
      case .listTags: return response(.done, value: .text(await tags.list.text))
      case .setTag:
        guard let tag = Tag(json: request), tag.verdict != .undecided else {
          return response(
            .refused, .invalid, "set-tag needs 'tag' of 1 to \(Tag.longest) bytes; 'verdict' is accepted, blocked, expired or unknown, "
              + "'group' a text, 'expires' Unix milliseconds")
        }
        try await tags.set(tag)
        return response(.done)
      case .removeTag:
        guard let tag = request["tag"]?.string else { return response(.refused, .invalid, "'tag' is missing") }
        return try await tags.remove(tag) ? response(.done) : response(.refused, .invalid, "the list has no tag \(tag.prefix(64))")
      case .removeLogin:
        try desk.remove(try await visitor(request))
        return response(.done)
      case .restartPlugin:
        guard let plugin = request["plugin"]?.string else {
          return response(.refused, .invalid, "restart-plugin needs 'plugin', the plugin's id")
        }
        _ = try await restart(plugin)
        return response(.done)
      case .setConfig:
        return response(.refused, .unsupported, "the configuration is a file of the person's: change it there, and reload")
      }
    } catch let refusal as OnboardingRefusal {
      switch refusal.kind {
      case .invalid, .conflict: return response(.refused, .invalid, refusal.text)
      case .unknown: return response(.refused, .unknownDevice, refusal.text)
      case .failed: return response(.failed, nil, refusal.text)
      }
    } catch let error as OperationError {
      return response(.failed, nil, error.detail)
    } catch let error as SecurityError {
      return response(.refused, .invalid, error.description)
    } catch {
      return response(.failed, nil, "\(error)")
    }
  }

  /// Whom a login is for: a device that connects by itself, a candidate, or an endpoint `listener:NAME/IDENTITY`.
  private func visitor(_ request: JSONValue) async throws(OnboardingRefusal) -> Endpoint.Visitor {
    guard let name = request["device"]?.string else { throw OnboardingRefusal(.invalid, "'device' is missing") }
    let configuration = await discovery.site.reloader.current
    let link = configuration.links.first { $0.devices.contains { $0.id?.rawValue == name } }
    let candidate = await discovery.discoverer.candidate(name)?.endpoint
    let endpoint = link?.endpoint ?? (try? Endpoint(candidate ?? name))
    // A device whose id was made of its serial number stands under none in the configuration.
    var bound: Endpoint?
    if endpoint == nil, let id = DeviceID(rawValue: name), let visitor = await discovery.links.visitor(id) {
      bound = try? Endpoint(VisitorName.endpoint(visitor.listener, visitor.identity))
    }
    guard let visitor = (endpoint ?? bound)?.visitor else {
      guard link == nil else { throw OnboardingRefusal(.invalid, "\(name.prefix(64)) does not connect by itself; the host connects to it") }
      throw OnboardingRefusal(.unknown, "there is no device \(name.prefix(64)); `busbar devices` lists them")
    }
    guard configuration.listeners[visitor.listener] != nil else {
      throw OnboardingRefusal(.unknown, "there is no listener \(visitor.listener)")
    }
    return visitor
  }

  private static func endpoints(_ request: JSONValue) throws(OnboardingRefusal) -> [String] {
    guard let member = request["endpoints"], member != .null else { return [] }
    let texts = member.array?.compactMap(\.string) ?? []
    guard texts.count == member.array?.count, texts.count <= 64 else {
      throw OnboardingRefusal(.invalid, "'endpoints' has to be a list of at most 64 texts")
    }
    return texts
  }
}
