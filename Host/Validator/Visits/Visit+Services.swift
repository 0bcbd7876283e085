// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// The plugin's side. Every tag may charge, nothing is granted, and records are kept nowhere.
extension Visit: LinkServices {
  private static let mostTimers = 64

  func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    guard let connection = state.withLock({ $0.told }) else { return .closed }
    peer?.hear(bytes)
    guard connection.send(text ? .text(bytes) : .binary(bytes)) else { return connection.isOpen ? .full : .closed }
    return .taken
  }

  func close(code: UInt16, reason: String) { state.withLock { $0.told }?.close(code: code, reason: reason) }

  func timer(tag: UInt64, delay: Int64, period: Int64) {
    state.withLock { state in
      state.timers.removeValue(forKey: tag)?.cancel()
      guard delay >= 0, state.isAlive, state.timers.count < Self.mostTimers else { return }
      state.timers[tag] = Task { [weak self] in
        var pause = delay
        repeat {
          guard (try? await Task.sleep(for: .nanoseconds(pause))) != nil else { return }
          self?.put(.timer(tag: tag))
          pause = max(period, 1_000_000)
        } while period > 0 && !Task.isCancelled
      }
    }
  }

  func wake(tag: UInt64) { put(.wake(tag: tag)) }

  func completed(token: UInt64, _ result: CommandResult) -> Bool {
    let (pending, isKnown) = state.withLock { state -> (Pending?, Bool) in
      if let pending = state.commands.removeValue(forKey: token) { return (pending, true) }
      guard state.isCommanding, state.early.count < 64 else { return (nil, false) }
      state.early[token] = result
      return (nil, true)
    }
    pending?.alarm.cancel()
    pending?.answer(result)
    return isKnown
  }

  func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) { put(.verdict(ticket: ticket, .accepted)) }

  func tags() -> [UInt8] { Array(#"{"version":1,"tags":[{"tag":"CHECK","verdict":"accepted"}]}"#.utf8) }

  func record(device: UInt32, kind: String, document: [UInt8]) -> String? { nil }

  func request(device: String, point: String, value: Double?, valid: Int64) -> String? { "nobody granted this link anything" }
}
