// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tells others that a thread still turns: whoever asks waits until the thread comes by again.
package final class Turnstile: Sendable {
  private let state = Mutex(State())

  private struct State {
    var isOpen = false
    /// On the boot clock: until then the thread may be somewhere that has a limit of its own.
    var excusedUntil: Int64 = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  package init() {}

  /// The thread begins; before that nobody has to wait.
  package func open() { state.withLock { $0.isOpen = true } }

  /// The thread comes by.
  package func pass() {
    release { $0.excusedUntil = 0 }
  }

  /// The thread goes somewhere and comes by afterwards, before `until` on the boot clock.
  package func excuse(until: Int64) {
    release { $0.excusedUntil = until }
  }

  /// The thread ends.
  package func close() {
    release { $0.isOpen = false }
  }

  /// Returns when the thread has come by since the call; at once where it does not run or is excused. `wake` calls it out
  /// of its sleep.
  package func wait(_ wake: () -> Void) async {
    await withCheckedContinuation { continuation in
      let waits = state.withLock { state in
        guard state.isOpen, Clock.boot() >= state.excusedUntil else { return false }
        state.waiting.append(continuation)
        return true
      }
      if waits { wake() } else { continuation.resume() }
    }
  }

  private func release(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
