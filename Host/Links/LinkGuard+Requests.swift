// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem

extension LinkGuard {
  func perform(_ pending: PendingWrite) async {
    guard let device = devices[pending.device] else { return pending.answer(.failed("the device was removed")) }
    if !device.added { await poll(pending.device) }
    guard let connection, phase == .open, devices[pending.device]?.added == true else {
      return pending.answer(.failed(devices[pending.device]?.health.reason ?? "the device is not there"))
    }
    let write = pending.write
    let now = Clock.boot()
    guard now < write.validUntil else { return pending.answer(.expired) }
    let verb: AdapterCommand.Verb
    switch write.verb {
    case .set(let point, let value):
      guard let number = device.memory.pointID(point) else {
        return pending.answer(.refused(.unknownPoint, "the device has no point \(point)"))
      }
      verb = .set(point: number, value: value)
    case .action(let name, let arguments): verb = .action(name: name, arguments: JSONValue.object(arguments).text)
    }
    let command = AdapterCommand(
      device: pending.device, verb: verb, id: write.id, dryRun: write.dryRun, refresh: write.purpose == .refresh,
      safe: write.purpose == .safe, validUntil: write.validUntil)
    let deadline = min(write.validUntil, now + patience)
    let answer = await deliver(command, deadline, connection)
    if case .pending(let token, let atMost) = answer {
      mostPending = atMost
      return events.mailbox.commandReturned(pending: token, until: Clock.boot() + Self.answerTime) { pending.answer(Self.result($0)) }
    }
    events.mailbox.commandReturned()
    pending.answer(answer.map(Self.result) ?? .unknown("the plugin did not return in time"))
    if case .set = write.verb, !write.dryRun { devices[pending.device]?.schedule.hurry() }
  }

  /// How long a device may take for what a plugin ends later, nanoseconds.
  private static let answerTime: Int64 = 60_000_000_000

  private static func result(_ result: CommandResult) -> DeviceWriteResult {
    switch result {
    case .done(let value): .done(value)
    case .accepted: .accepted
    // The request was fine; the device would not.
    case .refused(let text): .failed(text)
    case .unknown(let text): .unknown(text)
    case .pending: .unknown("the adapter does not say how it ended")
    case .failed(let call):
      switch call.failure {
      case _ where call.reason == .wear: .refused(.wearBudget, call.text)
      case _ where call.reason == .range: .refused(.invalid, call.text)
      case .unsupported: .refused(.unsupported, call.text)
      default: .failed(call.text.isEmpty ? "the device was not reached" : call.text)
      }
    }
  }

  func perform(_ read: PendingRead) async {
    if devices[read.device]?.added == false { await poll(read.device) }
    guard let memory = devices[read.device]?.memory, phase == .open, devices[read.device]?.added == true else {
      let text = devices[read.device]?.health.reason ?? reason ?? "the device is not there"
      return read.answer(.failure(CallResult(failure: .transient, reason: .unspecified, text: text)))
    }
    let wanted = read.points.map(Set.init)
    let due = memory.with { state in state.points.filter { $0.point.readable && wanted?.contains($0.point.name) ?? true }.map(\.id) }
    guard let result = await pollNow(read.device, due: due) else {
      return read.answer(.failure(CallResult(failure: .transient, reason: .timeout, text: reason ?? "no answer")))
    }
    let items = memory.with { $0.polled }
    // A command came between: once more after it.
    if cutShort, !stopping, result.failure == .cancelled || items.count < due.count {
      return reads.insert(read, at: 0)
    }
    read.answer(result.failure == nil ? .success(items) : .failure(result))
  }

  /// Sends what the points of a device have instead of values; all that are due where none are named.
  func publishBad(_ number: UInt32, _ reason: BadReason, points: [UInt32]? = nil) {
    guard let device = devices[number] else { return }
    let wanted = points ?? device.schedule.due(at: Clock.boot())
    let known = device.memory.with { $0.points }
    let items = known.filter { wanted.contains($0.id) }.map { Reading.Item($0.point, bad: reason) }
    guard !items.isEmpty else { return }
    events.missing(number, items)
    devices[number]?.schedule.polled(wanted, at: Clock.boot())
  }

  /// Status and info where they changed; the numbers in between once a minute.
  func announce(_ number: UInt32) {
    guard let device = devices[number] else { return }
    let changed = device.memory.with { state in
      defer { state.infoChanged = false }
      return state.infoChanged
    }
    if changed, let info = device.memory.info(adapter: plan.adapter, link: plan.id) { observer.info(info) }
    guard let id = device.memory.id else { return }
    let (state, why, alarms) = (device.health.state, device.health.reason, device.memory.activeProblems)
    let now = Clock.boot()
    if let last = device.announced, !changed, last.state == state, last.reason == why, last.alarms == alarms,
      now - last.at < 60_000_000_000
    { return }
    devices[number]?.announced = (state, why, alarms, now)
    observer.status(
      DeviceStatus(
        device: id, state: state, reason: why, since: device.health.since, quality: device.health.quality, alarms: alarms))
  }
}
