// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarControl
internal import BusbarDiscovery
internal import BusbarHistory
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
  let payloads: Payloads
  let links: LinkManager
  let hub: ListenerHub
  let arbiter: Arbiter
  let outbox: Outbox
  let history: History
  let bufferPath: String
  let uplink: Uplink?
  let picture: LivePicture
  let plugins: PluginList
  let commands: CommandCount
  let discovery: DiscoveryDesk
  let hostCommands: UplinkCommands
  let reloader: @Sendable () async throws(OperationError) -> JSONValue

  func status() async -> JSONValue {
    let (online, offline) = picture.counts
    return [
      "id": .string(id), "version": .string(identity.version), "role": .string(identity.role),
      "since": .integer(identity.since), "state": "online",
      "devices": ["online": .integer(Int64(online)), "offline": .integer(Int64(offline))],
      "uplink": uplink?.status.json ?? .null, "buffer": await buffer(), "history": historyStatus, "plugins": await plugins(),
      "listeners": .array(hub.listeners.map(\.json)),
      "commands": commands.json, "alarms": .array(picture.alarms), "leases": .array(await arbiter.leases().map(\.json)),
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
      // As on the topic `info`.
      let info = device.info.map { payloads.deviceInfo($0, time: Clock.unixMilliseconds()) }
      object["actions"] = .array(device.memory.actions.map { .string($0) })
      if let id = device.memory.id { object["sessions"] = .array(picture.sessions(of: id)) }
      object["points"] = info.flatMap { try? JSONValue(parsing: $0)["points"] } ?? []
      return .object(object)
    }
    return nil
  }

  func plugins() async -> JSONValue { await plugins.whole() }

  func restart(plugin: String) async throws(OperationError) -> JSONValue { try await plugins.restart(plugin, links) }

  func links() async -> JSONValue {
    .array(
      await links.links().map { link in
        [
          "id": .string(link.id), "adapter": .string(link.adapter), "endpoint": .string(link.endpoint),
          "state": .string(link.state), "reason": link.reason.map { .string($0) } ?? .null,
          "devices": .array(link.devices.map { .string($0.memory.id?.rawValue ?? $0.memory.plan.name) }),
          "calls": .integer(Int64(link.calls)), "overruns": .integer(Int64(link.overruns)),
          "reconnects": .integer(Int64(link.reconnects)),
          "missed": .integer(Int64(link.devices.map(\.missedPolls).reduce(0, +))),
        ]
      })
  }

  func buffer() async -> JSONValue {
    let status = outbox.status
    let limits = outbox.limits
    return [
      "messages": .integer(Int64(status.messages)), "bytes": .integer(status.bytes),
      "oldest": status.oldest.map { .integer($0) } ?? .null, "dropped": .integer(Int64(status.dropped)),
      "problem": status.problem.map { .string($0) } ?? .null, "commit_ms": .integer(limits.commit.milliseconds),
      "size": .integer(limits.size), "path": .string(bufferPath),
    ]
  }

  private var historyStatus: JSONValue {
    let status = history.status
    let limits = history.limits
    return [
      "bytes": .integer(status.bytes), "size": .integer(limits.size), "oldest": status.oldest.map { .integer($0) } ?? .null,
      "problem": status.problem.map { .string($0) } ?? .null,
    ]
  }

  func history(device: String, _ wanted: HistoryRequest) async throws(OperationError) -> String {
    guard let id = DeviceID(rawValue: device) else { throw Self.unknown(device) }
    guard history.limits.size > 0, history.limits.age > .zero else {
      throw OperationError(status: 409, detail: "no history is kept: history.size or history.age is 0 in the configuration")
    }
    let to = wanted.to ?? Clock.unixMilliseconds()
    let from = wanted.from ?? max(0, to - 3_600_000)
    guard from <= to else { throw OperationError(status: 400, detail: "'from' has to be before 'to'") }
    let question = HistoryQuestion(device: id, points: wanted.points, time: from..<to, step: wanted.step)
    let answer: HistoryAnswer?
    do { answer = try await history.answer(question) } catch {
      throw OperationError(
        status: 422,
        detail: "these are more than \(HistoryAnswer.mostRows) rows; ask for fewer points, a shorter time or a larger step")
    }
    let live = await self.device(device)
    guard answer != nil || live != nil else { throw Self.unknown(device) }
    if let missing = wanted.points.first(where: { name in
      answer?.points.contains { $0.name == name } != true
        && live?["points"]?.array?.contains { $0["name"]?.string == name } != true
    }) {
      throw OperationError(status: 404, detail: "\(device) has no point '\(missing)'")
    }
    return (answer ?? HistoryAnswer(device: id, time: from..<to, step: wanted.step ?? 1, points: [])).json
  }

  private static func unknown(_ device: String) -> OperationError {
    OperationError(status: 404, detail: "there is no device \(device); `busbar devices` lists them")
  }

  func read(device: String, points: [String]?) async throws(OperationError) -> JSONValue {
    guard let id = DeviceID(rawValue: device), let result = await links.read(id, points: points) else {
      throw Self.unknown(device)
    }
    switch result {
    case .failure(let failure):
      throw OperationError(status: failure.unknownPoint ? 404 : 503, detail: failure.text)
    case .success(let items):
      var body = ReadingBody.members(items)
      body["ts"] = .integer(Clock.unixMilliseconds())
      return .object(body)
    }
  }

  func command(_ request: CommandRequest) async -> CommandResponse {
    let response = await arbiter.submit(request)
    commands.note(response)
    return response
  }

  func carryOut(_ body: JSONValue) async -> CommandResponse { await hostCommands.carryOut(body) }

  func reload() async throws(OperationError) -> JSONValue { try await reloader() }

  func discovery() async -> JSONValue { await discovery.json() }

  func discover(_ targets: [String]) async throws(OperationError) -> JSONValue {
    try await answering { () async throws(OnboardingRefusal) in _ = try await discovery.start(targets) }
    return await discovery.discoverer.status?.json ?? .null
  }

  func cancelSearch() async -> JSONValue {
    await discovery.discoverer.cancel()
    return await discovery.discoverer.status?.json ?? .null
  }

  func forget(candidate: String) async throws(OperationError) {
    try await answering { () async throws(OnboardingRefusal) in try await discovery.forget(candidate: candidate) }
  }

  func add(_ body: JSONValue) async throws(OperationError) -> JSONValue {
    let id = try await answering { () async throws(OnboardingRefusal) in
      try await discovery.onboarding.add(OnboardingRequest(body, id: "id"))
    }
    return await device(id.rawValue) ?? ["id": .string(id.rawValue)]
  }

  func forget(device: String) async throws(OperationError) {
    try await answering { () async throws(OnboardingRefusal) in
      guard let id = DeviceID(rawValue: device) else {
        throw OnboardingRefusal(.unknown, "there is no device \(device); `busbar devices` lists them")
      }
      try await discovery.onboarding.remove(id)
    }
  }

  private func answering<Answer: Sendable>(
    _ body: () async throws(OnboardingRefusal) -> Answer
  ) async throws(OperationError) -> Answer {
    do throws(OnboardingRefusal) {
      return try await body()
    } catch {
      let status =
        switch error.kind {
        case .invalid: 422
        case .unknown: 404
        case .conflict: 409
        case .failed: 503
        }
      throw OperationError(status: status, detail: error.text)
    }
  }

  func trace(link: String, device: String?, _ wanted: TraceRequest) async throws(OperationError) -> TraceAnswer {
    guard let tracing = await links.tracing(link, device: device) else {
      let known = await links.links()
      if let found = known.first(where: { $0.id == link }) {
        let devices = found.devices.compactMap { $0.memory.id?.rawValue }.joined(separator: ", ")
        throw OperationError(status: 404, detail: "there is no device \(device ?? "") on the link \(link); it has \(devices)")
      }
      let names = known.map(\.id).joined(separator: ", ")
      throw OperationError(status: 404, detail: "there is no link \(link); there are \(names.isEmpty ? "none" : names)")
    }
    let head = TraceWriter.head(tracing.head) + "\n"
    let (kept, lines) = wanted.live ? tracing.follow() : (tracing.kept, nil)
    return TraceAnswer(text: head + (wanted.kept ? kept.map { $0 + "\n" }.joined() : ""), lines: lines)
  }

  func events(devices: [String]?) async -> AsyncStream<JSONValue> { picture.watch(devices) }

  private static func device(_ device: LinkSnapshot.Device, link: LinkSnapshot) -> [String: JSONValue] {
    let plan = device.memory.plan
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    var values: [String: JSONValue] = [:]
    for (name, latest) in device.memory.latest {
      var entry: [String: JSONValue] = ["unit": .string(latest.item.point.unit), "ts": .integer(latest.time / 1_000_000)]
      entry["value"] = latest.item.value.map { ReadingBody.rounded($0, latest.item.point.resolution) } ?? .null
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
        "polls": .integer(Int64(device.polls)), "missed": .integer(Int64(device.missedPolls)),
        "poll_seconds": .number(Double(device.pollTime / 1000) / 1e6), "samples": .integer(Int64(device.memory.samples)),
      ],
      "values": .object(values),
    ]
  }
}

extension ListenerState {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "address": .string(address), "state": problem == nil ? "open" : "failed",
      "reason": problem.map { .string($0) } ?? .null,
    ]
  }
}
