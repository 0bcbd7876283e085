// SPDX-License-Identifier: Apache-2.0

package import BusbarConfiguration
package import BusbarModel
internal import BusbarPlugins
internal import Foundation

/// What is checked and with which device: the plugin's file, what its vendor wrote into `quality.json`, and what the
/// command line says.
///
///     "check": {
///       "adapter": "line-meter",                                      the first of the manifest where it is absent
///       "device": ["python3", "device.py", "--port", "0"],            a program that prints its port, then answers there
///       "visitor": ["python3", "charger.py", "{url}"],                a program that connects there, for devices that do
///       "template": "Devices/example.yaml",                           for adapters that need one; a list is checked in turn
///       "config": {}, "link": {},                                     settings beside the defaults
///       "write": { "point": "power_limit", "value": 1200 }
///     },
///     "waivers": { "CASE": "why the plugin is good without it" }
///
/// In a list of templates an object, `{ "template": "Devices/other.yaml", "config": {} }`, has its own instead of what
/// `check` says.
package struct CheckPlan: Sendable {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
  }

  /// Where the far end comes from.
  package enum Device: Sendable {
    case none
    /// Started for each case, in a folder.
    case program([String], folder: String)
    /// Started where a case wants a device that connects by itself, in a folder.
    case visitor([String], folder: String)
    /// Somebody else's: nothing is written to it.
    case endpoint(host: String, port: UInt16)
    /// The adapter's own simulator, with these documents (simulate.h).
    case simulator(documents: String)
  }

  package var input: CheckInput
  package var device: Device
  /// Case to reason.
  package var waivers: [String: String]
  package var hash: String
  package var id: String
  package var version: String
  /// The template's name; nil where there is none.
  package var template: String?
  /// The adapter's devices connect by themselves.
  package var isVisited: Bool

  private static let limit = 1 << 20
  private static let mostTemplates = 32

  /// A plan for each template, one where there is none. `quality` nil = `quality.json` beside the plugin, where there is one.
  /// `store` is a private directory for this check; `settings` of the device come before those of `check.config`.
  package static func plans(
    file: String, quality: String?, adapter: String?, device: Endpoint?, template: String?, seed: UInt64, store: String,
    settings: JSONValue? = nil
  ) throws(Failure) -> [CheckPlan] {
    let beside = folder(of: file) + "/quality.json"
    let path = quality ?? (FileManager.default.fileExists(atPath: beside) ? beside : nil)
    let document = try path.map { path throws(Failure) in try json(path) } ?? [:]
    var check = document["check"]?.object ?? [:]
    if let own = settings?.object { check["config"] = .object((check["config"]?.object ?? [:]).merging(own) { $1 }) }
    var checks: [[String: JSONValue]] = []
    if let list = check["template"]?.array, template == nil {
      guard 1...mostTemplates ~= list.count else {
        throw Failure("check.template of \(path ?? "") lists \(list.count) templates; expected 1 to \(mostTemplates)")
      }
      for entry in list {
        let own = entry.object ?? ["template": entry]
        guard own["template"]?.string != nil else {
          throw Failure("check.template of \(path ?? "") lists \(entry.text.prefix(80)), which names no file")
        }
        checks.append(check.merging(own) { $1 })
      }
    } else {
      checks = [check]
    }
    let copied = try copy(file, store)
    var plans: [CheckPlan] = []
    for check in checks {
      var plan = try CheckPlan(
        .object(check), copied, folder: folder(of: path ?? file), adapter: adapter, device: device, template: template, seed: seed,
        store: store)
      plan.waivers = (document["waivers"]?.object ?? [:]).compactMapValues(\.string)
      plans.append(plan)
    }
    return plans
  }

  private init(
    _ check: JSONValue, _ copied: (file: String, inspection: PluginInspection), folder: String, adapter: String?,
    device endpoint: Endpoint?, template: String?, seed: UInt64, store: String
  ) throws(Failure) {
    let (copy, inspection) = copied
    hash = inspection.hash
    id = inspection.manifest?.id ?? ""
    version = inspection.manifest?.version ?? ""
    waivers = [:]

    let id = adapter ?? check["adapter"]?.string ?? inspection.manifest?.adapters.first?.id ?? ""
    let chosen = inspection.manifest?.adapters.first { $0.id == id }
    self.template = nil
    isVisited = chosen?.isVisited ?? false
    input = CheckInput(file: copy, store: store, adapter: id, seed: seed)
    var config = check["config"] ?? [:]
    if let name = template ?? check["template"]?.string {
      let file = template == nil && !name.hasPrefix("/") ? "\(folder)/\(name)" : name
      let found = try Self.template(file, inspection)
      input.templateBody = found.bodyText
      self.template = found.name
      config = .object((found.defaults.config.object ?? [:]).merging(config.object ?? [:]) { $1 })
    }
    input.config = SchemaRules.filled(config, chosen?.deviceSchema).0
    input.link = SchemaRules.filled(check["link"] ?? [:], chosen?.linkSchema).0
    if let write = check["write"], let point = write["point"]?.string, let value = write["value"] {
      input.write = .init(point: point, value: value)
    }

    if let endpoint {
      guard endpoint.scheme == .tcp, let port = endpoint.port.flatMap({ UInt16(exactly: $0) }) else {
        throw Failure("--device takes tcp://HOST:PORT")
      }
      device = .endpoint(host: endpoint.host, port: port)
    } else if let words = check["visitor"]?.array?.compactMap(\.string), !words.isEmpty {
      guard let chosen, chosen.isVisited else {
        throw Failure("check.visitor is for devices that connect by themselves, and the adapter \(id) has no endpoint for one (listener)")
      }
      device = .visitor(words, folder: folder)
    } else if let words = check["device"]?.array?.compactMap(\.string), !words.isEmpty {
      device = .program(words, folder: folder)
    } else if chosen?.endpoints.isEmpty == false {
      let body = input.templateBody.isEmpty ? nil : try? JSONValue(parsing: Array(input.templateBody.utf8), depth: 64)
      let whole: JSONValue = ["template": body ?? [:], "config": input.config, "title": "check"]
      device = .simulator(documents: JSONValue.array([whole]).text)
    } else {
      device = .none
    }
  }

  /// Absolute: the device is started in it.
  private static func folder(of file: String) -> String {
    let path = file.hasPrefix("/") ? file : "\(FileManager.default.currentDirectoryPath)/\(file)"
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// Removes the private copies.
  package func end() { try? FileManager.default.removeItem(atPath: input.store) }

  private static func json(_ path: String) throws(Failure) -> JSONValue {
    do {
      let data = try Data(contentsOf: URL(filePath: path))
      guard data.count <= limit else { throw Failure("\(path) has more than \(limit) bytes") }
      let value = try JSONValue(parsing: [UInt8](data), depth: 64)
      guard value.object != nil else { throw Failure("\(path) holds no JSON object") }
      return value
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure("\(path) cannot be read: \(error)")
    }
  }

  /// Builds that go on meanwhile, and whoever else may write the file, do not disturb the check.
  private static func copy(_ file: String, _ store: String) throws(Failure) -> (String, PluginInspection) {
    do {
      let inspection = try PluginInspection(path: file)
      let bytes = try PluginInspection.read(file, limit: inspection.size)
      try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let path = "\(store)/checked.so"
      try Data(bytes).write(to: URL(filePath: path), options: .atomic)
      try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: path)
      return (path, inspection)
    } catch let refusal as PluginFile.Refusal {
      throw Failure(refusal.message)
    } catch {
      throw Failure("no private copy of \(file) could be made: \(error.localizedDescription)")
    }
  }

  private static func template(_ file: String, _ inspection: PluginInspection) throws(Failure) -> Template {
    let manifests = (inspection.manifest?.adapters ?? []).map { adapter in
      AdapterManifest(
        id: adapter.id, plugin: inspection.manifest?.id ?? "", endpoints: adapter.endpoints, deviceSchema: adapter.deviceSchema,
        linkSchema: adapter.linkSchema, templateSchema: adapter.templateSchema)
    }
    let (template, found) = TemplateLibrary.check(file, manifests: manifests)
    guard let template else { throw Failure(found.first.map { "\($0)" } ?? "\(file) is no template") }
    return template
  }
}
