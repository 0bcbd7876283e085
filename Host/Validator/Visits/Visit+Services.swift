// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// The plugin's side. Every tag may charge, nothing is granted, and records are kept nowhere.
extension Visit: LinkServices {
  private static let mostTimers = 64
  /// No timer comes more often, nanoseconds.
  private static let shortest: Int64 = 1_000_000

  func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    guard let connection = state.withLock({ $0.told }) else { return .closed }
    peer?.hear(bytes)
    guard connection.send(text ? .text(bytes) : .binary(bytes)) else { return connection.isOpen ? .full : .closed }
    return .taken
  }

  func close(code: UInt16, reason: String) { state.withLock { $0.told }?.close(code: code, reason: reason) }

  func timer(tag: UInt64, delay: Int64, period: Int64) {
    state.withLock { state in
      if let old = state.timers.removeValue(forKey: tag) { alarms.cancel(old.alarm) }
      guard delay >= 0, state.isAlive, state.timers.count < Self.mostTimers else { return }
      state.lastTimer += 1
      arm(&state, tag, in: delay, period, state.lastTimer)
    }
  }

  private func arm(_ state: inout State, _ tag: UInt64, in delay: Int64, _ period: Int64, _ serial: UInt64) {
    let (due, overflow) = Clock.boot().addingReportingOverflow(delay)
    let alarm = alarms.alarm(at: overflow ? .max : due) { [weak self] in self?.ring(tag, period, serial) }
    state.timers[tag] = Timer(alarm: alarm, serial: serial)
  }

  private func ring(_ tag: UInt64, _ period: Int64, _ serial: UInt64) {
    let isWanted = state.withLock { state in
      guard state.timers[tag]?.serial == serial else { return false }
      if period > 0 { arm(&state, tag, in: max(period, Self.shortest), period, serial) } else { state.timers[tag] = nil }
      return true
    }
    if isWanted { put(.timer(tag: tag)) }
  }

  func wake(tag: UInt64) { put(.wake(tag: tag)) }

  func completed(token: UInt64, _ result: CommandResult) -> Bool {
    let (pending, isKnown) = state.withLock { state -> (Pending?, Bool) in
      if let pending = state.commands.removeValue(forKey: token) { return (pending, true) }
      guard state.isCommanding, state.early.count < 64 else { return (nil, false) }
      state.early[token] = result
      return (nil, true)
    }
    if let pending {
      alarms.cancel(pending.alarm)
      pending.answer(result)
    }
    return isKnown
  }

  func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) { put(.verdict(ticket: ticket, .accepted)) }

  func tags() -> [UInt8] { Array(#"{"version":1,"tags":[{"tag":"CHECK","verdict":"accepted"}]}"#.utf8) }

  func record(device: UInt32, kind: String, document: [UInt8]) -> String? { nil }

  func request(device: String, point: String, value: Double?, valid: Int64) -> String? { "nobody granted this link anything" }
}
