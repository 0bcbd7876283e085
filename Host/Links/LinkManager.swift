// SPDX-License-Identifier: Apache-2.0

package import BusbarControl
package import BusbarModel
internal import BusbarPlugins
internal import BusbarTransports
package import Logging

/// All links of the host: starts and stops their guards, finds a device's link, and writes for Control.
package actor LinkManager: DeviceWriter {
  let connecting: any LinkConnecting
  let observer: any LinkObserver
  private let binding: any IdentityBinding
  private let logger: Logger
  private let patience: Duration
  private let recall: any CountRecall
  private let host: any LinkHost
  private let hub: ListenerHub?
  private(set) var guards: [String: LinkGuard] = [:]
  /// The link where a device is, or was found last; among thousands it need not be looked for each time.
  private var places: [DeviceID: String] = [:]
  /// The last application of plans: one waits for the one before it.
  private var applying: Task<Outcome, Never>?

  /// On the thread of the guards: asking thousands of them in a row is no thousand changes of threads.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe LinkGuard.executor.asUnownedSerialExecutor() }
  /// So many guards are asked in a row until others have their turn.
  private static let turn = 64

  package typealias Outcome = (added: [String], removed: [String], changed: [String])

  /// `patience` is how long a call of a plugin may take; `recall` knows where counters stood before; `hub` brings those that
  /// connect by themselves.
  package init(
    connecting: any LinkConnecting, observer: any LinkObserver, binding: any IdentityBinding, logger: Logger,
    patience: Duration = .seconds(15), recall: any CountRecall = NoRecall(), host: any LinkHost = NoLinkHost(),
    hub: ListenerHub? = nil
  ) {
    self.host = host
    self.hub = hub
    self.patience = patience
    self.recall = recall
    self.connecting = connecting
    self.observer = observer
    self.binding = binding
    self.logger = logger
  }

  /// Makes the links be as planned. What did not change keeps running; the rest is closed, opened, or changed in its
  /// devices only. Returns the ids of links that were added, removed and changed.
  @discardableResult
  package func apply(_ plans: [LinkPlan]) async -> Outcome {
    let task = Task { [applying] in
      _ = await applying?.value
      return await carryOut(plans)
    }
    applying = task
    return await task.value
  }

  private func carryOut(_ plans: [LinkPlan]) async -> Outcome {
    var outcome: Outcome = ([], [], [])
    var ending: [LinkGuard] = []
    let wanted = Dictionary(plans.map { ($0.id, $0) }) { first, _ in first }
    for (count, (id, link)) in guards.enumerated() {
      if count % Self.turn == Self.turn - 1 { await Task.yield() }
      let old = await link.plan
      if let new = wanted[id], new.sameLink(as: old) {
        guard new != old else { continue }
        await link.update(new)
        outcome.changed.append(id)
      } else {
        ending.append(link)
        guards[id] = nil
        if case .visitor(let visitor) = old.endpoint { hub?.leave(visitor, link.events.mailbox) }
        if wanted[id] == nil { outcome.removed.append(id) } else { outcome.changed.append(id) }
      }
    }
    await Self.stop(ending)
    let changed = Set(outcome.changed)
    let visitors = plans.count { $0.isVisited }
    var started = 0
    for plan in plans where guards[plan.id] == nil {
      let link = LinkGuard(
        plan: plan, connecting: connecting, observer: observer, binding: binding, logger: logger, patience: patience,
        recall: recall, host: host, traceCapacity: Self.traceCapacity(plan, visitors: visitors))
      guards[plan.id] = link
      if case .visitor(let visitor) = plan.endpoint { hub?.register(visitor, adapter: plan.adapter, link.events.mailbox) }
      for device in plan.devices { if let id = device.id { places[id] = plan.id } }
      if !changed.contains(plan.id) { outcome.added.append(plan.id) }
      await link.start()
      started += 1
      if started % Self.turn == 0 { await Task.yield() }
    }
    return outcome
  }

  /// Bytes. One link a charger makes thousands of them, whose last words must not be most of the host's memory.
  private static func traceCapacity(_ plan: LinkPlan, visitors: Int) -> Int {
    guard plan.isVisited else { return TraceRing.defaultCapacity }
    return visitors > 1_000 ? 2_048 : 8_192
  }

  package func stop() async {
    let ending = Array(guards.values)
    guards = [:]
    await Self.stop(ending)
  }

  /// All at the same time: one that hangs costs its limit once.
  private static func stop(_ links: [LinkGuard]) async {
    await withTaskGroup(of: Void.self) { group in
      for link in links { group.addTask { await link.stop(within: .seconds(5)) } }
    }
  }

  /// Returns when the manager and the guard of every link have come by.
  package func turn() async {
    for link in guards.values { await link.turn() }
  }

  /// The list of tags is another one.
  package func tagsChanged() async {
    for link in guards.values where await link.plan.isVisited { link.events.mailbox.put(.listChanged) }
  }

  package func pluginsChanged() async {
    for link in guards.values { await link.pluginsChanged() }
  }

  package func describe(_ device: DeviceID) async -> ControlledDevice? {
    guard let (link, _, memory) = await find(device) else { return nil }
    return ControlledDevice(
      id: device, writable: memory.plan.writable, points: memory.points, actions: memory.actions, known: memory.known,
      visits: await link.plan.isVisited)
  }

  /// As whom the device connects, and the security profile of OCPP with which it came last; nil where there is none, or the host
  /// connects to it.
  package func visitor(_ device: DeviceID) async -> (listener: String, identity: String, profile: Int)? {
    guard let (link, _, _) = await find(device), case .visitor(let visitor) = await link.plan.endpoint else { return nil }
    return (visitor.listener, visitor.identity, await link.profile)
  }

  package func write(_ write: DeviceWrite) async -> DeviceWriteResult {
    guard let (link, number, _) = await find(write.device) else {
      return .refused(.unknownDevice, "there is no device \(write.device)")
    }
    return await withCheckedContinuation { continuation in
      Task {
        await link.enqueue(
          LinkGuard.PendingWrite(write: write, device: number) { continuation.resume(returning: $0) })
      }
    }
  }

  /// A fresh reading of some points, or of all. Nil = no such device.
  package func read(_ device: DeviceID, points: [String]?) async -> Result<[Reading.Item], ReadFailure>? {
    guard let (link, number, memory) = await find(device) else { return nil }
    let unknown = (points ?? []).filter { name in !memory.points.contains { $0.name == name } }
    guard unknown.isEmpty || !memory.known else {
      return .failure(ReadFailure(text: "\(device) has no point \(unknown.joined(separator: ", "))", unknownPoint: true))
    }
    let silent = memory.points.filter { !$0.readable && points?.contains($0.name) == true }.map(\.name)
    guard silent.isEmpty else {
      return .failure(
        ReadFailure(text: "\(device) never tells \(silent.joined(separator: ", ")): it can only be written", unknownPoint: true))
    }
    let result: Result<[Reading.Item], CallResult> = await withCheckedContinuation { continuation in
      Task {
        await link.enqueue(
          LinkGuard.PendingRead(device: number, points: points) { continuation.resume(returning: $0) })
      }
    }
    return result.mapError { ReadFailure(text: $0.text, unknownPoint: false) }
  }

  package func links() async -> [LinkSnapshot] {
    var all: [LinkSnapshot] = []
    for link in guards.values {
      all.append(await link.snapshot())
      if all.count % Self.turn == 0 { await Task.yield() }
    }
    return all.sorted { $0.id < $1.id }
  }

  private func find(_ device: DeviceID) async -> (LinkGuard, UInt32, DeviceMemory)? {
    if let id = places[device], let link = guards[id], let (number, memory) = await link.find(device) { return (link, number, memory) }
    places[device] = nil
    for (id, link) in guards {
      if let (number, memory) = await link.find(device) {
        places[device] = id
        return (link, number, memory)
      }
    }
    return nil
  }
}

