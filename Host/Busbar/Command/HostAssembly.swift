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
import BusbarSystem
import BusbarUplink
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// All rooms, wired. Data enters by the links, is kept by the buffer and leaves by the uplink; commands come the other
/// way through the arbiter.
final class HostAssembly: Sendable {
  private let setup: Setup
  private let services: ServiceManager
  private let logger: Logger
  private let socketPath: String
  private let outbox: Outbox
  private let history: History
  private let links: LinkManager
  private let hub: ListenerHub
  private let runners: PluginRunners
  private let plugins: PluginList
  private let arbiter: Arbiter
  private let uplink: Uplink?
  private let picture: LivePicture
  private let commandCount = CommandCount()
  private let hostCommands: UplinkCommands
  private let payloads: Payloads
  private let identity: GatewayIdentity
  private let reloader: Reloader
  private let certificateWatch: CertificateWatch
  private let registry: DeviceRegistry
  private let discovery: DiscoveryDesk
  private let bufferPath: String
  private let changes: AsyncStream<Void>
  private let lostThreads: AsyncStream<Void>

  init(setup: Setup, file: String, socketPath: String, services: ServiceManager, logger: Logger) async throws {
    self.setup = setup
    self.services = services
    self.logger = logger
    self.socketPath = socketPath
    let configuration = setup.configuration
    identity = GatewayIdentity(
      version: Version.text, role: configuration.host.role.rawValue, siteName: configuration.host.site?.name,
      siteLocation: configuration.host.site?.location, since: Clock.unixMilliseconds())
    payloads = Payloads(gateway: configuration.host.id, path: HostPath(role: configuration.host.role.rawValue))

    let database = try StateDatabase(directory: configuration.host.state, logger: logger)
    let mistakes = CredentialCheck.problems(configuration)
    if !mistakes.isEmpty { throw CommandFailure(diagnostics: mistakes) }
    do throws(SecurityError) {
      if configuration.usesHostIdentity { _ = try IdentityStore(configuration).load() }
    } catch {
      throw CommandFailure(error.description)
    }
    let application = configuration.uplink?.acknowledge == .application
    outbox = try Outbox(
      database: database, encoder: payloads, limits: BufferLimits(configuration.buffer), acknowledge: application ? .application : .broker,
      marks: SequenceMarks(database: database.path), logger: logger)
    let journal = try CommandJournal(database: database)
    let store = KeyValueStore(database: database)
    registry = try DeviceRegistry(database: database)

    let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let isolation = Isolation(settings: configuration.plugins)
    runners = PluginRunners(settings: ChildSettings(configuration.plugins), logger: logger) { changed.yield() }
    plugins = PluginList(catalog: setup.catalog, runners: runners, isolation: isolation)
    history = History(
      path: "\(configuration.host.state)/history.db", limits: HistoryLimits(configuration.history), logger: logger)
    picture = LivePicture(outbox: outbox, history: history, payloads: payloads)
    let desk = try ListenerDesk(database: database, registry: registry, logger: logger)
    hub = ListenerHub(keeper: desk, logger: logger)
    let office = HostOffice(outbox: outbox, picture: picture, logger: logger)
    let tags = try TagDesk(
      rules: TagRules(configuration.authorization), store: TagStore(database: database), uplink: office, logger: logger
    ) { Task { await office.listChanged() } }
    links = LinkManager(
      connecting: Connector(catalog: setup.catalog, runners: runners, isolation: isolation, store: store, logger: logger),
      observer: picture,
      binding: StoredIdentities(store: store, logger: logger), logger: logger, host: office, hub: hub)
    arbiter = Arbiter(writer: WayInGuard(links: links, desk: desk), journal: journal, logger: logger)
    let commands = UplinkCommands(
      arbiter: arbiter, journal: journal, gateway: configuration.host.id, role: configuration.uplink?.role ?? .viewer,
      count: commandCount)
    hostCommands = commands
    uplink = try UplinkMaker.uplink(
      configuration, identity: identity, payloads: payloads, queue: outbox, handler: commands, logger: logger)
    let certificates = CertificateDesk(arbiter: arbiter, desk: desk, logger: logger)
    office.connect(certificates)
    certificateWatch = CertificateWatch(picture: picture, hub: hub, logger: logger)
    reloader = Reloader(
      file: file, setup: setup, runners: runners, links: links, hub: hub, desk: desk, certificates: certificates,
      certificateWatch: certificateWatch, tags: tags, office: office,
      arbiter: arbiter, outbox: outbox, history: history, picture: picture, registry: registry, logger: logger)
    let site = HostSite(catalog: setup.catalog, links: links, reloader: reloader, registry: registry, picture: picture)
    let discoverer = Discoverer(site: site, store: StoredCandidates(database: database, logger: logger), logger: logger)
    discovery = DiscoveryDesk(
      discoverer: discoverer,
      onboarding: Onboarding(registry: registry, discoverer: discoverer, site: site, logger: logger), site: site,
      links: links)
    await office.connect(
      tags, links, uplink: uplink, topics: Topics(prefix: configuration.uplink?.prefix ?? "", gateway: configuration.host.id))
    desk.connect(discoverer, discovery.onboarding) { [desk, picture] in
      picture.setOwnAlarms("ListenerFull", desk.full(), of: .newcomers)
    }
    commands.connect(
      discovery: discovery, desk: desk, tags: tags, reload: { [reloader] () async throws(OperationError) in try await reloader.reload() },
      restart: { [plugins, links] id async throws(OperationError) in try await plugins.restart(id, links) })

    let (lostThreads, lost) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.changes = changes
    self.lostThreads = lostThreads
    picture.connect(
      uplink: uplink, onContact: { [arbiter] device in Task { await arbiter.deviceReady(device) } },
      onChange: { changed.yield() }, onLostThreads: { lost.yield() })
    hub.connect { [hub, picture] in
      let alarms: [JSONValue] = hub.listeners.compactMap { listener in
        listener.complaint.map { ["name": "ListenerFault", "listener": .string(listener.name), "text": .string($0)] }
      }
      picture.setOwnAlarms(alarms, of: .listeners)
    }
    await discoverer.connect(onChange: { changed.yield() }) { [onboarding = discovery.onboarding] found, device in
      await onboarding.follow(found, device)
    }
    bufferPath = database.path
  }

