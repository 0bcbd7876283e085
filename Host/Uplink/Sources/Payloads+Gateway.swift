// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel

/// What does not change while the host runs; also what the last will can say.
package struct GatewayIdentity: Sendable, Equatable {
  package var version: String
  /// `host.role`
  package var role: String
  package var siteName: String?
  package var siteLocation: String?
  /// When the host was started, Unix milliseconds.
  package var since: Int64

  package init(version: String, role: String, siteName: String? = nil, siteLocation: String? = nil, since: Int64) {
    self.version = version
    self.role = role
    self.siteName = siteName
    self.siteLocation = siteLocation
    self.since = since
  }
}

package struct GatewayStatus: Sendable, Equatable {
  package var devicesOnline: Int
  package var devicesOffline: Int
  package var buffer: BufferStatus
  package var plugins: [JSONValue]
  package var alarms: [JSONValue]

  package init(
    devicesOnline: Int, devicesOffline: Int, buffer: BufferStatus, plugins: [JSONValue] = [], alarms: [JSONValue] = []
  ) {
    self.devicesOnline = devicesOnline
    self.devicesOffline = devicesOffline
    self.buffer = buffer
    self.plugins = plugins
    self.alarms = alarms
  }
}

/// A device in the list of `gateways/{id}/devices`.
package struct ListedDevice: Sendable, Equatable {
  package var id: DeviceID
  package var kind: DeviceKind
  package var state: DeviceState

  package init(id: DeviceID, kind: DeviceKind, state: DeviceState) {
    self.id = id
    self.kind = kind
    self.state = state
  }
}

/// A device that was found and is not in service.
package struct DiscoveredDevice: Sendable, Equatable {
  package var candidate: String
  package var adapter: String
  package var endpoint: String
  package var vendor: String?
  package var model: String?
  package var serial: String?
  /// 0 to 1
  package var confidence: Double
  package var suggestedID: DeviceID?

  package init(
    candidate: String, adapter: String, endpoint: String, vendor: String?, model: String?, serial: String?,
    confidence: Double, suggestedID: DeviceID?
  ) {
    self.candidate = candidate
    self.adapter = adapter
    self.endpoint = endpoint
    self.vendor = vendor
    self.model = model
    self.serial = serial
    self.confidence = confidence
    self.suggestedID = suggestedID
  }
}

extension Payloads {
  /// Interfaces 3: the list of devices is 128 KiB at most.
  package static let listLimit = 128 * 1024

  /// Interfaces 3.5. `status` nil: only what is known before the first reading, and in the last will, where the state is
  /// `offline`. `time` in Unix milliseconds.
  package func gatewayStatus(
    online: Bool, identity: GatewayIdentity, status: GatewayStatus? = nil, time: Int64
  ) -> [UInt8] {
    write { json in
      json.integer("ts", time)
      json.string("state", online ? "online" : "offline")
      json.integer("since", identity.since)
      json.string("version", identity.version)
      json.string("role", identity.role)
      if identity.siteName != nil || identity.siteLocation != nil {
        json.key("site")
        json.beginObject()
        json.optional("name", identity.siteName)
        json.optional("location", identity.siteLocation)
        json.endObject()
      }
      guard let status else { return }
      json.key("devices")
      json.beginObject()
      json.integer("online", Int64(status.devicesOnline))
      json.integer("offline", Int64(status.devicesOffline))
      json.endObject()
      json.key("buffer")
      json.beginObject()
      json.integer("messages", Int64(status.buffer.messages))
      json.integer("bytes", status.buffer.bytes)
      json.key("oldest")
      if let oldest = status.buffer.oldest { json.integer(oldest) } else { json.null() }
      json.endObject()
      json.key("plugins")
      json.value(.array(status.plugins))
      json.key("alarms")
      json.value(.array(status.alarms))
    }
  }

  /// Interfaces 3.5: what is known and what was found; `truncated` where not all of it has room.
  package func devices(_ devices: [ListedDevice], discovered: [DiscoveredDevice], time: Int64) -> [UInt8] {
    write { json in
      // Room for the closing part.
      let limit = Self.listLimit - 64
      var truncated = false
      json.integer("ts", time)
      json.key("devices")
      json.beginArray()
      for device in devices where !truncated { truncated = !Self.append(Self.object(device), to: &json, limit: limit) }
      json.endArray()
      json.key("discovered")
      json.beginArray()
      for device in discovered {
        truncated = !Self.append(Self.object(device), to: &json, limit: limit) || truncated
      }
      json.endArray()
      json.boolean("truncated", truncated)
    }
  }

  private static func append(_ object: JSONWriter, to json: inout JSONWriter, limit: Int) -> Bool {
    guard json.bytes.count + object.bytes.count < limit else { return false }
    json.raw(object.text)
    return true
  }

  private static func object(_ device: ListedDevice) -> JSONWriter {
    var json = JSONWriter()
    json.beginObject()
    json.string("id", device.id.rawValue)
    json.string("type", device.kind.rawValue)
    json.string("state", device.state.rawValue)
    json.endObject()
    return json
  }

  private static func object(_ device: DiscoveredDevice) -> JSONWriter {
    var json = JSONWriter()
    json.beginObject()
    json.string("candidate", device.candidate)
    json.string("adapter", device.adapter)
    json.string("endpoint", device.endpoint)
    json.optional("vendor", device.vendor)
    json.optional("model", device.model)
    json.optional("serial", device.serial)
    json.number("confidence", device.confidence, resolution: 0.01)
    json.optional("suggested_id", device.suggestedID?.rawValue)
    json.endObject()
    return json
  }
}
