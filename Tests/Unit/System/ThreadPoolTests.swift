// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ThreadPoolTests {
  /// Holds a thread until it is told to go on.
  private final class Gate: Sendable {
    private let queue = BlockingQueue<Void>()
    func wait() { _ = queue.next() }
    func open() { queue.close() }
  }

  private func run(_ pool: ThreadPool) async {
    await withCheckedContinuation { done in pool.run { done.resume() } }
  }

  @Test func oneThreadDoesWorkThatComesOneByOne() async {
    let pool = ThreadPool(name: "one", limit: 8, patience: .max / 2)
    for _ in 0..<200 {
      await run(pool)
      // The thread is idle a moment after the work has told its end.
      while pool.idle == 0 { await Task.yield() }
    }
    #expect(pool.threads == 1)
  }

  @Test func workBeyondTheLimitWaitsInOrder() async {
    let pool = ThreadPool(name: "two", limit: 2)
    let gate = Gate()
    let order = Mutex<[Int]>([])
    for _ in 0..<2 { pool.run { gate.wait() } }
    await withCheckedContinuation { done in
      for number in 0..<50 { pool.run { order.withLock { $0.append(number) } } }
      // Two threads finish it; the last one is last in the line.
      pool.run { done.resume() }
      #expect(pool.threads == 2)
      gate.open()
    }
    // Who runs beside the last one may still be at it.
    await run(pool)
    while order.withLock({ $0.count }) < 50 { await Task.yield() }
    #expect(Set(order.withLock { $0 }) == Set(0..<50))
  }

  @Test func threadsEndWhenTheyHaveHadNothingToDo() async throws {
    let pool = ThreadPool(name: "some", limit: 16, patience: 1_000_000)
    let gate = Gate()
    for _ in 0..<16 { pool.run { gate.wait() } }
    #expect(pool.threads == 16)
    gate.open()
    while pool.threads > 0 { await Task.yield() }
    // There is a new one when there is work again.
    await run(pool)
  }

  @Test func whatWorkHeldIsFreeBeforeTheNextWork() async {
    final class Held: Sendable {
      let freed: @Sendable () -> Void
      init(_ freed: @escaping @Sendable () -> Void) { self.freed = freed }
      deinit { freed() }
      func use() {}
    }
    let pool = ThreadPool(name: "held", limit: 1, patience: .max / 2)
    await withCheckedContinuation { done in
      let held = Held { done.resume() }
      pool.run { held.use() }
    }
  }

  @Test func whatMustNotWaitIsNotTakenByABusyPool() async {
    let pool = ThreadPool(name: "busy", limit: 1, patience: .max / 2)
    let gate = BlockingQueue<Void>()
    #expect(pool.offer { _ = gate.next() })
    #expect(!pool.offer {})
    gate.close()
    while pool.idle == 0 { await Task.yield() }
    await withCheckedContinuation { done in
      #expect(pool.offer { done.resume() })
    }
    #expect(pool.threads == 1)
  }
}
