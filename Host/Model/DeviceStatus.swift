// SPDX-License-Identifier: Apache-2.0

/// Connection and operation of a device (interfaces 3.2).
package enum DeviceState: String, Sendable, Codable, CaseIterable {
  case connecting, online, degraded, offline, stuck, disabled
  case needsAttention = "needs-attention"

  /// The device is there, whether or not all of it works.
  package var answers: Bool { self == .online || self == .degraded }
}

/// How well a device answers.
package struct LinkQuality: Sendable, Equatable, Codable {
  /// Share of polls that succeeded, 0 to 1.
  package var success: Double
  package var p50_ms: Double
  package var p95_ms: Double
  /// Failed polls by reason.
  package var errors: [String: Int]
  package var reconnects: Int

  package init(success: Double, p50_ms: Double, p95_ms: Double, errors: [String: Int], reconnects: Int) {
    self.success = success
    self.p50_ms = p50_ms
    self.p95_ms = p95_ms
    self.errors = errors
    self.reconnects = reconnects
  }
}

package struct DeviceStatus: Sendable, Equatable {
  package var device: DeviceID
  package var state: DeviceState
  /// A sentence for a person, where the state needs one.
  package var reason: String?
  /// When the state was entered, Unix milliseconds.
  package var since: Int64
  package var quality: LinkQuality
  /// Names of active alarms.
  package var alarms: [String]

  package init(
    device: DeviceID, state: DeviceState, reason: String?, since: Int64, quality: LinkQuality, alarms: [String]
  ) {
    self.device = device
    self.state = state
    self.reason = reason
    self.since = since
    self.quality = quality
    self.alarms = alarms
  }
}

/// Who a device is: configuration, template, and what the device itself told.
package struct DeviceInfo: Sendable, Equatable {
  package var id: DeviceID
  package var kind: DeviceKind
  package var name: String
  package var adapter: String
  package var template: String?
  package var vendor: String?
  package var model: String?
  package var serial: String?
  package var firmware: String?
  /// The id of the link that the device is on.
  package var link: String
  package var points: [PointDescriptor]
  /// Names of what the device can be told to do.
  package var actions: [String]

  package init(
    id: DeviceID, kind: DeviceKind, name: String, adapter: String, template: String?, vendor: String? = nil,
    model: String? = nil, serial: String? = nil, firmware: String? = nil, link: String, points: [PointDescriptor] = [],
    actions: [String] = []
  ) {
    self.id = id
    self.kind = kind
    self.name = name
    self.adapter = adapter
    self.template = template
    self.vendor = vendor
    self.model = model
    self.serial = serial
    self.firmware = firmware
    self.link = link
    self.points = points
    self.actions = actions
  }
}

/// A named fault of a device, raised or cleared (interfaces 3, alarms).
package struct Alarm: Sendable, Equatable {
  package var device: DeviceID
  /// CamelCase, "CommunicationFault".
  package var name: String
  package var active: Bool
  package var text: String
  /// Unix nanoseconds.
  package var time: Int64

  package init(device: DeviceID, name: String, active: Bool, text: String, time: Int64) {
    self.device = device
    self.name = name
    self.active = active
    self.text = text
    self.time = time
  }
}
