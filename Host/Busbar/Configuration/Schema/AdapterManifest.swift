// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What configuration needs to know of an adapter; the wiring fills it from the manifests of plugins.
package struct AdapterManifest: Sendable, Equatable {
  /// The adapter's id, `modbus`.
  package var id: String
  /// The plugin that offers it, `org.busbar.modbus`.
  package var plugin: String
  /// Schemes by purpose: `["device": ["tcp", "serial"]]`. Empty = nothing is known, nothing is checked.
  package var endpoints: [String: [String]]
  /// The usual port by scheme: `["tcp": 502, "tls": 802]`.
  package var ports: [String: Int]
  /// JSON Schemas of a device's `config`, a link's `config` and a template's body. Nil = anything goes.
  package var deviceSchema: JSONValue?
  package var linkSchema: JSONValue?
  package var templateSchema: JSONValue?
  /// Of a template's `probe`.
  package var probeSchema: JSONValue?

  package init(
    id: String, plugin: String, endpoints: [String: [String]] = [:], ports: [String: Int] = [:], deviceSchema: JSONValue? = nil,
    linkSchema: JSONValue? = nil, templateSchema: JSONValue? = nil, probeSchema: JSONValue? = nil
  ) {
    self.id = id
    self.plugin = plugin
    self.endpoints = endpoints
    self.ports = ports
    self.deviceSchema = deviceSchema
    self.linkSchema = linkSchema
    self.templateSchema = templateSchema
    self.probeSchema = probeSchema
  }
}
