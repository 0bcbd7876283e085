// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarPlugins
internal import BusbarSystem

/// What a device that is not in service said when it was read once.
package struct TrialReading: Sendable {
  package var items: [Reading.Item]
  package var identity: DeviceIdentity
}

extension LinkGuard {
  func enqueue(_ scan: PendingScan) {
    guard !stopping, scans.count < 16 else {
      return scan.answer(ScanResult(CallResult(failure: .transient, reason: .unspecified, text: "the link is busy")))
    }
    scans.append(scan)
    signal()
  }

  func enqueue(_ trial: PendingTrial) {
    guard !stopping, trials.count < 16 else {
      return trial.answer(.failure(CallResult(failure: .transient, reason: .unspecified, text: "the link is busy")))
    }
    trials.append(trial)
    signal()
  }

  /// Answers searches and trials that wait.
  func failSearching(_ result: CallResult) {
    for scan in scans { scan.answer(ScanResult(result)) }
    scans = []
    for trial in trials { trial.answer(.failure(result)) }
    trials = []
  }

  /// A step that a command cut short is begun again.
  func perform(_ scan: PendingScan) async {
    guard let connection, phase == .open else {
      return scan.answer(ScanResult(CallResult(failure: .transient, reason: .unspecified, text: reason ?? "the link is not open")))
    }
    let deadline = Clock.boot() + patience
    polling = true
    cutShort = false
    let answer: ScanResult? = await call(connection, until: deadline) {
      connection.scan(scan.step, deadline: deadline, completion: $0)
    }
    polling = false
    guard let answer else {
      return scan.answer(ScanResult(CallResult(failure: .transient, reason: .timeout, text: "the plugin did not return in time")))
    }
    if cutShort, answer.result.failure == .cancelled, !stopping { return scans.insert(scan, at: 0) }
    scan.answer(answer)
    if answer.result.reason == .closed { reopen() }
  }

  /// Adds the device, reads it once and removes it. It has no id meanwhile, so nothing of it goes upward.
  func perform(_ trial: PendingTrial) async {
    guard let connection, phase == .open else {
      return trial.answer(.failure(CallResult(failure: .transient, reason: .unspecified, text: reason ?? "the link is not open")))
    }
    lastNumber += 1
    let number = lastNumber
    var plan = trial.device
    // An id that was given is not bound to what answers.
    plan.id = plan.id ?? DeviceID(rawValue: "trial")
    let memory = DeviceMemory(plan, id: nil)
    events[number] = memory
    defer { events[number] = nil }
    let result = await read(number, memory, connection)
    if phase == .open {
      let deadline = Clock.boot() + patience
      let _: CallResult? = await call(connection, until: deadline) { connection.remove(number, deadline: deadline, completion: $0) }
    }
    switch result {
    case nil:
      trial.answer(.failure(CallResult(failure: .transient, reason: .timeout, text: "the plugin did not return in time")))
    case let result? where result.failure != nil:
      trial.answer(.failure(result))
      if result.reason == .closed { reopen() }
    default:
      trial.answer(.success(memory.with { TrialReading(items: $0.polled, identity: $0.identity) }))
    }
  }

  private func read(_ number: UInt32, _ memory: DeviceMemory, _ connection: any AdapterConnection) async -> CallResult? {
    let setup = DeviceSetup(
      number: number, name: memory.plan.name, config: memory.plan.config, templateBody: memory.plan.templateBody)
    let added = Clock.boot() + patience
    let answer: CallResult? = await call(connection, until: added) { connection.add(setup, deadline: added, completion: $0) }
    guard let answer, answer.failure == nil else { return answer }
    let due = memory.with { $0.points.filter(\.point.readable).map(\.id) }
    let deadline = Clock.boot() + patience
    return await call(connection, until: deadline) { connection.poll(number, due: due, deadline: deadline, completion: $0) }
  }
}
