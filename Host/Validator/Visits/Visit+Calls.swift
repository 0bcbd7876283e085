// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import Synchronization

/// The calls of a case, in a row with the events.
extension Visit: AdapterConnection {
  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    mailbox.prepare()
    call(completion) { [mailbox] inner, answered in
      inner.open(deadline: deadline) { result in
        mailbox.setOpen(result.failure == nil)
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
    put(beforeEvents: true) { [self] done in
      guard let inner = state.withLock({ $0.inner }) else { return done() }
      mailbox.commandBegins()
      inner.command(command, deadline: deadline) { [mailbox] result in
        if case .pending(let token, _) = result {
          mailbox.commandReturned(pending: token, until: deadline, answer: completion)
          return done()
        }
        mailbox.commandReturned()
        done()
        completion(result)
      }
    }
  }

  /// What waits is forgotten before the plugin hears of the end, as in a host.
  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    mailbox.setOpen(false)
    door.leave(self)
    call(completion) { $0.close(deadline: deadline, completion: $1) }
  }

  func cancel() { state.withLock { $0.inner }?.cancel() }

  func retire() { state.withLock { $0.inner.take() }?.retire() }

  private func call<Answer: Sendable>(
    _ completion: @escaping @Sendable (Answer) -> Void,
    _ body: @escaping @Sendable (any AdapterConnection, @escaping @Sendable (Answer) -> Void) -> Void
  ) {
    put { [self] done in
      guard let inner = state.withLock({ $0.inner }) else { return done() }
      body(inner) { answer in
        done()
        completion(answer)
      }
    }
  }
}
