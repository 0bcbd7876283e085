// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
package import BusbarModel
internal import Logging

/// What happens without a request: leases end, values are refreshed, safe values are owed and paid.
extension Arbiter {
  /// Reads what the last run left behind: commands that were sent get the answer `unknown`, safe values that are owed are
  /// written before anything else, each as soon as its device takes it.
  package func recover() async {
    do {
      for command in try journal.unfinished() { close(command) }
    } catch {
      logger.error("commands of the last run cannot be read", metadata: ["error": "\(error)"])
    }
    do {
      for debt in try journal.debts() {
        let key = PointKey(device: debt.device, point: debt.point)
        table.inherit(key, safe: debt.safe)
        owed[key] = debt.safe
        looks[key] = clock.boot()
      }
    } catch {
      logger.error("safe values owed from the last run cannot be read", metadata: ["error": "\(error)"])
    }
    if !looks.isEmpty {
      logger.notice("safe values are owed from before the start", metadata: ["points": "\(looks.count)"])
    }
    state = .serving
    arm()
  }

  /// The device answers, for the first time or again: what it is owed is written at once.
  package func deviceReady(_ device: DeviceID) {
    table.contact(device)
    let now = clock.boot()
    for key in table.keys where key.device == device { looks[key] = now }
    arm()
  }

  /// Carries out all that is due by the clock and returns when it is done or has failed. The arbiter does this by itself;
  /// calling it does no harm.
  package func timePassed() async {
    let due = takeDue()
    await withTaskGroup { group in
      for key in due { group.addTask { await self.attend(key) } }
    }
  }

  /// Ends all leases and writes the safe values, for `time` at most. What could not be written stays owed and is written
  /// first after the next start. No request is served from now on.
  package func shutdown(within time: Duration) async {
    guard state == .new || state == .serving else { return }
    state = .stopping
    for key in table.keys {
      table.releaseAll(key)
      table.urge(key)
      looks[key] = clock.boot()
    }
    arm()
    if !isAtRest {
      let clock = clock
      let deadline = clock.boot() + time.nanoseconds
      let limit = Task {
        try? await clock.sleep(until: deadline)
        farewellNow()
      }
      await withCheckedContinuation { farewell = $0 }
      limit.cancel()
    }
    state = .stopped
    looks = [:]
    arm()
    if !owed.isEmpty {
      logger.warning(
        "safe values could not be written and stay owed",
        metadata: ["points": "\(owed.keys.map(\.description).sorted().joined(separator: ", "))"])
    }
  }

  /// The devices leave the host: their leases end, and the safe values are written while the devices can still be
  /// reached. Returns when each was written or refused once; what was not taken stays owed.
  package func retire(_ devices: Set<DeviceID>) async {
    let leaving = table.keys.filter { devices.contains($0.device) }
    for key in leaving {
      table.releaseAll(key)
      table.urge(key)
    }
    await withTaskGroup { group in
      for key in leaving { group.addTask { await self.attend(key) } }
    }
  }

  // MARK: Looking after a point

  /// Writes what the point lacks until nothing is due. `urgent`: the caller holds the lane, and back-off does not count.
  func attend(_ key: PointKey, urgent: Bool = false) async {
    if urgent {
      table.urge(key)
    } else {
      // Who goes first is never refused.
      try? await take(.point(key), first: true)
    }
    defer { if !urgent { leave(.point(key)) } }
    while true {
      // Also the lease of a write that was under way when the host was told to stop.
      if state == .stopping { table.releaseAll(key) }
      let step = table.step(key, now: clock.boot())
      switch step {
      case .idle, .wait:
        if !urgent { attended.remove(key) }
        if case .wait(let until) = step { looks[key] = until } else { looks[key] = nil }
        settle(key)
        arm()
        return
      case .write(let value, let purpose, let lease):
        await supply(key, value, purpose, lease)
      }
    }
  }

