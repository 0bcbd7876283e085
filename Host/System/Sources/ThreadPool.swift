// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A bounded number of threads for work that blocks. Threads are started when work finds none idle; work beyond the
/// limit waits in order.
package final class ThreadPool: Sendable {
  private let queue = BlockingQueue<@Sendable () -> Void>()
  private let state: Mutex<State>
  private let name: String
  private let limit: Int

  private struct State {
    var threads = 0
    /// Work handed over and not finished.
    var load = 0
  }

  package init(name: String, limit: Int) {
    self.name = name
    self.limit = limit
    state = Mutex(State())
  }

  package func run(_ work: @escaping @Sendable () -> Void) {
    let number = state.withLock { state -> Int? in
      state.load += 1
      guard state.load > state.threads, state.threads < limit else { return nil }
      state.threads += 1
      return state.threads
    }
    if let number {
      WorkThread.start(name: "\(name)-\(number)") { [self] in serve() }
    }
    queue.add(work)
  }

  private func serve() {
    while let work = queue.next() {
      work()
      state.withLock { $0.load -= 1 }
    }
  }
}
