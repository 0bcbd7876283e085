// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Logging

/// Where a case works: the plugin under test behind the validation layer, and a far end that can be made hostile.
final class Bench: Sendable {
  let input: CheckInput
  let inspection: PluginInspection
  private let pool = ThreadPool(name: "check", limit: 64)
  /// Where devices come in that connect by themselves; nil where this check plays none.
  private let door: VisitorDoor?

  /// `visitor` has a program started that connects to the address it is given; nil where nobody can.
  init(_ input: CheckInput, visitor: (@Sendable (String) -> Void)?) throws {
    self.input = input
    do throws(PluginFile.Refusal) {
      inspection = try PluginInspection(path: input.file)
    } catch {
      throw Finding.failed(error.message)
    }
    let spoken = inspection.manifest?.adapters.first { $0.id == input.adapter }?.subprotocols ?? []
    door = visitor.map { VisitorDoor(subprotocols: spoken, call: $0) }
  }

  /// The manifest. Throws where there is none that can be used: then a case of the group “manifest” says so.
  func manifest() throws -> PluginManifest {
    guard let manifest = inspection.manifest else {
      throw Finding.skipped("the manifest cannot be used: see manifest-valid")
    }
    return manifest
  }

  func adapter() throws -> PluginManifest.Adapter {
    guard let adapter = try manifest().adapters.first(where: { $0.id == input.adapter }) else {
      throw Finding.skipped("the manifest has no adapter \(input.adapter)")
    }
    return adapter
  }

  func file() throws -> PluginFile {
    do throws(PluginFile.Refusal) {
      return try PluginFile(path: input.file, store: input.store, services: HostABI.services)
    } catch {
      throw Finding.skipped("no host takes it: \(error.message)")
    }
  }

  /// `finding`: what it is where it cannot be loaded, which is a matter of loads-now-local.
  func probe(_ finding: (String) -> Finding = Finding.skipped) throws -> EntryProbe {
    let file = try file()
    do throws(EntryProbe.Failure) { return try EntryProbe(file) } catch {
      throw finding("it cannot be loaded: \(error.message)")
    }
  }

  /// Loads the plugin behind the validation layer; once a process.
  func load(_ adjust: (inout ValidationLayer.Settings) -> Void = { _ in }) throws -> LoadedPlugin {
    var settings = ValidationLayer.Settings(adapter: input.adapter)
    adjust(&settings)
    ValidationLayer.install(settings)
    let file = try file()
    do throws(PluginFile.Refusal) { return try LoadedPlugin(file, logger: quiet) } catch {
      throw Finding.skipped("it cannot be loaded: \(error.message)")
    }
  }

  /// What the plugin did against this rule, in sentences.
  func broken(_ rule: String) -> [String] { ValidationLayer.violations.filter { $0.rule == rule }.map(\.text) }

  var needsFarEnd: Bool { (try? adapter().endpoints.isEmpty == false) ?? false }

  /// Its devices connect by themselves.
  var isVisited: Bool { (try? adapter().isVisited) ?? false }

  /// Where the device is; nil where the adapter needs none. Throws “skipped” where it needs one and there is none.
  func device() throws -> FarEnd? {
    guard needsFarEnd else { return nil }
    if isVisited {
      guard let door else {
        throw Finding.skipped(
          "its devices connect to the host by themselves: name a program that does in quality.json as check.visitor")
      }
      return .visitor(door, nil)
    }
    guard let host = input.host, let port = input.port else {
      throw Finding.skipped(
        "no device to talk to: give one with --device, or in quality.json as check.device, or let the adapter simulate one")
    }
    return .stream(.tcp(host: host, port: port))
  }

  func simulatedDevice() throws -> FarEnd? {
    let device = try device()
    guard input.isSimulated || !needsFarEnd else {
      throw Finding.skipped("the device is not simulated, so nothing is written to it")
    }
    return device
  }

  /// Between rounds of which each should leave nothing behind.
  func settle() async { await door?.gather(until: later(.seconds(2))) }

  /// A far end that can be told to misbehave.
  func peer() throws -> any HostilePeer {
    switch try device() {
    case nil: throw Finding.skipped("the adapter has no endpoint")
    case .visitor(let door, _): return HostileVisitor(at: door, seed: input.seed)
    case .stream(let device):
      do throws(TransportError) { return try HostileStream(before: device, seed: input.seed) } catch {
        throw Finding.failed("the far end cannot be played: \(error.message)")
      }
    }
  }

  func link(_ plugin: LoadedPlugin, to end: FarEnd?) throws -> LinkUnderTest {
    let ground = try ground(to: end)
    guard let connection = plugin.link(adapter: input.adapter, resources: ground.resources) else {
      throw Finding.failed("the code has no adapter \(input.adapter)")
    }
    return link(connection, ground)
  }

  func link(_ connection: any AdapterConnection, _ ground: Ground) -> LinkUnderTest {
    ground.visit?.lead(to: connection)
    return LinkUnderTest(
      connection: ground.visit ?? connection, told: ground.told, device: device(setup: 1), pace: input.pace,
      first: input.write.map { [$0.point] } ?? [])
  }

  /// What a link stands on before its plugin has anything to do with it.
  struct Ground {
    var resources: LinkResources
    var told: Told
    var visit: Visit?
  }

  func ground(to end: FarEnd?) throws -> Ground {
    let told = Told()
    var endpoints: [String: StreamEndpoint] = [:]
    var visit: Visit?
    switch end {
    case .stream(let there): for name in try adapter().endpoints.keys { endpoints[name] = there }
    case .visitor(let door, let peer): visit = Visit(at: door, peer, told)
    case nil: break
    }
    var resources = LinkResources(
      endpoints: endpoints, config: input.link.text, events: told, pool: pool, store: MemoryStore(), logger: quiet)
    if let visit { resources.services = visit.mailbox }
    return Ground(resources: resources, told: told, visit: visit)
  }

  func device(setup number: UInt32) -> DeviceSetup {
    DeviceSetup(number: number, name: "check", config: input.config.text, templateBody: input.templateBody)
  }

  /// A link that is open and has its device, and that answered once.
  func ready(_ plugin: LoadedPlugin, to end: FarEnd?) async throws -> LinkUnderTest {
    let link = try link(plugin, to: end)
    try await link.begin()
    return link
  }
}

let quiet = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
