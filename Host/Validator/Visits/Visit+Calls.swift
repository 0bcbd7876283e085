// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// The calls of a case, in a row with the events.
extension Visit: AdapterConnection {
  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    state.withLock { $0.isAlive = true }
    call(completion) { [self] inner, answered in
      inner.open(deadline: deadline) { [self] result in
        state.withLock { $0.isOpen = result.failure == nil }
        answered(result)
      }
    }
  }

  func add(_ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    call(completion) { $0.add(device, deadline: deadline, completion: $1) }
  }

  func remove(_ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    call(completion) { $0.remove(device, deadline: deadline, completion: $1) }
  }

  func poll(_ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    call(completion) { $0.poll(device, due: due, deadline: deadline, completion: $1) }
  }

  func scan(_ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void) {
    call(completion) { $0.scan(step, deadline: deadline, completion: $1) }
  }

  func event(_ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    call(completion) { $0.event(event, deadline: deadline, completion: $1) }
  }

  /// Ends with the plugin's word, or as unknown where it says none by the deadline.
  func command(_ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void) {
    put(
      .call { [self] done in
        guard let inner = state.withLock({ $0.inner }) else { return done() }
        state.withLock { $0.isCommanding = true }
        inner.command(command, deadline: deadline) { [self] result in
          let early = state.withLock { state in
            state.isCommanding = false
            defer { state.early = [:] }
            if case .pending(let token, _) = result { return state.early[token] }
            return nil
          }
          done()
          if let early { return completion(early) }
          guard case .pending(let token, _) = result else { return completion(result) }
          wait(for: token, until: deadline, completion)
        }
      })
  }

  private func wait(for token: UInt64, until deadline: Int64, _ answer: @escaping @Sendable (CommandResult) -> Void) {
    state.withLock { state in
      let alarm = alarms.alarm(at: deadline) {
        guard let pending = self.state.withLock({ $0.commands.removeValue(forKey: token) }) else { return }
        pending.answer(.unknown("the device did not answer in time"))
        self.put(.abandoned(token: token))
      }
      state.commands[token] = Pending(answer: answer, alarm: alarm)
    }
  }

  /// With the end of the link everything ends that waits; the plugin hears of it by its `close`.
  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    let (connection, commands) = state.withLock { state in
      (state.isAlive, state.isOpen) = (false, false)
      for timer in state.timers.values { alarms.cancel(timer.alarm) }
      state.jobs.removeAll { if case .event = $0 { true } else { false } }
      defer {
        (state.newest, state.told, state.timers, state.commands) = (nil, nil, [:], [:])
      }
      return (state.newest ?? state.told, Array(state.commands.values))
    }
    door.leave(self)
    connection?.close(code: 1012, reason: "the link is closed")
    for command in commands {
      alarms.cancel(command.alarm)
      command.answer(.unknown("the link was closed before the device answered"))
    }
    call(completion) { $0.close(deadline: deadline, completion: $1) }
  }

  func cancel() { state.withLock { $0.inner }?.cancel() }

  func retire() { state.withLock { $0.inner.take() }?.retire() }

  private func call<Answer: Sendable>(
    _ completion: @escaping @Sendable (Answer) -> Void,
    _ body: @escaping @Sendable (any AdapterConnection, @escaping @Sendable (Answer) -> Void) -> Void
  ) {
    put(
      .call { [self] done in
        guard let inner = state.withLock({ $0.inner }) else { return done() }
        body(inner) { answer in
          done()
          completion(answer)
        }
      })
  }
}
