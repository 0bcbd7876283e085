// SPDX-License-Identifier: Apache-2.0

internal import BusbarDiscovery
internal import BusbarManagement
internal import BusbarModel
internal import BusbarSystem

/// What `gateways/{id}/commands` can ask of the host itself.
struct GatewayActions: Sendable {
  enum Name: String, CaseIterable {
    case discover, approve, forget, reload
    case restartPlugin = "restart-plugin"
    case setConfig = "set-config"

    /// Who changes which devices there are is an installer; who changes the host, an administrator.
    var role: Role {
      switch self {
      case .discover, .approve, .forget, .reload, .restartPlugin: .installer
      case .setConfig: .administrator
      }
    }
  }

  let discovery: DiscoveryDesk
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
        _ = try await reload()
        return response(.done)
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
    } catch {
      return response(.failed, nil, "\(error)")
    }
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
