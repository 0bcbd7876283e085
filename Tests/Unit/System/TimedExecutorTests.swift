// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Glibc
import Synchronization
import Testing

private let executor = TimedExecutor(name: "test")

private actor Counter {
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
  var count = 0
  func add() { count += 1 }
}

@Suite(.timeLimit(.minutes(1))) struct TimedExecutorTests {
  private static let soon: Int64 = 2_000_000
  private static let never = Int64.max

  @Test func actorsRunOnItWhoeverCallsThem() async {
    let counters = (0..<10).map { _ in Counter() }
    await withTaskGroup(of: Void.self) { group in
      for counter in counters {
        for _ in 0..<200 { group.addTask { await counter.add() } }
      }
    }
    for counter in counters { #expect(await counter.count == 200) }
  }

  @Test func anAlarmGoesOffAtItsTimeAndNotBefore() async {
    let time = Clock.boot() + Self.soon
    let at = await withCheckedContinuation { done in
      _ = executor.alarm(at: time) { done.resume(returning: Clock.boot()) }
    }
    #expect(at >= time)
  }

  @Test func whatIsCalledMayAssumeTheIsolationOfItsActors() async {
    let counter = Counter()
    await withCheckedContinuation { done in
      executor.call { counter.assumeIsolated { $0.add() } }
      _ = executor.alarm(at: Clock.boot() + Self.soon) {
        counter.assumeIsolated { $0.add() }
        done.resume()
      }
    }
    #expect(await counter.count == 2)
  }

  @Test func oneInThePastGoesOffAtOnce() async {
    await withCheckedContinuation { done in _ = executor.alarm(at: 0) { done.resume() } }
  }

  @Test func anEarlierOneThatComesLaterGoesOffFirst() async {
    let order = Mutex<[Int]>([])
    let now = Clock.boot()
    await withCheckedContinuation { done in
      _ = executor.alarm(at: now + 3 * Self.soon) {
        order.withLock { $0.append(3) }
        done.resume()
      }
      _ = executor.alarm(at: now + 2 * Self.soon) { order.withLock { $0.append(2) } }
      _ = executor.alarm(at: now + Self.soon) { order.withLock { $0.append(1) } }
    }
    #expect(order.withLock { $0 } == [1, 2, 3])
  }

  @Test func aCancelledOneIsGone() async {
    let executor = TimedExecutor(name: "cancel")
    let alarms = (0..<100).map { number in
      executor.alarm(at: Self.never - Int64(number % 10)) { Issue.record("a cancelled alarm went off") }
    }
    for alarm in alarms[..<50].shuffled() { executor.cancel(alarm) }
    #expect(executor.alarms == 50)
    for alarm in alarms.shuffled() { executor.cancel(alarm) }
    #expect(executor.alarms == 0)
    // What has gone off may be cancelled too.
    let gone = Mutex<TimedExecutor.Alarm?>(nil)
    await withCheckedContinuation { done in
      let alarm = executor.alarm(at: 0) { done.resume() }
      gone.withLock { $0 = alarm }
    }
    if let alarm = gone.withLock({ $0 }) { executor.cancel(alarm) }
    #expect(executor.alarms == 0)
  }

  @Test func whatACancelledOneHeldIsFree() {
    final class Held: Sendable { func use() {} }
    weak var seen: Held?
    do {
      let held = Held()
      seen = held
      executor.cancel(executor.alarm(at: Self.never) { held.use() })
    }
    #expect(seen == nil)
  }

  /// Alarms, their cancellation and calls from everywhere at the same time: each call returns, each alarm that was not
  /// cancelled goes off.
  @Test func manyAtOnce() async {
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<500 {
        group.addTask {
          let far = executor.alarm(at: Self.never - Int64(number)) {}
          await withCheckedContinuation { done in
            _ = executor.alarm(at: Clock.boot() + Int64(number % 7) * 100_000) { done.resume() }
          }
          await counter.add()
          executor.cancel(far)
        }
      }
    }
    #expect(await counter.count == 500)
  }

  /// Who does what is left for an executor: the thread by its pthread_self().
  private final class Place: Sendable {
    let executor = TimedExecutor(name: "lent")
    private let thread = Mutex<UInt>(0)

    var doneBy: UInt { thread.withLock { $0 } }

    func leave(_ then: @escaping @Sendable () -> Void) {
      executor.call { [self] in
        thread.withLock { $0 = UInt(pthread_self()) }
        then()
      }
    }

    /// A new thread that lends itself leaves something; its own number.
    func lend(_ leave: @escaping @Sendable (_ done: @escaping @Sendable () -> Void) -> Void) async -> UInt {
      await withCheckedContinuation { done in
        WorkThread.start(name: "lender") { [self] in
          let own = UInt(pthread_self())
          executor.lend { leave { done.resume(returning: own) } }
        }
      }
    }
  }

  @Test func aThreadThatLendsItselfDoesWhatItHasLeft() async {
    let place = Place()
    // It does nothing where the executor's thread happens to be awake.
    while await place.lend({ done in place.leave(done) }) != place.doneBy {}
    let last = place.doneBy
    await withCheckedContinuation { done in place.leave { done.resume() } }
    #expect(place.doneBy != last)
  }

  @Test func whatALenderDoesMayAssumeTheIsolation() async {
    let counter = Counter()
    await withCheckedContinuation { done in
      WorkThread.start(name: "lender") {
        executor.lend {
          executor.call {
            counter.assumeIsolated { $0.add() }
            done.resume()
          }
        }
      }
    }
    #expect(await counter.count == 1)
  }

  /// A lender has a life of its own: what has no end goes on elsewhere.
  @Test func aLenderIsNotKept() async {
    let place = Place()
    let left = Mutex(1_000)
    @Sendable func again(_ done: @escaping @Sendable () -> Void) {
      let more = left.withLock { left in
        left -= 1
        return left > 0
      }
      if more { place.leave { again(done) } } else { done() }
    }
    let lender = await place.lend { done in place.leave { again(done) } }
    #expect(place.doneBy != lender)
  }

  @Test func anAlarmThatIsDueWhileAThreadLendsItselfGoesOff() async {
    let place = Place()
    _ = await place.lend { done in
      place.leave {
        let time = Clock.boot() + Self.soon
        _ = place.executor.alarm(at: time, done)
        while Clock.boot() < time {}
      }
    }
  }

  /// Lenders and others at the same time: everything is done, and nothing twice at once.
  @Test func manyLenders() async {
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          await withCheckedContinuation { done in
            WorkThread.start(name: "lender") {
              for number in 0..<500 {
                executor.lend {
                  executor.call { counter.assumeIsolated { $0.add() } }
                  if number % 5 == 0 { _ = executor.alarm(at: Clock.boot() + 50_000) { counter.assumeIsolated { $0.add() } } }
                }
              }
              _ = executor.alarm(at: Clock.boot() + Self.soon) { done.resume() }
            }
          }
        }
        group.addTask { for _ in 0..<500 { await counter.add() } }
      }
    }
    #expect(await counter.count == 8 * (500 + 100 + 500))
  }
}
