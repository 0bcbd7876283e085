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
/// Others wake it by an event and not by its timer: a timer goes off in an interrupt, which costs several times as much. A
/// thread that is awake anyway can do itself what it has for the executor (`lend`): then nobody is woken.
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

  private struct Work {
    var jobs: [UnownedJob] = []
    var due: [Entry] = []

    var isEmpty: Bool { jobs.isEmpty && due.isEmpty }
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
    /// Threads that look themselves at what they leave: pthread_self() of each.
    var lenders: [UInt] = []
    /// One of them has the executor's place.
    var isLent = false
    /// The own thread woke up meanwhile, and waits to get its place back.
    var isWaiting = false
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
      guard isAsleep, !lenders.contains(UInt(pthread_self())) else { return false }
      isAsleep = false
      return true
    }

    /// All that is to be done now.
    mutating func take() -> Work {
      // Emptied while it is held twice, an array gets new memory, even for nothing.
      var due: [Entry] = []
      if !calls.isEmpty { swap(&due, &calls) }
      if var next = next() {
        let now = Clock.boot()
        while next <= now {
          if let entry = takeFirst() { due.append(entry) }
          guard let following = self.next() else { break }
          next = following
        }
      }
      var ready: [UnownedJob] = []
      if !jobs.isEmpty { swap(&ready, &jobs) }
      return Work(jobs: ready, due: due)
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
  /// pthread_self() of the thread that has the executor's place; 0 = none had it yet.
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
    while true {
      let (work, isLent) = state.withLock { state -> (Work, Bool) in
        if state.isLent {
          state.isWaiting = true
          return (Work(), true)
        }
        state.isWaiting = false
        state.isAsleep = false
        let work = state.take()
        if work.isEmpty {
          state.isAsleep = true
          arm(state.next(), &state)
        }
        return (work, false)
      }
      guard work.isEmpty else {
        run(work)
        continue
      }
      busbar_timer_wait(isLent ? -1 : timer.number, wakeup.descriptor.number)
    }
  }

  private func run(_ work: Work) {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    for entry in work.due { entry.action() }
    for job in work.jobs {
      unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
  }
}

extension TimedExecutor {
  /// Rounds that a lender does at most, since what is done leaves more to do; the executor's own thread does the rest.
  private static let lentRounds = 8

  /// Calls `action`, and then does on this thread what it has left for the executor where the executor's own thread sleeps. The
  /// thread must not hold a lock that the executor's actors take.
  package func lend(_ action: () -> Void) {
    let own = UInt(pthread_self())
    state.withLock { $0.lenders.append(own) }
    action()
    var rounds = 0
    while true {
      let (work, wake) = state.withLock { state -> (Work, Bool) in
        if rounds == 0 {
          if let place = state.lenders.firstIndex(of: own) { state.lenders.remove(at: place) }
          guard state.isAsleep, !state.jobs.isEmpty || !state.calls.isEmpty else { return (Work(), false) }
          state.isAsleep = false
          state.isLent = true
        }
        if rounds < Self.lentRounds {
          let work = state.take()
          if !work.isEmpty { return (work, false) }
          state.isAsleep = true
          arm(state.next(), &state)
        }
        state.isLent = false
        return (Work(), state.isWaiting || !state.isAsleep)
      }
      if wake { wakeup.wake() }
      guard !work.isEmpty else { return }
      rounds += 1
      run(work)
    }
  }
}
