// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// The plugin's side. What is told of commands stands with them.
extension LinkMailbox: LinkServices {
  /// Questions about tags that have no answer yet.
  private static let questionLimit = 64
  private static let timerLimit = 64
  private static let wakeLimit = 64
  /// No timer comes more often, nanoseconds.
  private static let shortest: Int64 = 1_000_000

  package func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    guard let connection = state.withLock({ $0.told }) else { return .closed }
    guard connection.send(text ? .text(bytes) : .binary(bytes)) else { return connection.isOpen ? .full : .closed }
    record(.sent, text: text, bytes)
    return .taken
  }

  package func close(code: UInt16, reason: String) { state.withLock { $0.told }?.close(code: code, reason: reason) }

  package func timer(tag: UInt64, delay: Int64, period: Int64) {
    let now = Clock.boot()
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard delay >= 0 else {
        state.timers[tag] = nil
        return nil
      }
      guard state.isAlive, state.timers[tag] != nil || state.timers.count < Self.timerLimit else { return nil }
      let (due, overflow) = now.addingReportingOverflow(delay)
      state.timers[tag] = Timer(due: overflow ? .max : due, period: period == 0 ? 0 : max(period, Self.shortest))
      return state.notification()
    }
    notify?()
  }

  package func wake(tag: UInt64) {
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.isAlive, !state.wakes.contains(tag), state.wakes.count < Self.wakeLimit else { return nil }
      state.wakes.append(tag)
      return state.notification()
    }
    notify?()
  }

  package func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) {
    let life = state.withLock { state -> Int? in
      guard state.questions < Self.questionLimit else { return nil }
      state.questions += 1
      return state.lives
    }
    guard let life else { return put(.verdict(ticket: ticket, .undecided)) }
    desk.ask(device: device, tag: tag, kind: kind) { [weak self] answer in
      self?.state.withLock { $0.questions -= 1 }
      self?.put(.verdict(ticket: ticket, answer), in: life)
    }
  }

  package func tags() -> [UInt8] { desk.tags() }

  package func record(device: UInt32, kind: String, document: [UInt8]) -> String? {
    desk.record(device: device, kind: kind, document: document)
  }

  package func request(device: String, point: String, value: Double?, valid: Int64) -> String? {
    desk.request(device: device, point: point, value: value, valid: valid)
  }
}

extension LinkMailbox.State {
  /// The tag of a timer whose time has come.
  mutating func dueTimer(_ now: Int64) -> UInt64? {
    guard let (tag, timer) = timers.min(by: { $0.value.due < $1.value.due }), timer.due <= now else { return nil }
    // A late timer does not make up for what it missed.
    timers[tag] = timer.period == 0 ? nil : LinkMailbox.Timer(due: max(timer.due + timer.period, now), period: timer.period)
    return tag
  }
}
