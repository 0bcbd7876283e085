// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Logging
internal import Synchronization

/// Takes what a link's plugin tells during its calls. Values go upward at once, on the plugin's thread; the guard looks
/// at the rest when the call has ended.
final class LinkEvents: AdapterEvents {
  private let observer: any LinkObserver
  private let binding: any IdentityBinding
  let frames: LinkTrace
  let mailbox: LinkMailbox
  var trace: (any FrameRecording)? { frames }
  var services: any LinkServices { mailbox }
  private let recall: any CountRecall
  private let logger: Logger
  private let devices = DeviceTable()
  private let watcher = Mutex(Watcher())

  // A closure that is a mutex's own value is wrapped once more at each access; in a field it is not.
  private struct Watcher {
    var changed: (@Sendable () -> Void)?
  }

  init(
    link: String, frames: LinkTrace = LinkTrace(), observer: any LinkObserver, binding: any IdentityBinding,
    recall: any CountRecall, host: any LinkHost, logger: Logger
  ) {
    self.frames = frames
    mailbox = LinkMailbox(trace: frames, desk: HostDesk(link: link, devices: devices, host: host))
    self.observer = observer
    self.binding = binding
    self.recall = recall
    self.logger = logger
  }

  subscript(_ device: UInt32) -> DeviceMemory? {
    get { devices[device] }
    set { devices[device] = newValue }
  }

  func watchCondition(_ changed: @escaping @Sendable () -> Void) { watcher.withLock { $0.changed = changed } }

  func conditionChanged() { watcher.withLock { $0.changed }?() }

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {
    self[device]?.with { state in
      if state.renumbered { state.points = [] }
      state.renumbered = false
      for (id, point) in points {
        if let index = state.points.firstIndex(where: { $0.id == id || $0.point.name == point.name }) {
          state.points[index] = (id, point)
        } else {
          state.points.append((id, point))
        }
      }
      state.judge.declare(points)
      state.infoChanged = true
    }
  }

  func identified(_ device: UInt32, _ identity: DeviceIdentity) {
    guard let memory = self[device] else { return }
    let plan = memory.plan
    let derived = memory.with { state in
      func merge(_ new: String, _ old: inout String) {
        guard !new.isEmpty, new != old else { return }
        old = new
        state.infoChanged = true
      }
      merge(identity.vendor, &state.identity.vendor)
      merge(identity.model, &state.identity.model)
      merge(identity.serial, &state.identity.serial)
      merge(identity.firmware, &state.identity.firmware)
      if let actions = identity.actions, actions != state.actions {
        state.actions = actions
        state.infoChanged = true
      }
      let serial = state.identity.serial
      // An id that a person gave stays; one that was made belongs to the serial number, not to the address.
      guard plan.id == nil, !serial.isEmpty, state.id?.names(serial: serial) != true else { return nil as DeviceID? }
      let vendor = state.identity.vendor.isEmpty ? plan.vendor ?? "" : state.identity.vendor
      return DeviceID.derived(kind: plan.kind, vendor: vendor, serial: serial)
    }
    guard let derived, derived != memory.id else { return }
    // The database is asked outside of the lock.
    let bound = binding.bind(derived, toKey: plan.key)
    let former = memory.with { state in
      defer {
        state.id = bound
        state.infoChanged = true
        state.latest = []
        state.judge.forget()
      }
      return state.id
    }
    guard let former else { return }
    let quality = LinkQuality(success: 0, p50_ms: 0, p95_ms: 0, errors: [:], reconnects: 0)
    observer.status(
      DeviceStatus(
        device: former, state: .offline, reason: "\(bound) answers at its address now", since: Clock.unixMilliseconds(),
        quality: quality, alarms: []))
  }

  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {
    guard let memory = self[device] else { return }
    let now = Clock.boot()
    if let id = memory.id, memory.with({ $0.judge.lacksCounts }) {
      let counts = counts(of: id)
      memory.with { $0.judge.restore(counts, now: now) }
    }
    let age = Clock.unix() - time
    let isQueued = age > Self.transport
    let taken = isQueued ? now - min(age, Self.unknownAge) : now
    let (judged, notices) = memory.with { $0.judge.take(items, now: now, taken: taken, deviceTime: deviceTime) }
    publish(memory, judged, time: time, deviceTime: deviceTime, isQueued: isQueued, durable: durable)
    if !notices.isEmpty { tell(notices, device, memory) }
  }

  /// The last counts with their age; one from the future says that a clock is not right, and nothing about the time
  /// between.
  private func counts(of id: DeviceID) -> [(point: String, value: Double, age: Int64)] {
    let wall = Clock.unix()
    return recall.lastCounts(of: id).map { count in
      (count.point, count.value, wall >= count.time ? wall - count.time : Self.unknownAge)
    }
  }

  /// A reading that is older than this, nanoseconds, was not taken just now: the device has kept it.
  private static let transport: Int64 = 2_000_000_000
  /// A year.
  private static let unknownAge: Int64 = 365 * 86_400 * 1_000_000_000

  /// What points have instead of values.
  func missing(_ device: UInt32, _ items: [Reading.Item]) {
    guard let memory = self[device] else { return }
    publish(memory, items, time: Clock.unix(), deviceTime: nil, durable: false)
  }

  private func publish(
    _ memory: DeviceMemory, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, isQueued: Bool = false, durable: Bool
  ) {
    memory.remember(items, time: time, isQueued: isQueued)
    guard let id = memory.id, !items.isEmpty else { return }
    observer.reading(Reading(device: id, time: time, deviceTime: deviceTime, items: items, durable: durable))
  }

  /// Says in the log what began and ended, once each; the alarm is up while any point of the device is doubted.
  func tell(_ notices: [DeviceJudge.Notice], _ device: UInt32, _ memory: DeviceMemory) {
    let name = memory.id?.rawValue ?? memory.plan.name
    var last = ""
    for notice in notices {
      switch notice {
      case .began(let point, let why, let value):
        last = "\(point): \(why.sentence)"
        let seen = value.map { " (\(Value.number($0)))" } ?? ""
        logger.warning("implausible value\(seen)", metadata: ["device": "\(name)", "reason": "\(last)"])
      case .ended(let point, let count):
        last = "\(point) is plausible again; \(count) readings were not"
        logger.notice("\(last)", metadata: ["device": "\(name)"])
      case .counter(let point, let from, let to, let fell):
        let what = fell ? "starts over" : "goes on from further ahead"
        let text = "\(point): the counter \(what), from \(Value.number(from)) to \(Value.number(to))"
        logger.warning("\(text)", metadata: ["device": "\(name)"])
        // Something that happened, not a state: it is over as soon as it is told.
        guard let id = memory.id else { continue }
        for active in [true, false] {
          observer.alarm(
            Alarm(device: id, name: fell ? "CounterReset" : "CounterJump", active: active, text: text, time: Clock.unix()))
        }
      }
    }
    problem(device, name: "ImplausibleValue", active: memory.with { $0.judge.doubtful }, text: last)
  }

  func problem(_ device: UInt32, name: String, active: Bool, text: String) {
    guard let memory = self[device] else { return }
    let changed = memory.with { state in
      // Without an id nobody can be told, now or that it is over.
      guard state.id != nil, state.activeProblems.contains(name) != active else { return false }
      if active { state.activeProblems.append(name) } else { state.activeProblems.removeAll { $0 == name } }
      return true
    }
    guard changed, let id = memory.id else { return }
    observer.alarm(Alarm(device: id, name: name, active: active, text: text, time: Clock.unix()))
  }
}
