// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Has work done on some thread that may block.
package protocol WorkPool: Sendable {
  func run(_ work: @escaping @Sendable () -> Void)
}

/// A bounded number of threads for work that blocks. A thread is started where work finds none idle, and ends when it has
/// had none for a while; work beyond the limit waits in order. Work goes to the thread that became idle last: a busy moment
/// leaves no crowd of threads that take turns and keep what their stacks have grown to.
package final class ThreadPool: WorkPool {
  private typealias Work = @Sendable () -> Void

  private final class Worker: Sendable {
    let given = BlockingQueue<Work>()
  }

  private struct State {
    var threads = 0
    /// For their names.
    var started = 0
    var idle: [Worker] = []
    var waiting: [Work] = []
  }

  private let name: String
  private let limit: Int
  /// Nanoseconds.
  private let patience: Int64
  private let state = Mutex(State())

  /// `patience` is how long a thread waits for work before it ends, nanoseconds.
  package init(name: String, limit: Int, patience: Int64 = 10_000_000_000) {
    self.name = name
    self.limit = limit
    self.patience = patience
  }

  /// Threads that there are now.
  package var threads: Int { state.withLock { $0.threads } }
  /// Those of them that wait for work.
  package var idle: Int { state.withLock { $0.idle.count } }
  /// Work that waits for a thread.
  package var queued: Int { state.withLock { $0.waiting.count } }

  package func run(_ work: @escaping @Sendable () -> Void) { take(work, canWait: true) }

  /// Work that must not wait for other work to end: false, and not taken, where all threads are busy and no more are allowed.
  package func offer(_ work: @escaping @Sendable () -> Void) -> Bool { take(work, canWait: false) }

  @discardableResult private func take(_ work: @escaping @Sendable () -> Void, canWait: Bool) -> Bool {
    let (worker, number) = state.withLock { state -> (Worker?, Int?) in
      if let idle = state.idle.popLast() { return (idle, nil) }
      guard state.threads < limit else {
        if canWait { state.waiting.append(work) }
        return (nil, nil)
      }
      state.threads += 1
      state.started += 1
      return (Worker(), state.started)
    }
    guard let worker else { return canWait }
    worker.given.add(work)
    if let number { WorkThread.start(name: "\(name)-\(number)") { [self] in serve(worker) } }
    return true
  }

  private func serve(_ worker: Worker) {
    var work = worker.given.next()
    while work != nil {
      // What the work holds goes with it, not with the next.
      work.take()?()
      work = next(worker)
    }
  }

  private func next(_ worker: Worker) -> Work? {
    let waiting = state.withLock { state -> Work? in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.idle.append(worker)
      return nil
    }
    if let waiting { return waiting }
    if let given = worker.given.next(within: patience) { return given }
    let ends = state.withLock { state in
      guard let place = state.idle.firstIndex(where: { $0 === worker }) else { return false }
      state.idle.remove(at: place)
      state.threads -= 1
      return true
    }
    // Whoever took it meanwhile has something for it.
    return ends ? nil : worker.given.next()
  }
}
