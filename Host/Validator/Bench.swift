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

  init(_ input: CheckInput) throws {
    self.input = input
    do throws(PluginFile.Refusal) {
      inspection = try PluginInspection(path: input.file)
    } catch {
      throw Finding.failed(error.message)
    }
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

  /// Where the device is; nil where the adapter needs none. Throws “skipped” where it needs one and there is none.
  func device() throws -> StreamEndpoint? {
    guard needsFarEnd else { return nil }
    guard let host = input.host, let port = input.port else {
      if try adapter().endpoints.values.allSatisfy({ $0 == ["listener"] }) {
        throw Finding.skipped("its devices connect to the host by themselves, and this check plays none that does")
      }
      throw Finding.skipped(
        "no device to talk to: give one with --device, or in quality.json as check.device, or let the adapter simulate one")
    }
    return .tcp(host: host, port: port)
  }

  func simulatedDevice() throws -> StreamEndpoint? {
    let device = try device()
    guard input.isSimulated || !needsFarEnd else {
      throw Finding.skipped("the device is not simulated, so nothing is written to it")
    }
    return device
  }

  /// A far end that can be told to misbehave.
  func peer() throws -> HostilePeer {
    guard let device = try device() else { throw Finding.skipped("the adapter has no endpoint") }
    do throws(TransportError) { return try HostilePeer(before: device, seed: input.seed) } catch {
      throw Finding.failed("the far end cannot be played: \(error.message)")
    }
  }

  func link(_ plugin: LoadedPlugin, to endpoint: StreamEndpoint?) throws -> LinkUnderTest {
    let (resources, told) = try resources(to: endpoint)
    guard let connection = plugin.link(adapter: input.adapter, resources: resources) else {
      throw Finding.failed("the code has no adapter \(input.adapter)")
    }
    return link(connection, told)
  }

  func link(_ connection: any AdapterConnection, _ told: Told) -> LinkUnderTest {
    LinkUnderTest(
      connection: connection, told: told, device: device(setup: 1), pace: input.pace,
      first: input.write.map { [$0.point] } ?? [])
  }

  func resources(to endpoint: StreamEndpoint?) throws -> (LinkResources, Told) {
    let told = Told()
    let names = try adapter().endpoints.keys
    let endpoints = Dictionary(uniqueKeysWithValues: endpoint.map { there in names.map { ($0, there) } } ?? [])
    let resources = LinkResources(
      endpoints: endpoints, config: input.link.text, events: told, pool: pool, store: MemoryStore(), logger: quiet)
    return (resources, told)
  }

  func device(setup number: UInt32) -> DeviceSetup {
    DeviceSetup(number: number, name: "check", config: input.config.text, templateBody: input.templateBody)
  }

  /// A link that is open and has its device, and that answered once.
  func ready(_ plugin: LoadedPlugin, to endpoint: StreamEndpoint?) async throws -> LinkUnderTest {
    let link = try link(plugin, to: endpoint)
    try await link.begin()
    return link
  }
}

let quiet = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
