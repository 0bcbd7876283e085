// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Logging

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Play a device that answers as its template describes, with values that move.",
    discussion: "Several templates answer on one endpoint, as a hybrid inverter with battery and meter does.")

  @Argument(help: ArgumentHelp("Templates.", valueName: "template"), completion: Completions.templates)
  var templates: [String]

  @Option(help: ArgumentHelp("tcp://ADDRESS:PORT or serial://PATH?baud=…", valueName: "endpoint"))
  var listen: String

  @Option(help: ArgumentHelp("Fix a point's value; may be repeated.", valueName: "point=value"))
  var set: [String] = []

  @Option(help: "The unit, instead of the templates' own.")
  var unit: Int?

  @Option(help: ArgumentHelp("Take the directories of this configuration.", valueName: "file"), completion: .file())
  var config: String?

  @Option(help: ArgumentHelp("A directory of plugins, instead of the default ones; may be repeated.", valueName: "directory"),
    completion: .directory)
  var plugins: [String] = []

  @Option(
    name: .customLong("templates"),
    help: ArgumentHelp("A directory of templates, instead of the default ones; may be repeated.", valueName: "directory"),
    completion: .directory)
  var directories: [String] = []

  func run() async throws {
    let endpoint: Endpoint
    do throws(ValueError) { endpoint = try Endpoint(listen) } catch { throw ValidationError("--listen: \(error)") }
    let (library, catalog, _) = try await Setup.tools(config: config, plugins: plugins, templates: directories)
    var chosen: [Template] = []
    for name in templates {
      guard let template = library[name] else {
        throw CommandFailure("there is no template \(name); `busbar template list` shows them")
      }
      chosen.append(template)
    }
    guard Set(chosen.map(\.adapter)).count == 1, let adapter = chosen.first?.adapter else {
      throw CommandFailure("templates of one adapter can be played together, these are of several")
    }
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: NoEvents(), pool: ThreadPool(name: "simulate", limit: 1), store: NoStore(),
      logger: Logger(label: "simulate"))
    let device: SimulatedDevice
    do throws(PluginFile.Refusal) {
      let plugin = try await catalog.plugin(adapter: adapter)
      device = try SimulatedDevice(plugin, adapter: adapter, documents: try documents(chosen).text, resources: resources)
    } catch {
      throw CommandFailure(error.message)
    }
    try serve(device, endpoint, resources)
  }

  /// Runs until the process is ended.
  private func serve(_ device: SimulatedDevice, _ endpoint: Endpoint, _ resources: LinkResources) throws {
    let output = Output(json: false)
    let stop = CallSignal()
    do throws(TransportError) {
      switch endpoint.scheme {
      case .tcp:
        let listener = try StreamListener(host: endpoint.host, port: UInt16(clamping: endpoint.port ?? 502))
        announce(output, "listening on \(endpoint.filled(port: Int(listener.port)).text)")
        while let connection = listener.accept(stop: stop) {
          WorkThread.start(name: "serve") { device.serve(connection, isSerial: false, resources: resources) }
        }
      case .serial:
        guard let line = PlanMaker.stream(endpoint) else { return }
        let descriptor = try StreamDialer.open(line, deadline: .max, stop: stop)
        announce(output, "listening on \(endpoint.text)")
        device.serve(descriptor, isSerial: true, resources: resources)
        throw TransportError(.closed, "the line \(endpoint.text) was closed")
      default: throw TransportError(.address, "--listen takes tcp:// or serial://")
      }
    } catch {
      throw CommandFailure(error.message)
    }
  }

  private func announce(_ output: Output, _ text: String) { try? output.lines([text]) }

  /// The JSON array of simulate.h.
  private func documents(_ templates: [Template]) throws(PluginFile.Refusal) -> JSONValue {
    var settings: [(String, String)] = []
    for pair in set {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw PluginFile.Refusal(message: "--set \(pair): expected point=value") }
      settings.append((String(parts[0]), String(parts[1])))
    }
    for (point, _) in settings where !templates.contains(where: { $0.points?.contains(point) ?? true }) {
      throw PluginFile.Refusal(message: "--set \(point): no template has such a point")
    }
    return .array(
      templates.map { template in
        var config = template.defaults.config.object ?? [:]
        if let unit { config["unit"] = .integer(Int64(unit)) }
        let own = settings.filter { template.points?.contains($0.0) ?? true }
        return [
          "template": template.body, "config": .object(config), "title": .string(template.title),
          "set": .object(Dictionary(own.map { ($0.0, .string($0.1)) }) { _, last in last }),
        ]
      })
  }
}

/// A simulated device has no link above it.
private struct NoEvents: AdapterEvents {
  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {}
  func identified(_ device: UInt32, _ identity: DeviceIdentity) {}
  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {}
  func problem(_ device: UInt32, name: String, active: Bool, text: String) {}
}

private struct NoStore: PluginStore {
  func get(_ key: String) -> [UInt8]? { nil }
  func set(_ key: String, to value: [UInt8]) throws {}
}
