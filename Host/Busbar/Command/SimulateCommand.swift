// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Logging
import UnixSignals

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Play a device that answers as its template describes, with values that move.",
    discussion: """
      Several templates answer on one endpoint, as a hybrid inverter with battery and meter does. With --replay it is \
      what a device answered in a trace.

      A fault is FAULT[=VALUE][,CONDITION=VALUE…], such as delay=500ms,every=10 or exception=2,register=40000-40010. Those \
      of Modbus: exception=CODE, busy, delay=TIME, drop, close, wrong-transaction, wrong-unit, truncate[=BYTES], double, \
      garbage[=BYTES], drip[=TIME], single. Conditions: probability, every, after, times, register, point, function, \
      unit. Several combine.
      """)

  @Argument(help: ArgumentHelp("Templates.", valueName: "template"), completion: Completions.templates)
  var templates: [String] = []

  @Option(help: ArgumentHelp("Answer as the device of this trace did, instead of a template.", valueName: "file"))
  var replay: String?

  @Option(help: ArgumentHelp("A fault and when it happens; may be repeated.", valueName: "spec"))
  var faults: [String] = []

  @Option(help: "What chance begins with: the same seed gives the same faults.")
  var seed: UInt32 = 0

  @Option(
    help: ArgumentHelp("tcp://ADDRESS:PORT, tls://ADDRESS:PORT or serial://PATH?baud=…; port 0 = any that is free", valueName: "endpoint"))
  var listen: String

  @Option(
    help: ArgumentHelp(
      "For tls://: the device's certificate, PEM. Default: the host's own with --config, else one made for simulated devices.",
      valueName: "file"), completion: .file())
  var certificate: String?

  @Option(help: ArgumentHelp("The key of the certificate.", valueName: "file"), completion: .file())
  var key: String?

  @Option(
    name: .customLong("client-ca"),
    help: ArgumentHelp("For tls://: take only clients with a certificate of this authority.", valueName: "file"), completion: .file())
  var clientCA: String?

  @Option(help: ArgumentHelp("Fix a point's value; may be repeated.", valueName: "point=value"))
  var set: [String] = []

  @Option(help: "The unit, instead of the templates' own.")
  var unit: Int?

  @Option(help: ArgumentHelp(
    "How frames are cut, where the adapter knows several: for Modbus tcp, rtu or ascii.", valueName: "name"))
  var framing: String?

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

  func validate() throws {
    guard (certificate == nil) == (key == nil) else { throw ValidationError("expected --certificate and --key together") }
    guard listen.lowercased().hasPrefix("tls:") || (certificate == nil && clientCA == nil) else {
      throw ValidationError("--certificate, --key and --client-ca are for --listen tls://")
    }
    guard templates.isEmpty == (replay != nil) else {
      throw ValidationError("expected either templates or --replay FILE")
    }
    if replay != nil, !set.isEmpty || unit != nil || framing != nil {
      throw ValidationError("a trace is played back as it is: --set, --unit and --framing are for templates")
    }
  }

  func run() async throws {
    var endpoint: Endpoint
    do throws(ValueError) {
      // An address to connect to has no port 0.
      endpoint = try Endpoint(listen.hasSuffix(":0") ? String(listen.dropLast(2)) : listen)
    } catch {
      throw ValidationError("--listen: \(error)")
    }
    let port = listen.hasSuffix(":0") ? 0 : endpoint.port
    let trace = try replay.map { try TraceFile.read($0) }
    let (library, catalog, _) = try await Setup.tools(config: config, plugins: plugins, templates: directories)
    var chosen: [Template] = []
    for name in templates {
      guard let template = library[name] else {
        throw CommandFailure("there is no template \(name); `busbar template list` shows them")
      }
      chosen.append(template)
    }
    let adapters = Set(chosen.map(\.adapter) + (trace?.head.adapter.map { [$0] } ?? []))
    guard adapters.count == 1, let adapter = adapters.first else {
      let problem = "templates of one adapter can be played together, these are of several"
      throw CommandFailure(trace == nil ? problem : "the first line of the trace does not say adapter=NAME")
    }
    let resources = LinkResources(
      endpoints: [:], config: "{}", events: NoEvents(), pool: ThreadPool(name: "simulate", limit: 1), store: NoStore(),
      logger: Logger(label: "simulate"))
    let device: SimulatedDevice
    do throws(PluginFile.Refusal) {
      let plugin = try await catalog.plugin(adapter: adapter)
      device = try SimulatedDevice(plugin, adapter: adapter, documents: try documents(chosen, trace).text, resources: resources)
    } catch {
      throw CommandFailure(error.message)
    }
    let tls = endpoint.scheme == .tls ? try SimulatedTLS(certificate: certificate, key: key, clientCA: clientCA, config: config) : nil
    let stop = CallSignal()
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let failure = await withTaskGroup(of: CommandFailure?.self) { [endpoint] group in
      group.addTask {
        await withCheckedContinuation { continuation in
          WorkThread.start(name: "listen") {
            do {
              try serve(device, endpoint, port, tls, resources, stop)
              continuation.resume(returning: nil)
            } catch {
              continuation.resume(returning: error as? CommandFailure ?? CommandFailure("\(error)"))
            }
          }
        }
      }
      group.addTask {
        for await _ in signals { break }
        return nil
      }
      let first = await group.next() ?? nil
      stop.set()
      device.finish(within: 2_000_000_000)
      group.cancelAll()
      return first
    }
    if let failure { throw failure }
  }

  /// Runs until the signal is set.
  private func serve(
    _ device: SimulatedDevice, _ endpoint: Endpoint, _ port: Int?, _ tls: SimulatedTLS?, _ resources: LinkResources, _ stop: CallSignal
  ) throws {
    let output = Output(json: false)
    do throws(TransportError) {
      switch endpoint.scheme {
      case .tcp, .tls:
        // The ports of Modbus, and of Modbus/TCP Security.
        let listener = try StreamListener(host: endpoint.host, port: UInt16(clamping: port ?? (endpoint.scheme == .tls ? 802 : 502)))
        var real = endpoint
        real.port = Int(listener.port)
        announce(output, "listening on \(real.text)" + (tls.map { ", fingerprint \($0.fingerprint)" } ?? ""))
        while let connection = listener.accept(stop: stop) {
          WorkThread.start(name: "serve") {
            do throws(TransportError) {
              let plain = try tls?.secure(connection, stop: stop) ?? connection
              complain(device.serve(plain, isSerial: false, resources: resources))
            } catch {
              complain(error.message)
            }
          }
        }
      case .serial:
        guard let line = PlanMaker.stream(endpoint) else { return }
        let descriptor = try StreamDialer.open(line, deadline: .max, stop: stop)
        announce(output, "listening on \(endpoint.text)")
        if let problem = device.serve(descriptor, isSerial: true, resources: resources) {
          throw TransportError(.other, problem)
        }
        guard !stop.isSet else { return }
        throw TransportError(.closed, "the line \(endpoint.text) was closed")
      default: throw TransportError(.address, "--listen takes tcp://, tls:// or serial://")
      }
    } catch {
      throw CommandFailure(error.message)
    }
  }

  private func complain(_ problem: String?) { if let problem { StandardError.write("busbar: \(printable(problem))") } }

  private func announce(_ output: Output, _ text: String) { try? output.lines([text]) }

  /// The JSON array of simulate.h.
  private func documents(_ templates: [Template], _ trace: Trace?) throws(PluginFile.Refusal) -> JSONValue {
    // Faults concern all devices together.
    let disturbance: [String: JSONValue] = [
      "faults": .array(faults.map { .string($0) }), "seed": .integer(Int64(seed)),
    ]
    if let trace {
      return .array([.object(disturbance.merging(["trace": TraceFile.document(trace)]) { _, new in new })])
    }
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
      templates.enumerated().map { index, template in
        var config = template.defaults.config.object ?? [:]
        if let unit { config["unit"] = .integer(Int64(unit)) }
        if let framing { config["framing"] = .string(framing) }
        let own = settings.filter { template.points?.contains($0.0) ?? true }
        var document: [String: JSONValue] = [
          "template": template.body, "config": .object(config), "title": .string(template.title),
          "set": .object(Dictionary(own.map { ($0.0, .string($0.1)) }) { _, last in last }),
        ]
        if let probe = template.probe { document["probe"] = probe }
        return .object(index == 0 ? document.merging(disturbance) { own, _ in own } : document)
      })
  }
}
