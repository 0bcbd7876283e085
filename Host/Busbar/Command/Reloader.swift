// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarConfiguration
import BusbarControl
import BusbarDiscovery
import BusbarHistory
import BusbarLinks
import BusbarManagement
import BusbarModel
import BusbarPlugins
import BusbarSecurity
import Logging

/// Applies a changed file to the running host: links, devices, limits of the buffer and the log's level at once, what did
/// not change keeps running; the rest counts from the next start and is named.
actor Reloader {
  private let file: String
  /// With which the host started: what it lacks until a restart is found by comparing with it.
  private let started: Configuration
  private var configuration: Configuration
  /// What `configuration` was made of.
  private var sources: SourceFiles
  private let catalog: PluginCatalog
  private let runners: PluginRunners
  private let links: LinkManager
  private let hub: ListenerHub
  private let desk: ListenerDesk
  private let certificates: CertificateDesk
  private let certificateWatch: CertificateWatch
  private let tags: TagDesk
  private let office: HostOffice
  private let arbiter: Arbiter
  private let outbox: Outbox
  private let history: History
  private let picture: LivePicture
  private let registry: DeviceRegistry
  private let logger: Logger
  private var toldShutOut: [String] = []
  /// The last change: one waits for the one before it.
  private var applying: Task<Outcome, Never>?

  private typealias Outcome = Result<ConfigurationDiff, OperationError>

  init(
    file: String, setup: Setup, runners: PluginRunners, links: LinkManager, hub: ListenerHub, desk: ListenerDesk,
    certificates: CertificateDesk, certificateWatch: CertificateWatch, tags: TagDesk,
    office: HostOffice, arbiter: Arbiter, outbox: Outbox, history: History, picture: LivePicture, registry: DeviceRegistry, logger: Logger
  ) {
    self.file = file
    started = setup.configuration
    configuration = setup.configuration
    sources = setup.sources
    catalog = setup.catalog
    self.runners = runners
    self.links = links
    self.hub = hub
    self.desk = desk
    self.certificates = certificates
    self.certificateWatch = certificateWatch
    self.tags = tags
    self.office = office
    self.arbiter = arbiter
    self.outbox = outbox
    self.history = history
    self.picture = picture
    self.registry = registry
    self.logger = logger
  }

  /// As it was applied last.
  var current: Configuration { configuration }

  /// A plugin came, went or was replaced: its schemas fill in the settings of devices that waited for it, and links
  /// without a plugin try again. The file counts as it was applied last; who edits it meanwhile reloads it.
  func pluginsChanged() async {
    if case .failure(let error) = await inOrder({ await self.take(self.sources) }) {
      logger.warning(
        "the configuration does not suit a plugin that changed", metadata: ["reason": "\(error.detail)"])
    }
    await links.pluginsChanged()
  }

  /// A device came into the registry, changed there or left it. The file counts as it was applied last.
  func registryChanged() async throws(OperationError) {
    _ = try await inOrder { await self.take(self.sources) }.get()
  }

  /// The configuration that is applied, with an entry of the registry more, or another one in the place of `before`.
  func trying(_ entry: JSONValue, inPlaceOf before: DeviceID?) async -> (Configuration?, [Diagnostic]) {
    let others = registry.all.filter { $0.id != before }.map(\.entry)
    return ConfigurationLoader.load(
      file: file, manifests: PlanMaker.adapters(await catalog.manifests()), sources: sources, registry: others + [entry])
  }

  /// Throws with every mistake where the file cannot be used; the host goes on as it was.
  func reload() async throws(OperationError) -> JSONValue {
    await catalog.scan()
    // A person acts: what was in quarantine gets another go.
    await runners.release()
    let diff = try await inOrder { await self.take(SourceFiles()) }.get()
    await certificateWatch.look(configuration)
    logger.notice(
      "configuration reloaded",
      metadata: [
        "added": "\(diff.devices.added.count)", "removed": "\(diff.devices.removed.count)",
        "changed": "\(diff.devices.changed.count)", "unchanged": "\(diff.devices.unchanged.count)",
        "settings": "\(diff.settings.joined(separator: " "))",
      ])
    await links.pluginsChanged()
    for key in diff.restart { logger.warning("\(key) changed; it counts from the next start of the host") }
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return [
      "added": list(diff.devices.added), "removed": list(diff.devices.removed), "changed": list(diff.devices.changed),
      "unchanged": .integer(Int64(diff.devices.unchanged.count)), "links": list(diff.links.changed),
      "settings": list(diff.settings), "restart": list(diff.restart),
      "problems": list(hub.listeners.compactMap(\.complaint) + desk.shutOut()),
    ]
  }

  /// As the configuration says that is applied, with what the plugins speak that are there.
  func openListeners() async {
    let adapters = await catalog.manifests().flatMap(\.adapters)
    hub.speak(Dictionary(adapters.map { ($0.id, $0.subprotocols) }) { first, _ in first })
    let grants = configuration.links.compactMap { link in link.control.map { (link.id, $0) } }
    office.grant(Dictionary(grants) { first, _ in first }, arbiter)
    desk.change(configuration.listeners, adapters)
    let unable = certificates.change(configuration)
    for problem in unable { logger.error("\(problem)") }
    picture.setOwnAlarms("AuthorityFault", unable, of: .authorities)
    let shutOut = desk.shutOut()
    for problem in shutOut where !toldShutOut.contains(problem) { logger.error("\(problem)") }
    toldShutOut = shutOut
    picture.setOwnAlarms("SecurityProfileFault", shutOut, of: .profiles)
    picture.setOwnAlarms("ListenerFull", desk.full(), of: .newcomers)
    await hub.apply(PlanMaker.listeners(configuration))
  }

  private func inOrder(_ change: @escaping @Sendable () async -> Outcome) async -> Outcome {
    let task = Task { [applying] in
      _ = await applying?.value
      return await change()
    }
    applying = task
    return await task.value
  }

  /// Makes the host be as the files say. Devices that leave get their safe values while they can be reached.
  private func take(_ files: SourceFiles) async -> Outcome {
    let manifests = PlanMaker.adapters(await catalog.manifests())
    let (new, diagnostics) = ConfigurationLoader.load(
      file: file, manifests: manifests, sources: files, registry: registry.all.map(\.entry))
    guard let new else { return .failure(Self.mistakes(diagnostics.map(\.description))) }
    let (plans, problems) = PlanMaker.links(new)
    let all = CredentialCheck.problems(new) + problems.map { "\(file): \($0)" }
    guard all.isEmpty else { return .failure(Self.mistakes(all)) }
    do throws(SecurityError) {
      if new.usesHostIdentity { _ = try IdentityStore(new).load() }
    } catch {
      return .failure(Self.mistakes([error.description]))
    }
    for diagnostic in diagnostics { logger.warning("\(diagnostic)") }
    var diff = ConfigurationDiff(from: configuration, to: new)
    // What was changed before and needs a restart still does.
    diff.restart = ConfigurationDiff(from: started, to: new).restart
    let leaving = await leaving(new)
    configuration = new
    sources = files
    outbox.limits = BufferLimits(new.buffer)
    history.limits = HistoryLimits(new.history)
    LogLevel.configured = Logger.Level(new.log.level)
    await tags.change(TagRules(new.authorization))
    await arbiter.retire(leaving)
    await links.apply(plans)
    await openListeners()
    for device in leaving {
      picture.forget(device)
      await history.forget(device)
    }
    return .success(diff)
  }

  /// The ids that nobody has any more, also those that were bound at first contact.
  private func leaving(_ new: Configuration) async -> Set<DeviceID> {
    let staying = Set(new.devices.map(\.key))
    let bound = await links.links().flatMap(\.devices).filter { !staying.contains($0.memory.plan.key) }
    let gone = configuration.devices.filter { !staying.contains($0.key) }.compactMap(\.id) + bound.compactMap(\.memory.id)
    return Set(gone).subtracting(new.devices.compactMap(\.id))
  }

  private static func mistakes(_ lines: [String]) -> OperationError {
    OperationError(status: 422, detail: lines.joined(separator: "\n"))
  }
}

extension TagRules {
  init(_ authorization: Configuration.Authorization) {
    self.init()
    source =
      switch authorization.source {
      case .local: .local
      case .uplink: .uplink
      case .both: .both
      }
    offline =
      switch authorization.offline {
      case .known: .known
      case .accept: .accept
      case .refuse: .refuse
      }
    cache = authorization.cache
    timeout = authorization.timeout
  }
}

extension BufferLimits {
  init(_ buffer: Configuration.Buffer) { self.init(size: buffer.size, age: buffer.age, commit: buffer.commit) }
}

extension HistoryLimits {
  init(_ history: Configuration.History) { self.init(size: history.size, age: history.age, commit: history.commit) }
}

extension Logger.Level {
  init(_ level: Configuration.LogLevel) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      }
  }
}
