// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarModel

/// One request, from its lane to its answer.
extension Arbiter {
  /// `recorded`: the journal knows the request, so it is told that it leaves.
  func carryOut(_ request: CommandRequest, recorded: Bool) async -> CommandResponse {
    let lane = Lane(request)
    do throws(CommandStop) {
      // The age counts from receipt, not from when the lane was free.
      let check = CommandCheck(boot: clock.boot(), unix: clock.unix())
      try await take(lane)
      defer { leave(lane) }
      let device = await writer.describe(request.device)
      let command = try check.check(request, on: device)
      guard command.expiry > clock.boot() else { throw .expired("its time passed before its turn came") }
      switch command.work {
      case .action(let name, let arguments):
        let result = try await send(request, .action(name: name, arguments: arguments), command.expiry, recorded)
        return answer(request, result, written: nil, expiry: command.expiry)
      case .setting(let point, let value):
        let result = try await send(request, .set(point: point.name, value: value), command.expiry, recorded)
        return answer(request, result, written: value, expiry: command.expiry)
      case .release(let point):
        return await release(request, PointKey(device: request.device, point: point.name))
      case .lease(let point, let lease):
        return try await grant(request, lease, at: point, recorded)
      }
    } catch {
      return answer(request, error)
    }
  }

  private func grant(
    _ request: CommandRequest, _ lease: Lease, at point: PointDescriptor, _ recorded: Bool
  ) async throws(CommandStop) -> CommandResponse {
    let key = PointKey(device: request.device, point: point.name)
    if !request.dryRun, table.inherited(key) != nil {
      await attend(key, urgent: true)
      guard table.inherited(key) == nil else {
        throw .failed(
          "the safe value owed from before the start has to be written first, and \(key.device) did not take it")
      }
    }
    var winner = lease
    switch table.verdict(on: lease, at: point, of: key, now: clock.boot()) {
    case .applies: break
    case .behind(let other): winner = other
    case .overruled(let other): return overruled(request, by: other)
    case .full:
      throw .failed("\(LeaseTable.ownersPerPoint) owners hold leases on \(key) already: release one or wait")
    }
    var response = CommandResponse(id: request.id, time: clock.unix(), status: .accepted, value: winner.value)
    var certain = true
    let write = winner == lease || !table.holds(key, winner.value)
    if write {
      if !request.dryRun { try owe(key, winner.safe) }
      let result: DeviceWriteResult
      do throws(CommandStop) {
        result = try await send(request, .set(point: point.name, value: winner.value), winner.expiry, recorded)
      } catch {
        settle(key)
        throw error
      }
      response = answer(request, result, written: winner.value, expiry: winner.expiry)
      certain = response.status != .unknown
      guard [.done, .accepted, .unknown].contains(response.status), !request.dryRun else {
        if !request.dryRun { settle(key) }
        return response
      }
    }
    if winner != lease {
      if response.status == .done { response.status = .accepted }
      response.by = winner.owner
      response.until = unix(ofBoot: winner.expiry)
      response.text = response.text ?? "a more restrictive limit of '\(winner.owner)' applies"
    } else if let safe = request.safe, safe.number != lease.safe.number || safe.number == nil && safe != lease.safe {
      response.text = response.text ?? "it will go back to the template's safe value \(lease.safe), not to 'safe'"
    }
    guard !request.dryRun else { return response }
    table.grant(lease, at: point, of: key)
    if write { table.written(key, value: winner.value, certain: certain, now: clock.boot()) }
    look(at: key)
    return response
  }

  private func release(_ request: CommandRequest, _ key: PointKey) async -> CommandResponse {
    var response = CommandResponse(id: request.id, time: clock.unix(), status: .done)
    if request.dryRun {
      response.text = "a release would be carried out"
      return response
    }
    guard table.release(key, owner: request.owner) || table.inherited(key) != nil else {
      response.value = table.effective(key, now: clock.boot())?.value
      response.text = "'\(request.owner)' holds no lease on \(key)"
      return response
    }
    let now = clock.boot()
    let next = table.effective(key, now: now)?.value ?? table.debt(key, now: now)
    await attend(key, urgent: true)
    if let next, table.holds(key, next) || table.debt(key, now: clock.boot()) == nil {
      response.value = next
    } else {
      response.status = .accepted
      response.text =
        "released; \(key.device) has not taken the value that follows yet, it is tried again until it does"
    }
    return response
  }

  private func overruled(_ request: CommandRequest, by lease: Lease) -> CommandResponse {
    CommandResponse(
      id: request.id, time: clock.unix(), status: .refused, value: lease.value, reason: .overruled, by: lease.owner,
      until: unix(ofBoot: lease.expiry),
      text: "'\(lease.owner)' leads this point with priority \(lease.priority.rawValue)")
  }

  private func send(
    _ request: CommandRequest, _ verb: DeviceWrite.Verb, _ expiry: Int64, _ recorded: Bool
  ) async throws(CommandStop) -> DeviceWriteResult {
    if recorded {
      do { try journal.sent(id: request.id) } catch { throw journalFailed(error) }
    }
    return await writer.write(
      DeviceWrite(
        device: request.device, verb: verb, purpose: .command, id: request.id, dryRun: request.dryRun,
        validUntil: min(expiry, clock.boot() + Self.patience)))
  }

  private func answer(
    _ request: CommandRequest, _ result: DeviceWriteResult, written: Value?, expiry: Int64
  ) -> CommandResponse {
    var response = CommandResponse(id: request.id, time: clock.unix(), status: .done)
    switch result {
    case .done(let readBack): response.value = readBack ?? written
    case .accepted:
      response.status = .accepted
      response.value = written
    case .refused(let reason, let text):
      response.status = .refused
      response.reason = reason
      response.text = text
    case .failed(let text):
      response.status = .failed
      response.text = text
    case .unknown(let text):
      response.status = .unknown
      response.text = text
    case .expired where expiry <= clock.boot():
      response.status = .expired
      response.text = "its time passed before it could be sent"
    case .expired:
      response.status = .failed
      response.text = "it could not be sent within \(Self.patience / 1_000_000_000) s"
    }
    return response
  }
}
