// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarLinks
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSecurity
internal import BusbarTransports

/// Translates between rooms: manifests for the configuration, configuration for the links.
enum PlanMaker {
  static func adapters(_ manifests: [PluginManifest]) -> [AdapterManifest] {
    manifests.flatMap { plugin in
      plugin.adapters.map { adapter in
        AdapterManifest(
          id: adapter.id, plugin: plugin.id, endpoints: adapter.endpoints, ports: adapter.ports, deviceSchema: adapter.deviceSchema,
          linkSchema: adapter.linkSchema, templateSchema: adapter.templateSchema, probeSchema: adapter.probeSchema)
      }
    }
  }

  /// The plans of all links that have devices. An endpoint that no transport of this release opens is a sentence.
  static func links(_ configuration: Configuration) -> (plans: [LinkPlan], problems: [String]) {
    var plans: [LinkPlan] = []
    var problems: [String] = []
    for link in configuration.links where !link.devices.isEmpty {
      guard let endpoint = stream(link.endpoint, link.tls, IdentityStore(configuration)) else {
        problems.append("link \(link.id): \(link.endpoint.text) cannot be opened by this release; it opens tcp://, tls://, serial:// and listener:")
        continue
      }
      plans.append(
        LinkPlan(
          id: link.id, adapter: link.adapter, endpoint: endpoint, endpointText: link.endpoint.text,
          config: link.config.text, devices: link.devices.map { device($0, configuration) }))
    }
    return (plans, problems)
  }

  static func listeners(_ configuration: Configuration) -> [ListenerPlan] {
    let identity = IdentityStore(configuration)
    return configuration.listeners.sorted { $0.key < $1.key }.map { name, listener in
      let tls: ListenerPlan.TLS? =
        listener.tls == .off
        ? nil
        : ListenerPlan.TLS(
          certificate: listener.certificate.path(host: identity.certificate) ?? "", key: listener.key.path(host: identity.key) ?? "",
          second: listener.second.map { .init(certificate: $0.certificate, key: $0.key) },
          clients: [listener.clients, listener.authority?.certificate(configuration)].compactMap { $0 })
      let login: ListenerPlan.Login =
        switch listener.login {
        case .none: .none
        case .password: .password
        case .certificate: .certificate
        }
      var limits = WebSocketLimits()
      limits.message = Int(listener.message)
      limits.silence = listener.silence
      return ListenerPlan(
        name: name, host: listener.listen.host, port: listener.listen.port, tls: tls, login: login,
        subprotocols: listener.subprotocols, limits: limits)
    }
  }

  static func stream(
    _ endpoint: Endpoint, _ tls: Configuration.DeviceTLS = Configuration.DeviceTLS(), _ identity: IdentityStore? = nil
  ) -> StreamEndpoint? {
    switch endpoint.scheme {
    case .tcp:
      guard let port = endpoint.port.flatMap(UInt16.init(exactly:)) else { return nil }
      return .tcp(host: endpoint.host, port: port)
    case .tls:
      guard let port = endpoint.port.flatMap(UInt16.init(exactly:)) else { return nil }
      let settings = TLSSettings(
        ca: tls.ca, certificate: tls.certificate?.path(host: identity?.certificate), key: tls.key?.path(host: identity?.key),
        name: tls.name, fingerprint: tls.fingerprint)
      return .tls(host: endpoint.host, port: port, settings)
    case .serial:
      let line = endpoint.serial ?? Endpoint.Serial()
      let parity: StreamEndpoint.SerialLine.Parity =
        switch line.parity {
        case .none: .none
        case .even: .even
        case .odd: .odd
        }
      return .serial(
        .init(path: endpoint.path, baud: UInt32(line.baud), dataBits: line.bits, parity: parity, stopBits: line.stop))
    case .listener:
      return endpoint.visitor.map { .visitor(.init(listener: $0.listener, identity: $0.identity)) }
    case .ws, .wss, .http, .https, .mqtt: return nil
    }
  }

  private static func device(_ device: Device, _ configuration: Configuration) -> DevicePlan {
    let template = device.template.flatMap { configuration.templates[$0] }
    return DevicePlan(
      id: device.id, key: device.key, name: device.name, kind: template?.kind ?? kind(device.id), template: device.template,
      vendor: template?.vendor, model: template.flatMap { $0.models.count == 1 ? $0.models.first : nil }, config: device.config.text,
      templateBody: template?.bodyText ?? "",
      poll: PollPlan(period: device.poll.period ?? Poll.fallback, points: device.poll.points), writable: device.write)
  }

  /// Without a template the id's prefix tells the kind (interfaces 4).
  private static func kind(_ id: DeviceID?) -> DeviceKind {
    let prefix = id?.rawValue.split(separator: "_").first.map(String.init)
    return DeviceKind.allCases.first { $0.prefix == prefix } ?? .load
  }
}