  /// Runs until SIGTERM or SIGINT, or until too many plugin threads are lost; then everything is flushed.
  func run() async throws {
    let api = HostAPI(
      id: setup.configuration.host.id, identity: identity, payloads: payloads, links: links, hub: hub, arbiter: arbiter,
      outbox: outbox, history: history, bufferPath: bufferPath, uplink: uplink, picture: picture, plugins: plugins,
      commands: commandCount, discovery: discovery, hostCommands: hostCommands,
      reloader: { [reloader] () async throws(OperationError) in try await reloader.reload() })
    let (listening, nowListening) = AsyncStream.makeStream(of: Void.self)
    let (socketMade, nowSocketMade) = AsyncStream.makeStream(of: Void.self)
    let metrics = setup.configuration.management.metrics
    let server = ManagementServer(
      operations: api, socketPath: socketPath, logger: logger, metricsPoints: metrics.points
    ) {
      nowListening.finish()
      nowSocketMade.finish()
    }
    var servers: [any Service] = [server]
    if let listen = metrics.listen {
      servers.append(
        MetricsServer(
          operations: api, host: listen.host, port: listen.port, points: metrics.points, logger: logger, begin: socketMade
        ) { [picture] problem in
          picture.setOwnAlarms("MetricsFault", problem.map { [$0] } ?? [], of: .metrics)
        })
    }

    let serving = ServiceGroup(services: servers, gracefulShutdownSignals: [], logger: logger)

    // From here on a signal ends the host in order, also while it starts.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)

    var lost = false
    do {
      lost = try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          try await serving.run()
          return false
        }
        group.addTask {
          // A second host ends at the socket, before it touches broker or devices.
          for await _ in listening {}
          guard !Task.isCancelled else { return false }
          await self.begin()
          self.ready()
          return await self.upkeep(signals)
        }
        defer { group.cancelAll() }
        let lost = try await group.next() ?? false
        // Answers that are under way are finished; whoever watches is cut off after a moment.
        await serving.triggerGracefulShutdown()
        group.addTask {
          try? await Task.sleep(for: .milliseconds(500))
          return false
        }
        _ = try? await group.next()
        return lost
      }
    } catch {
      logger.critical("\(error)")
      await shutdown()
      throw CommandFailure("\(error)")
    }
    await shutdown()
    if lost { throw CommandFailure("plugins hang in too many threads; the service manager has to start the host again") }
  }

  private func begin() async {
    outbox.start()
    // Commands are refused before this.
    await arbiter.recover()
    await publishStatus()
    uplink?.start()
    let (plans, problems) = PlanMaker.links(setup.configuration)
    for problem in problems { logger.error("\(problem)") }
    await links.apply(plans)
    await takeRegistry()
    await reloader.openListeners()
    watchPlugins()
  }

  /// The registry was read before the database was opened, which may have had to mend it.
  private func takeRegistry() async {
    guard registry.all != setup.registry else { return }
    do throws(OperationError) {
      try await reloader.registryChanged()
    } catch {
      logger.error("devices of the registry could not be taken into service", metadata: ["reason": "\(error.detail)"])
    }
  }

  private func ready() {
    services.notify("READY=1")
    logger.notice("ready", metadata: ["socket": "\(socketPath)", "devices": "\(setup.configuration.devices.count)"])
  }

  /// Signals, status, watchdog. True where plugin threads were lost.
  private func upkeep(_ signals: UnixSignalsSequence) async -> Bool {
    await withTaskGroup(of: Bool?.self) { group in
      group.addTask {
        for await signal in signals {
          if signal == .sighup {
            do throws(OperationError) { _ = try await self.reloader.reload() } catch {
              self.logger.error("the configuration was not reloaded; the host goes on as it was")
              for line in error.detail.split(separator: "\n") { self.logger.error("\(line)") }
            }
          } else {
            self.logger.notice("stopping", metadata: ["signal": "\(signal)"])
            return false
          }
        }
        return nil
      }
      group.addTask {
        for await _ in self.lostThreads { return true }
        return nil
      }
      group.addTask {
        for await _ in self.changes {
          let start = ContinuousClock.now
          await self.publishStatus()
          // Several devices change together; one status tells of all of them. Of thousands it takes its time, and a small part
          // of the processor at most.
          let pause = min(.seconds(10), max(.milliseconds(200), (ContinuousClock.now - start) * 50))
          try? await Task.sleep(for: pause)
        }
        return nil
      }
      group.addTask {
        while (try? await Task.sleep(for: .seconds(60))) != nil {
          await self.publishStatus()
          OwnMemory.releaseHeaps()
        }
        return nil
      }
      group.addTask {
        // By then each device has been met.
        if (try? await Task.sleep(for: .seconds(30))) != nil { OwnMemory.releaseStart() }
        return nil
      }
      group.addTask {
        await self.history.run()
        return nil
      }
      group.addTask {
        while (try? await Task.sleep(for: self.certificateWatch.look(self.reloader.current))) != nil {}
        return nil
      }
      if let interval = setup.configuration.discovery.interval {
        group.addTask {
          while (try? await Task.sleep(for: interval)) != nil {
            // One that a person began goes first.
            _ = try? await self.discovery.start([])
          }
          return nil
        }
      }
      if let pulse = services.pulse {
        group.addTask {
          await self.watch(every: pulse)
          return nil
        }
      }
      defer { group.cancelAll() }
      for await end in group { if let end { return end } }
      return false
    }
  }

  /// The service manager hears of the host only while all of it answers; otherwise it ends it and starts it again, and the
  /// first thing that the new one does is to write safe values.
  private func watch(every pulse: Duration) async {
    let parts = [
      VitalPart("links") { [links] in await links.turn() },
      VitalPart("control") { [arbiter] in await arbiter.turn() },
      VitalPart("buffer") { [outbox] in await outbox.turn() },
      VitalPart("uplink") { [uplink] in await uplink?.turn() },
    ]
    await VitalWatch(parts).run(every: pulse) { event in
      switch event {
      case .alive: services.notify("WATCHDOG=1")
      case .silent(let part):
        logger.critical("a part of the host does not answer, so its watchdog will start it again", metadata: ["part": "\(part)"])
      case .back(let part): logger.notice("a part of the host answers again", metadata: ["part": "\(part)"])
      }
    }
  }

  private func publishStatus() async {
    guard let uplink else { return }
    let (online, offline) = picture.counts
    let plugins = await plugins.brief()
    let status = GatewayStatus(
      devicesOnline: online, devicesOffline: offline, buffer: outbox.status, plugins: plugins,
      alarms: picture.alarms)
    let now = Clock.unixMilliseconds()
    uplink.setState(.gatewayStatus, payloads.gatewayStatus(online: true, identity: identity, status: status, time: now))
    uplink.setState(.gatewayDevices, payloads.devices(picture.devices, discovered: await discovery.discovered(), time: now))
  }

  /// A plugin dropped into a directory is checked at once, and links that wait for it try again.
  private func watchPlugins() {
    setup.catalog.watch { [catalog = setup.catalog, runners, reloader] in
      Task {
        guard await catalog.scan() else { return }
        await runners.filesChanged(catalog.usable())
        await reloader.pluginsChanged()
      }
    }
  }

  /// Safe values first, then the links, then what is still to be sent; what cannot be sent is on disk.
  private func shutdown() async {
    services.notify("STOPPING=1")
    await discovery.discoverer.cancel()
    await arbiter.shutdown(within: .seconds(5))
    await hub.stop()
    await links.stop()
    await runners.stop()
    // What the end of the links has to say still goes out.
    picture.close()
    await uplink?.stop()
    outbox.close()
    await history.close()
    logger.notice("stopped")
  }
}
