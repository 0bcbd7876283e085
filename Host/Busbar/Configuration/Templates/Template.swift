// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What is known of a kind of device: a head for the host, a body for the adapter. One YAML file each.
package struct Template: Sendable {
  package enum Confidence: String, Sendable, Codable, CaseIterable {
    /// Checked against the device; against its documents; reported by users.
    case verified, good, community
  }

  package struct Defaults: Sendable, Equatable {
    package var poll = Poll()
    /// For tcp and tls endpoints without a port.
    package var port: Int?
    /// A device's `config`, under what the configuration gives.
    package var config: JSONValue = [:]
  }

  /// The file's name without `.yaml`.
  package var name: String
  package var title: String
  package var adapter: String
  package var kind: DeviceKind
  package var vendor: String?
  package var models: [String]
  package var source: String?
  package var confidence: Confidence
  /// Whether commands are allowed where the configuration does not say.
  package var write: Bool?
  package var defaults: Defaults
  /// How the adapter recognises such a device.
  package var probe: JSONValue?
  /// For the adapter, checked by its schema and with the schema's defaults where it is known: JSON text, keys in order. A
  /// host keeps all templates and reads the bodies of few.
  package var bodyText: String
  /// The names of the points that the body declares, in its order; nil where the body has no `points`.
  package var points: [String]?
  package var file: String
  /// `defaults.config` with its places, for messages.
  private(set) var configNode: YAMLNode?
  /// The body with its places, and the probe.
  private(set) var bodyNode: YAMLNode?
  private(set) var probeNode: YAMLNode?

  package var body: JSONValue { (try? JSONValue(parsing: Array(bodyText.utf8), depth: YAMLReader.depth)) ?? [:] }

  /// What is said of it later names the file, and no line.
  mutating func forgetPlaces() {
    configNode = nil
    bodyNode = nil
    probeNode = nil
  }
}

extension Template: Equatable {
  /// Equal in what they say; not in which file or line.
  package static func == (left: Template, right: Template) -> Bool {
    left.bodyText == right.bodyText && left.head == right.head && left.points == right.points
  }
}

extension Template {
  /// The whole template: the head's keys, and the body under the adapter's id.
  package var json: JSONValue {
    var object = head
    object[adapter] = body
    return .object(object)
  }

  private var head: [String: JSONValue] {
    var object: [String: JSONValue] = [
      "template": .string(name), "title": .string(title), "adapter": .string(adapter), "kind": .string(kind.rawValue),
      "models": .array(models.map { .string($0) }), "confidence": .string(confidence.rawValue),
    ]
    object["vendor"] = vendor.map { .string($0) }
    object["source"] = source.map { .string($0) }
    object["write"] = write.map { .boolean($0) }
    object["probe"] = probe
    var poll = defaults.poll.points.mapValues { JSONValue.string(Units.text($0)) }
    poll["default"] = defaults.poll.period.map { .string(Units.text($0)) }
    var members: [String: JSONValue] = ["config": defaults.config, "poll": .object(poll)]
    members["port"] = defaults.port.map { .integer(Int64($0)) }
    object["defaults"] = .object(members)
    return object
  }
}

extension Template {
  /// A mistake that the adapter found in the body, or in the probe where the path begins so. `path` is what it wrote of where:
  /// names and `[0]`, joined by dots.
  package func diagnostic(_ problem: String, at path: String) -> Diagnostic {
    let isProbe = path.hasPrefix("probe.")
    var node = isProbe ? probeNode : bodyNode
    var place = node?.place ?? Place(file: file)
    for part in path.split(separator: ".").dropFirst(isProbe ? 1 : 0) {
      if part.hasPrefix("["), let index = Int(part.dropFirst().dropLast()) {
        node = node?.items.flatMap { $0.indices.contains(index) ? $0[index] : nil }
        place = node?.place ?? place
      } else {
        // What is missing is missing where its map stands.
        place = node?.members?.first { $0.key == part }?.place ?? place
        node = node?[String(part)]
      }
    }
    let key = path.replacing(".[", with: "[")
    return Diagnostic(place: place, key: key.isEmpty ? adapter : isProbe ? key : "\(adapter).\(key)", message: problem)
  }
}
