// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// An executor with one thread of its own, for actors that mostly wait for a time. The thread's own sleep is the timer, so
/// that waking up to do something costs one wake-up and not a chain of threads. What runs on it must not block.
package final class TimedExecutor: SerialExecutor {
  package struct Alarm: Sendable {
    fileprivate let time: Int64
    fileprivate let number: UInt64
  }

  private struct Entry {
    let time: Int64
    let number: UInt64
    let action: @Sendable () -> Void

    func isBefore(_ alarm: Alarm) -> Bool { (time, number) < (alarm.time, alarm.number) }
  }

  private struct State {
    var jobs: [UnownedJob] = []
    /// The next one last.
    var alarms: [Entry] = []
    var lastNumber: UInt64 = 0
    var isAsleep = false

    /// Where an alarm is, or belongs.
    func place(of alarm: Alarm) -> Int {
      var low = 0
      var high = alarms.count
      while low < high {
        let middle = (low + high) / 2
        if alarms[middle].isBefore(alarm) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  private let state = Mutex(State())
  private let timer: Descriptor

  package init(name: String) {
    let number = busbar_timer()
    precondition(number >= 0, "no timer could be made: \(systemError(errno))")
    timer = Descriptor(owning: number)
    WorkThread.start(name: name) { [self] in serve() }
  }

  /// Alarms that have not gone off.
  package var alarms: Int { state.withLock { $0.alarms.count } }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { state in
      state.jobs.append(job)
      guard state.isAsleep else { return }
      state.isAsleep = false
      busbar_timer_set(timer.number, 1)
    }
  }

  /// Calls `action` on the executor's thread at a time of the boot clock. It must be short: the actors wait meanwhile.
  package func alarm(at time: Int64, _ action: @escaping @Sendable () -> Void) -> Alarm {
    state.withLock { state in
      state.lastNumber += 1
      let alarm = Alarm(time: time, number: state.lastNumber)
      let place = state.place(of: alarm)
      let isNext = place == state.alarms.count
      state.alarms.insert(Entry(time: time, number: alarm.number, action: action), at: place)
      if isNext, state.isAsleep { busbar_timer_set(timer.number, max(1, time)) }
      return alarm
    }
  }

  /// One that has gone off is left alone.
  package func cancel(_ alarm: Alarm) {
    let cancelled = state.withLock { state -> Entry? in
      let place = state.place(of: alarm) - 1
      guard place >= 0, state.alarms[place].number == alarm.number else { return nil }
      return state.alarms.remove(at: place)
    }
    // What its action holds goes outside of the lock.
    _ = cancelled
  }

  private func serve() {
    while true {
      let (jobs, due) = state.withLock { state -> ([UnownedJob], [Entry]) in
        state.isAsleep = false
        let now = state.alarms.isEmpty ? 0 : Clock.boot()
        var due: [Entry] = []
        while let next = state.alarms.last, next.time <= now { due.append(state.alarms.removeLast()) }
        let jobs = state.jobs
        state.jobs.removeAll(keepingCapacity: jobs.count <= 64)
        if due.isEmpty, jobs.isEmpty {
          state.isAsleep = true
          // Set anew it is not due any more, whatever it was before; 0 = never.
          busbar_timer_set(timer.number, state.alarms.last.map { max(1, $0.time) } ?? 0)
        }
        return (jobs, due)
      }
      if due.isEmpty, jobs.isEmpty {
        busbar_timer_wait(timer.number)
        continue
      }
      for entry in due { entry.action() }
      for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }
}
