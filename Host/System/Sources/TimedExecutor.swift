// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// An executor with one thread of its own, for actors that mostly wait for a time. The thread's own sleep is the timer, so
/// that waking up to do something costs one wake-up and not a chain of threads. What runs on it must not block.
///
/// A task that waits for something else in between comes back to it without going through the pool of the runtime where it
/// prefers the executor meanwhile (`withTaskExecutorPreference`).
///
/// Others wake it by an event and not by its timer: a timer goes off in an interrupt, which costs several times as much.
package final class TimedExecutor: SerialExecutor, TaskExecutor {
  package struct Alarm: Sendable {
    fileprivate let time: Int64
    fileprivate let number: UInt64

    fileprivate func isBefore(_ other: Alarm) -> Bool { (time, number) < (other.time, other.number) }
  }

  // A closure that is a dictionary's own value is wrapped once more at each access; in a field it is not.
  private struct Entry {
    let action: @Sendable () -> Void
  }

  private struct State {
    var jobs: [UnownedJob] = []
    /// What is to be called at once.
    var calls: [Entry] = []
    /// By number; an alarm without one was cancelled.
    var entries: [UInt64: Entry] = [:]
    /// A heap, the next one first. Cancelled ones stay until they are due or too many: thousands of guards set and cancel
    /// alarms all the time.
    var order: [Alarm] = []
    var lastNumber: UInt64 = 0
    var isAsleep = false
    /// What the timer is set to, 0 = never.
    var armed: Int64 = 0

    mutating func add(_ alarm: Alarm) {
      order.append(alarm)
      var place = order.count - 1
      while place > 0, order[place].isBefore(order[(place - 1) / 2]) {
        order.swapAt(place, (place - 1) / 2)
        place = (place - 1) / 2
      }
    }

    private mutating func removeFirst() {
      order.swapAt(0, order.count - 1)
      order.removeLast()
      sink(0)
    }

    private mutating func sink(_ start: Int) {
      var place = start
      while true {
        var least = place
        for child in [2 * place + 1, 2 * place + 2] where child < order.count && order[child].isBefore(order[least]) { least = child }
        guard least != place else { return }
        order.swapAt(place, least)
        place = least
      }
    }

    /// When the next one is due that was not cancelled.
    mutating func next() -> Int64? {
      while let first = order.first, entries[first.number] == nil { removeFirst() }
      return order.first?.time
    }

    mutating func takeFirst() -> Entry? {
      guard let first = order.first else { return nil }
      removeFirst()
      return entries.removeValue(forKey: first.number)
    }

    /// It was asleep and is to be woken.
    mutating func rouse() -> Bool {
      defer { isAsleep = false }
      return isAsleep
    }

    mutating func forgetCancelled() {
      guard order.count > 2 * entries.count + 64 else { return }
      order.removeAll { entries[$0.number] == nil }
      for place in stride(from: order.count / 2 - 1, through: 0, by: -1) { sink(place) }
    }
  }

  private let state = Mutex(State())
  private let timer: Descriptor
  private let wakeup = Wakeup()
  /// pthread_self() of the thread; 0 = it does not run yet.
  private let thread = Atomic<UInt>(0)

  package init(name: String) {
    let number = busbar_timer()
    precondition(number >= 0, "no timer could be made: \(systemError(errno))")
    timer = Descriptor(owning: number)
    WorkThread.start(name: name) { [self] in serve() }
  }

  /// Alarms that have not gone off.
  package var alarms: Int { state.withLock { $0.entries.count } }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let wake = state.withLock { state in
      state.jobs.append(job)
      return state.rouse()
    }
    if wake { wakeup.wake() }
  }

  /// Calls `action` on the executor's thread, where it may assume the isolation of the executor's actors: unlike a task it goes
  /// through no other thread. It must be short.
  package func call(_ action: @escaping @Sendable () -> Void) {
    let wake = state.withLock { state in
      state.calls.append(Entry(action: action))
      return state.rouse()
    }
    if wake { wakeup.wake() }
  }

  /// For `assumeIsolated` of its actors in calls and alarms.
  package func checkIsolated() {
    precondition(thread.load(ordering: .relaxed) == UInt(pthread_self()), "not on the thread of the actor's executor")
  }

  /// Calls `action` on the executor's thread at a time of the boot clock. It must be short: the actors wait meanwhile.
  package func alarm(at time: Int64, _ action: @escaping @Sendable () -> Void) -> Alarm {
    state.withLock { state in
      state.lastNumber += 1
      let alarm = Alarm(time: time, number: state.lastNumber)
      state.entries[alarm.number] = Entry(action: action)
      state.add(alarm)
      if state.isAsleep, state.order.first?.number == alarm.number { arm(time, &state) }
      return alarm
    }
  }

  /// One that has gone off is left alone.
  package func cancel(_ alarm: Alarm) {
    let cancelled = state.withLock { state -> Entry? in
      defer { state.forgetCancelled() }
      return state.entries.removeValue(forKey: alarm.number)
    }
    // What its action holds goes outside of the lock.
    _ = cancelled
  }

  /// Set anew the timer is not due any more, whatever it was before.
  private func arm(_ time: Int64?, _ state: inout State) {
    let moment = time.map { max(1, $0) } ?? 0
    guard moment != state.armed else { return }
    state.armed = moment
    busbar_timer_set(timer.number, moment)
  }

  private func serve() {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    while true {
      let (jobs, due) = state.withLock { state -> ([UnownedJob], [Entry]) in
        state.isAsleep = false
        var due = state.calls
        state.calls.removeAll(keepingCapacity: due.count <= 64)
        if var next = state.next() {
          let now = Clock.boot()
          while next <= now {
            if let entry = state.takeFirst() { due.append(entry) }
            guard let following = state.next() else { break }
            next = following
          }
        }
        let jobs = state.jobs
        state.jobs.removeAll(keepingCapacity: jobs.count <= 64)
        if due.isEmpty, jobs.isEmpty {
          state.isAsleep = true
          arm(state.next(), &state)
        }
        return (jobs, due)
      }
      if due.isEmpty, jobs.isEmpty {
        busbar_timer_wait(timer.number, wakeup.descriptor.number)
        continue
      }
      for entry in due { entry.action() }
      for job in jobs {
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      }
    }
  }
}
