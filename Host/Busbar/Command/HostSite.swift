// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarDiscovery
internal import BusbarLinks
internal import BusbarManagement
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports

/// What discovery needs of the other rooms.
struct HostSite: DiscoverySite {
  /// Connections that a sweep has open or opens at a time, and how long one may take, in nanoseconds.
  private static let atOnce = 32
  private static let patience: Int64 = 1_000_000_000

  let catalog: PluginCatalog
  let links: LinkManager
  let reloader: Reloader
  let registry: DeviceRegistry
  let picture: LivePicture

  func languages() async -> [SearchLanguage] {
    let templates = await reloader.current.templates.templates.values.sorted { $0.name < $1.name }
    return await catalog.manifests().flatMap(\.adapters).filter { !$0.searches.isEmpty }.map { adapter in
      let own = templates.filter { $0.adapter == adapter.id }
      let ports = Set(own.compactMap { $0.defaults.port.flatMap(UInt16.init(exactly:)) })
      return SearchLanguage(
        adapter: adapter.id, schemes: Set(adapter.searches), ports: ports.sorted(),
        documents: JSONValue.array(own.map(Self.document)).text,
        templates: Dictionary(
          own.map { ($0.name, SearchLanguage.Template(kind: $0.kind, vendor: $0.vendor ?? "")) }
        ) { first, _ in first })
    }
  }

  private static func document(_ template: Template) -> JSONValue {
    var members: [String: JSONValue] = [
      "template": .string(template.name), "kind": .string(template.kind.rawValue),
      "models": .array(template.models.map { .string($0) }), "body": template.body, "config": template.defaults.config,
    ]
    members["vendor"] = template.vendor.map { .string($0) }
    members["probe"] = template.probe
    return .object(members)
  }

  func endpointsInService() async -> Set<String> {
    var texts = Set<String>()
    for connection in await links.connections() {
      guard case .tcp(let host, let port) = connection.endpoint else { continue }
      texts.insert(endpoint(address: host, port: port))
      // A name may lead to an address of the range.
      for address in await numeric(host) { texts.insert(endpoint(address: address, port: port)) }
    }
    return texts
  }

  func devices() async -> [KnownDevice] {
    await links.links().flatMap { link in
      link.devices.map { device in
        let plan = device.memory.plan
        let id = device.memory.id
        let registered = id.flatMap { registry[$0] }
        return KnownDevice(
          id: id, name: plan.name, adapter: link.adapter, kind: plan.kind, endpoint: link.endpoint,
          config: (try? JSONValue(parsing: Array(plan.config.utf8))) ?? [:],
          serial: device.info?.serial ?? registered?.serial ?? "", answers: device.state.answers,
          isRegistered: registered != nil)
      }
    }
  }

  func endpoint(address: String, port: UInt16) -> String {
    let host = address.contains(":") ? "[\(address)]" : address
    return (try? Endpoint("tcp://\(host):\(port)"))?.text ?? "tcp://\(host):\(port)"
  }

