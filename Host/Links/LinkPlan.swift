// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarPlugins
package import BusbarTransports

/// A link as it was configured.
package struct LinkPlan: Sendable, Equatable {
  package var id: String
  package var adapter: String
  package var endpoint: StreamEndpoint
  /// As a person wrote it.
  package var endpointText: String
  /// The link's settings, a JSON object.
  package var config: String
  package var devices: [DevicePlan]

  package init(
    id: String, adapter: String, endpoint: StreamEndpoint, endpointText: String, config: String, devices: [DevicePlan]
  ) {
    self.id = id
    self.adapter = adapter
    self.endpoint = endpoint
    self.endpointText = endpointText
    self.config = config
    self.devices = devices
  }

  /// The far end connects by itself.
  var isVisited: Bool { if case .visitor = endpoint { true } else { false } }

  /// The same connection, whatever devices are on it.
  func sameLink(as other: LinkPlan) -> Bool {
    id == other.id && adapter == other.adapter && endpoint == other.endpoint && config == other.config
  }
}

/// A device as it was configured.
package struct DevicePlan: Sendable, Equatable {
  /// Nil until the device has told its serial number.
  package var id: DeviceID?
  /// Tells the device apart while it has no id, and binds the id to it afterwards.
  package var key: String
  package var name: String
  package var kind: DeviceKind
  package var template: String?
  package var vendor: String?
  package var model: String?
  /// JSON objects.
  package var config: String
  package var templateBody: String
  package var poll: PollPlan
  package var writable: Bool

  package init(
    id: DeviceID?, key: String, name: String, kind: DeviceKind, template: String?, vendor: String?, model: String?,
    config: String, templateBody: String, poll: PollPlan, writable: Bool
  ) {
    self.id = id
    self.key = key
    self.name = name
    self.kind = kind
    self.template = template
    self.vendor = vendor
    self.model = model
    self.config = config
    self.templateBody = templateBody
    self.poll = poll
    self.writable = writable
  }
}

extension DevicePlan {
  /// Where between the others it is read, from 0 to 1: the same after each start.
  var phase: Double { Double(StableHash.of(key)) / Double(UInt32.max) }

  /// The same device to its plugin: what differs at most is the host's own business, and changes while the device runs.
  func sameDevice(as other: DevicePlan) -> Bool {
    var other = other
    other.name = name
    other.poll = poll
    other.writable = writable
    return self == other
  }
}

/// What links tell upward. Called from any thread; must not block for long.
package protocol LinkObserver: Sendable {
  func reading(_ reading: Reading)
  func status(_ status: DeviceStatus)
  func info(_ info: DeviceInfo)
  func alarm(_ alarm: Alarm)
  /// A plugin call never returned; `lost` threads are gone so far.
  func threadLost(_ lost: Int)
}

/// Ids of devices that were configured without one, bound at first contact (interfaces 4).
package protocol IdentityBinding: Sendable {
  func id(forKey key: String) -> DeviceID?
  /// Durable, in the place of the one before. The id that counts.
  func bind(_ id: DeviceID, toKey key: String) -> DeviceID
}

/// Makes the plugin side of a link. Throws a sentence for a person where no plugin can.
package protocol LinkConnecting: Sendable {
  func connect(_ plan: LinkPlan, events: any AdapterEvents) async throws(PluginFile.Refusal) -> any AdapterConnection
}
