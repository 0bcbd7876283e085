// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What a case works with; handed to the process of each case as JSON.
package struct CheckInput: Sendable, Codable {
  package struct Write: Sendable, Codable {
    package var point: String
    package var value: JSONValue

    package init(point: String, value: JSONValue) {
      self.point = point
      self.value = value
    }
  }

  package var file: String
  /// Where private copies of the plugin go.
  package var store: String
  /// The adapter's id.
  package var adapter: String
  /// The settings of link and device, with what the schemas have by default.
  package var link: JSONValue
  package var config: JSONValue
  /// JSON; empty = no template.
  package var templateBody: String
  /// A command that the device takes; nil = made up from a point that can be written.
  package var write: Write?
  /// Port of a device on 127.0.0.1 or elsewhere; nil = there is none.
  package var host: String?
  package var port: UInt16?
  /// A program can be started that connects as a device does.
  package var hasVisitor = false
  /// The device is played for this check alone and may be written to.
  package var isSimulated: Bool
  package var seed: UInt64
  package var pace = Pace.none
  /// How often a replay reads.
  package var polls = 1

  package init(
    file: String, store: String, adapter: String, link: JSONValue = [:], config: JSONValue = [:], templateBody: String = "",
    write: Write? = nil, host: String? = nil, port: UInt16? = nil, isSimulated: Bool = false, seed: UInt64 = 1
  ) {
    self.file = file
    self.store = store
    self.adapter = adapter
    self.link = link
    self.config = config
    self.templateBody = templateBody
    self.write = write
    self.host = host
    self.port = port
    self.isSimulated = isSimulated
    self.seed = seed
  }
}
