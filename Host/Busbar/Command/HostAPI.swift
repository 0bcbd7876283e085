// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarControl
internal import BusbarLinks
internal import BusbarManagement
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarUplink

/// What the API shows and does, from the rooms.
struct HostAPI: HostOperations {
  let id: String
  let identity: GatewayIdentity
  let catalog: PluginCatalog
  let links: LinkManager
  let arbiter: Arbiter
  let outbox: Outbox
  let bufferPath: String
  let bufferLimits: BufferLimits
  let uplink: Uplink?
  let picture: LivePicture
  let reloader: @Sendable () async throws(OperationError) -> JSONValue

  func status() async -> JSONValue {
    let devices = picture.devices
    let online = devices.count { $0.state == .online || $0.state == .degraded }
    return [
      "id": .string(id), "version": .string(identity.version), "role": .string(identity.role),
      "since": .integer(identity.since), "state": "online",
      "devices": ["online": .integer(Int64(online)), "offline": .integer(Int64(devices.count - online))],
      "uplink": uplink?.status.json ?? .null, "buffer": await buffer(), "plugins": await plugins(),
      "alarms": .array(picture.alarms), "leases": .array(await arbiter.leases().map(\.json)),
    ]
  }

  func devices() async -> JSONValue {
    var list: [JSONValue] = []
    for link in await links.links() {
      for device in link.devices { list.append(.object(Self.device(device, link: link))) }
    }
    return .array(list)
  }

  func device(_ id: String) async -> JSONValue? {
    for link in await links.links() {
      guard let device = link.devices.first(where: { $0.memory.id?.rawValue == id }) else { continue }
      var object = Self.device(device, link: link)
      object["points"] = .array((device.info?.points ?? []).map(Self.point))
      return .object(object)
    }
    return nil
  }

  func plugins() async -> JSONValue {
    .array(
      await catalog.entries().map { entry in
        [
          "id": entry.id.map { .string($0) } ?? .null, "version": entry.version.map { .string($0) } ?? .null,
          "file": .string(entry.path), "state": .string(entry.state.rawValue),
          "reason": entry.reason.map { .string($0) } ?? .null, "isolation": "host",
          "adapters": .array(entry.adapters.map { .string($0) }), "hash": entry.hash.map { .string($0) } ?? .null,
        ]
      })
  }

  func links() async -> JSONValue {
    .array(
      await links.links().map { link in
        [
          "id": .string(link.id), "adapter": .string(link.adapter), "endpoint": .string(link.endpoint),
          "state": .string(link.state), "reason": link.reason.map { .string($0) } ?? .null,
          "devices": .array(link.devices.map { .string($0.memory.id?.rawValue ?? $0.memory.plan.name) }),
          "calls": .integer(Int64(link.calls)), "overruns": .integer(Int64(link.overruns)),
          "missed": .integer(Int64(link.devices.map(\.missedPolls).reduce(0, +))),
        ]
      })
  }

  func buffer() async -> JSONValue {
    let status = outbox.status
    return [
      "messages": .integer(Int64(status.messages)), "bytes": .integer(status.bytes),
      "oldest": status.oldest.map { .integer($0) } ?? .null, "dropped": .integer(Int64(status.dropped)),
      "problem": status.problem.map { .string($0) } ?? .null, "commit_ms": .integer(bufferLimits.commit.milliseconds),
      "size": .integer(bufferLimits.size), "path": .string(bufferPath),
    ]
  }

  func read(device: String, points: [String]?) async throws(OperationError) -> JSONValue {
    guard let id = DeviceID(rawValue: device), let result = await links.read(id, points: points) else {
      throw OperationError(status: 404, detail: "there is no device \(device); `busbar devices` lists them")
    }
    switch result {
    case .failure(let failure):
      throw OperationError(status: failure.unknownPoint ? 404 : 503, detail: failure.text)
    case .success(let items):
      var values: [String: JSONValue] = [:]
      var bad: [String: JSONValue] = [:]
      var units: [String: JSONValue] = [:]
      for item in items {
        if let value = item.value {
          values[item.point.name] = LivePicture.rounded(value, item.point.resolution)
          units[item.point.name] = .string(item.point.unit)
        } else if case .bad(let reason) = item.quality {
          bad[item.point.name] = .string(reason.rawValue)
        }
      }
      return [
        "ts": .integer(Clock.unixMilliseconds()), "values": .object(values), "units": .object(units), "bad": .object(bad),
      ]
    }
  }

  func command(_ request: CommandRequest) async -> CommandResponse { await arbiter.submit(request) }

  func reload() async throws(OperationError) -> JSONValue { try await reloader() }

  func events(devices: [String]?) async -> AsyncStream<JSONValue> { picture.watch(devices) }

  private static func device(_ device: LinkSnapshot.Device, link: LinkSnapshot) -> [String: JSONValue] {
    let plan = device.memory.plan
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    var values: [String: JSONValue] = [:]
    for (name, latest) in device.memory.latest {
      var entry: [String: JSONValue] = ["unit": .string(latest.item.point.unit), "ts": .integer(latest.time / 1_000_000)]
      entry["value"] = latest.item.value.map { LivePicture.rounded($0, latest.item.point.resolution) } ?? .null
      entry["quality"] =
        switch latest.item.quality {
        case .good: "good"
        case .uncertain: "uncertain"
        case .bad(let reason): .string(reason.rawValue)
        }
      values[name] = .object(entry)
    }
    return [
      "id": text(device.memory.id?.rawValue), "name": .string(plan.name), "type": .string(plan.kind.rawValue),
      "adapter": .string(link.adapter), "template": text(plan.template), "link": .string(link.id),
      "state": .string(device.state.rawValue), "reason": text(device.reason), "since": .integer(device.since),
      "vendor": text(device.info?.vendor), "model": text(device.info?.model), "serial": text(device.info?.serial),
      "firmware": text(device.info?.firmware), "write": .boolean(plan.writable),
      "quality": [
        "success": .number(device.quality.success), "p50_ms": .number(device.quality.p50_ms),
        "p95_ms": .number(device.quality.p95_ms), "reconnects": .integer(Int64(device.quality.reconnects)),
        "errors": .object(device.quality.errors.mapValues { .integer(Int64($0)) }),
      ],
      "values": .object(values),
    ]
  }

  /// As in interfaces 3.5.
  private static func point(_ point: PointDescriptor) -> JSONValue {
    var object: [String: JSONValue] = [
      "name": .string(point.name), "unit": .string(point.unit), "type": .string(point.type.rawValue),
      "kind": .string(point.kind.rawValue), "writable": .boolean(point.writable),
    ]
    object["minimum"] = point.minimum.map { .number($0) }
    object["maximum"] = point.maximum.map { .number($0) }
    if point.resolution > 0 { object["resolution"] = .number(point.resolution) }
    if !point.labels.isEmpty { object["labels"] = .array(point.labels.map { .string($0) }) }
    return .object(object)
  }
}