  func knock(_ addresses: [(host: String, port: UInt16)], told: @escaping @Sendable (Int, Bool) -> Void) async {
    let stop = CallSignal()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        WorkThread.start(name: "sweep") {
          AddressSweep.knock(addresses, atOnce: Self.atOnce, patience: Self.patience, stop: stop, told: told)
          continuation.resume()
        }
      }
    } onCancel: {
      stop.set()
    }
  }

  func search(
    _ text: String, _ language: SearchLanguage, everywhere: Bool,
    told: @escaping @Sendable (Int, Int, [AdapterCandidate]) async -> Void
  ) async -> String? {
    guard let endpoint = try? Endpoint(text), let stream = PlanMaker.stream(endpoint) else {
      return "\(text) cannot be opened by this release"
    }
    if let served = await served(stream) {
      guard served.adapter == language.adapter else { return "\(text) is in service with the adapter \(served.adapter)" }
      guard served.endpoint == stream else {
        return "\(text) is in service with other settings: name it as `busbar links` shows it, \(served.text)"
      }
    }
    let plan = LinkPlan(
      id: "search", adapter: language.adapter, endpoint: stream, endpointText: text, config: "{}", devices: [])
    let failure = await links.search(plan, documents: language.documents, everywhere: everywhere) { step, result in
      await told(step, result.steps, result.candidates)
      return true
    }
    return failure.map { $0.text.isEmpty ? "the search failed" : $0.text }
  }

  /// How the link in service is written that leads to the same network address; else the endpoint as it is. A device that
  /// serves one client must not be met by a second connection because somebody wrote its name another way.
  func inService(_ endpoint: Endpoint) async -> String {
    guard endpoint.scheme == .tcp, let stream = PlanMaker.stream(endpoint) else { return endpoint.text }
    return await served(stream)?.text ?? endpoint.text
  }

  private func served(_ wanted: StreamEndpoint) async -> ServedConnection? {
    for connection in await links.connections() {
      switch (wanted, connection.endpoint) {
      case (.serial(let wanted), .serial(let other)) where wanted.path == other.path: return connection
      case (.tcp(let host, let port), .tcp(let other, let otherPort)) where port == otherPort:
        if host == other { return connection }
        if await !Set(numeric(host)).isDisjoint(with: numeric(other)) { return connection }
      default: continue
      }
    }
    return nil
  }

  private func numeric(_ host: String) async -> [String] {
    await withCheckedContinuation { continuation in
      WorkThread.start(name: "resolve") { continuation.resume(returning: AddressSweep.numeric(host)) }
    }
  }

  func trial(_ entry: JSONValue, inPlaceOf before: DeviceID?) async throws(OnboardingRefusal) -> TrialOutcome {
    let (configuration, diagnostics) = await reloader.trying(entry, inPlaceOf: before)
    let id = entry["id"]?.string ?? ""
    let place = ConfigurationLoader.registry(of: id)
    guard let configuration, let device = configuration.devices.first(where: { $0.id?.rawValue == id && $0.place == place })
    else {
      let about = diagnostics.filter { $0.place == place }
      let all = about.isEmpty ? diagnostics.filter { $0.severity == .error } : about
      let sentences = all.map { found in
        "\(found.key): \(found.message)" + (found.expectation.map { "; expected \($0)" } ?? "")
      }
      throw OnboardingRefusal(.invalid, sentences.joined(separator: "\n"))
    }
    let (plans, problems) = PlanMaker.links(configuration)
    guard var plan = plans.first(where: { $0.id == device.link }) else {
      throw OnboardingRefusal(.invalid, problems.joined(separator: "\n"))
    }
    plan.devices.removeAll { $0.key != device.key }
    // Who connects by itself cannot be asked; it is let in as soon as it comes again.
    if case .visitor = plan.endpoint { return TrialOutcome(serial: "", good: 0, bad: 0) }
    switch await links.trial(plan) {
    case .failure(let failure):
      let text = failure.text.isEmpty ? "it does not answer" : failure.text
      throw OnboardingRefusal(.failed, "the device was read once and is not taken into service: \(text)")
    case .success(let reading):
      let good = reading.items.count { $0.value != nil }
      guard good > 0 else {
        throw OnboardingRefusal(
          .failed, "the device was read once and is not taken into service: it answers and none of its \(reading.items.count) "
            + "points has a value; is the template the right one?")
      }
      return TrialOutcome(serial: reading.identity.serial, good: good, bad: reading.items.count - good)
    }
  }

  func apply() async throws(OnboardingRefusal) {
    do throws(OperationError) {
      try await reloader.registryChanged()
    } catch {
      throw OnboardingRefusal(.failed, error.detail)
    }
  }

  func tell(_ alarm: Alarm) { picture.alarm(alarm) }
}
