// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarDiscovery
internal import BusbarLinks
internal import BusbarModel
internal import BusbarUplink

/// Discovery and the registry for those who ask: API, uplink, interval.
struct DiscoveryDesk: Sendable {
  let discoverer: Discoverer
  let onboarding: Onboarding
  let site: HostSite
  let links: LinkManager

  /// Begins a search. Without targets: the configured ranges, and serial lines in service, whose devices lose no poll.
  /// Connections of the network in service are searched where they are named.
  func start(_ targets: [String]) async throws(OnboardingRefusal) -> Int {
    guard targets.isEmpty else { return try await discoverer.start(try await places(targets)) }
    let ranges = await site.reloader.current.discovery.scan.map { subnet in
      SearchPlace.range(name: subnet.description, addresses: subnet.addresses, port: nil)
    }
    let lines = await links.links().map(\.endpoint).filter { $0.hasPrefix("serial://") }
    return try await discoverer.start(ranges + lines.map { .endpoint(text: $0, scheme: "serial") })
  }

  private func places(_ targets: [String]) async throws(OnboardingRefusal) -> [SearchPlace] {
    var places: [SearchPlace] = []
    for text in targets {
      let target: SearchTarget
      do throws(ValueError) {
        target = try SearchTarget(text)
      } catch {
        throw OnboardingRefusal(.invalid, "\(text.prefix(256)): \(error)")
      }
      switch target {
      case .range(let subnet, let port):
        places.append(
          .range(name: target.text, addresses: subnet.addresses, port: port.flatMap(UInt16.init(exactly:))))
      case .endpoint(let endpoint):
        let ports = await site.languages().flatMap(\.ports).map { Int($0) }
        let all = endpoint.scheme == .tcp && endpoint.port == nil ? Set(ports).sorted().map { endpoint.filled(port: $0) } : [endpoint]
        for endpoint in all {
          places.append(.endpoint(text: await site.inService(endpoint), scheme: endpoint.scheme.rawValue))
        }
      }
    }
    return places
  }

  func json() async -> JSONValue {
    ["search": await discoverer.status?.json ?? .null, "candidates": .array(await candidates())]
  }

  private func candidates() async -> [JSONValue] {
    await discoverer.candidates().map { found, standing in
      var members = found.members
      members["state"] = .string(standing.name)
      members["device"] = standing.device.map { .string($0.id?.rawValue ?? $0.name) } ?? .null
      members["note"] = standing.note(found).map { .string($0) } ?? .null
      return .object(members)
    }
  }

  /// For `gateways/{id}/devices`: what is not in service.
  func discovered() async -> [DiscoveredDevice] {
    await discoverer.candidates().compactMap { found, standing in
      if case .known = standing { return nil }
      func text(_ text: String) -> String? { text.isEmpty ? nil : text }
      return DiscoveredDevice(
        candidate: found.id, adapter: found.adapter, endpoint: found.endpoint, vendor: text(found.vendor),
        model: text(found.model), serial: text(found.serial), confidence: found.confidence, suggestedID: found.suggestedID)
    }
  }

  func forget(candidate id: String) async throws(OnboardingRefusal) {
    guard await discoverer.forget(id) else { throw OnboardingRefusal(.unknown, "there is no candidate \(id)") }
  }
}