  private func supply(_ key: PointKey, _ value: Value, _ purpose: DeviceWrite.Purpose, _ lease: Lease?) async {
    if let lease, owed[key] != lease.safe {
      do throws(CommandStop) { try owe(key, lease.safe) } catch {
        // With another safe value on record the point is not left alone; without any it keeps what it has.
        if owed[key] == nil { return failed(key, value, error.text, perhapsSent: false) }
      }
    }
    let now = clock.boot()
    let result = await writer.write(
      DeviceWrite(
        device: key.device, verb: .set(point: key.point, value: value), purpose: purpose, id: ownID(purpose),
        validUntil: min(lease?.expiry ?? .max, now + Self.patience)))
    switch result {
    case .done, .accepted:
      let failures = table.failures(key)
      table.written(key, value: value, certain: true, now: clock.boot())
      if failures > 0 {
        logger.notice(
          "the device took the value again",
          metadata: ["point": "\(key)", "value": "\(value)", "failed": "\(failures)"])
      }
    case .refused(_, let text), .failed(let text): failed(key, value, text, perhapsSent: false)
    case .unknown(let text): failed(key, value, text, perhapsSent: true)
    case .expired: failed(key, value, "it could not be sent in time", perhapsSent: false)
    }
  }

  private func failed(_ key: PointKey, _ value: Value, _ text: String, perhapsSent: Bool) {
    guard table.failed(key, value: value, perhapsSent: perhapsSent, now: clock.boot()) == 1 else { return }
    logger.warning(
      "the device did not take a value it has to have; it is tried again until it does",
      metadata: ["point": "\(key)", "value": "\(value)", "reason": "\(text)"])
  }

  private func close(_ command: UnfinishedCommand) {
    let response = CommandResponse(id: command.id, time: clock.unix(), status: .unknown, text: Self.interrupted)
    do { try journal.finish(id: command.id, response: response) } catch {
      lost.insert(command.id)
      _ = journalFailed(error)
    }
  }

  // MARK: Debts

  /// On record before the value leaves: what the point has to go back to.
  func owe(_ key: PointKey, _ safe: Value) throws(CommandStop) {
    guard owed[key] != safe else { return }
    do { try journal.owe(SafeValueDebt(device: key.device, point: key.point, safe: safe)) } catch {
      throw journalFailed(error)
    }
    owed[key] = safe
  }

  /// Brings the record in line with what is held: paid where nothing is held, else the safe value of what applies.
  func settle(_ key: PointKey) {
    let debt = table.debt(key, now: clock.boot())
    guard owed[key] != debt else { return }
    do {
      if let debt {
        try journal.owe(SafeValueDebt(device: key.device, point: key.point, safe: debt))
      } else {
        try journal.settled(device: key.device, point: key.point)
      }
      owed[key] = debt
    } catch {
      // The record asks for more than is due, which costs one safe value too many after a start; it is tried again.
      _ = journalFailed(error)
      if debt == nil { looks[key] = clock.boot() + Self.patience }
    }
  }

  // MARK: Time

  /// The point's leases changed: look at it as soon as its lane is free.
  func look(at key: PointKey) {
    looks[key] = clock.boot()
    arm()
  }

  /// Sets the alarm clock to the next point that is not being looked at already.
  private func arm() {
    let next = state == .stopped ? nil : looks.filter { !attended.contains($0.key) }.values.min()
    guard alarmClock?.time != next else { return }
    alarmClock?.task.cancel()
    alarmClock = nil
    guard let next else { return }
    let clock = clock
    let task = Task {
      do { try await clock.sleep(until: next) } catch { return }
      alarmRang(next)
    }
    alarmClock = (next, task)
  }

  private func alarmRang(_ time: Int64) {
    guard alarmClock?.time == time else { return }
    alarmClock = nil
    for key in takeDue() { Task { await attend(key) } }
  }

  private func takeDue() -> [PointKey] {
    let now = clock.boot()
    let due = looks.filter { $0.value <= now && !attended.contains($0.key) }.map(\.key)
    attended.formUnion(due)
    arm()
    return due
  }

  // MARK: The end

  private var isAtRest: Bool { table.keys.isEmpty && lanes.isEmpty && running.isEmpty }

  func rest() {
    if state == .stopping, isAtRest { farewellNow() }
  }

  private func farewellNow() {
    farewell?.resume()
    farewell = nil
  }
}