package struct ReadFailure: Error, Sendable, Equatable {
  package var text: String
  package var unknownPoint: Bool

  package init(text: String, unknownPoint: Bool) {
    self.text = text
    self.unknownPoint = unknownPoint
  }
}

/// A link and its devices at one moment.
package struct LinkSnapshot: Sendable {
  package struct Device: Sendable {
    package var memory: DeviceMemory
    package var info: DeviceInfo?
    package var state: DeviceState
    package var reason: String?
    package var since: Int64
    package var quality: LinkQuality
    package var missedPolls: Int
    /// Polls so far, and nanoseconds that they took.
    package var polls: Int
    package var pollTime: Int64
  }

  package var id: String
  package var adapter: String
  package var endpoint: String
  package var state: String
  package var reason: String?
  package var calls: Int
  package var overruns: Int
  /// Openings after the first one.
  package var reconnects: Int
  /// Commands and readings on request that wait for the link.
  package var waitingWrites: Int
  package var waitingReads: Int
  package var devices: [Device]
}

extension LinkGuard {
  func find(_ id: DeviceID) -> (UInt32, DeviceMemory)? {
    devices.first { $0.value.memory.id == id && !removals.contains($0.key) }.map { ($0.key, $0.value.memory) }
  }

  func snapshot() -> LinkSnapshot {
    let state =
      switch phase {
      case .open: "open"
      case .closed: reason == nil ? "connecting" : "closed"
      case .stuck: "stuck"
      case .attention: "needs-attention"
      }
    let list = devices.sorted { $0.key < $1.key }.map { _, device in
      LinkSnapshot.Device(
        memory: device.memory, info: device.memory.info(adapter: plan.adapter, link: plan.id), state: device.health.state,
        reason: device.health.reason, since: device.health.since, quality: device.health.quality,
        missedPolls: device.schedule.missed, polls: device.health.polls, pollTime: device.health.pollTime)
    }
    return LinkSnapshot(
      id: plan.id, adapter: plan.adapter, endpoint: plan.endpointText, state: state, reason: reason, calls: calls,
      overruns: overruns, reconnects: max(0, opened - 1), waitingWrites: writes.count, waitingReads: reads.count, devices: list)
  }
}
