// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// Calls back at a time. A task that sleeps keeps its place until then, also when nobody wants it any more, and a case about growth would
/// take that for the plugin's; what is cancelled here is gone.
final class Alarms: Sendable {
  static let shared = Alarms()

  private struct State {
    var last: UInt64 = 0
    var waiting: [UInt64: (due: Int64, ring: @Sendable () -> Void)] = [:]
  }

  private let state = Mutex(State())
  private let news = CallSignal()

  private init() { WorkThread.start(name: "alarms") { self.run() } }

  /// `due` on the boot clock. The number is for `cancel`.
  func set(at due: Int64, _ ring: @escaping @Sendable () -> Void) -> UInt64 {
    let number = state.withLock { state in
      state.last += 1
      state.waiting[state.last] = (due, ring)
      return state.last
    }
    news.set()
    return number
  }

  func cancel(_ number: UInt64) { state.withLock { _ = $0.waiting.removeValue(forKey: number) } }

  private func run() {
    while true {
      let next = state.withLock { $0.waiting.values.lazy.map(\.due).min() }
      _ = Poll.wait([(news.descriptor, .read)], until: next)
      news.clear()
      let now = Clock.boot()
      let due = state.withLock { state in
        let due = state.waiting.filter { $0.value.due <= now }.sorted { $0.value.due < $1.value.due }
        for (number, _) in due { state.waiting[number] = nil }
        return due
      }
      for (_, alarm) in due { alarm.ring() }
    }
  }
}
