// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// First in, first out, between threads; taking waits.
@safe package final class BlockingQueue<Element>: @unchecked Sendable {
  // pthread objects have to stay where they are made.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var elements: [Element] = []
  private var first = 0
  private var closed = false

  package init() {
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  package func add(_ element: Element) {
    unsafe pthread_mutex_lock(mutex)
    elements.append(element)
    unsafe pthread_mutex_unlock(mutex)
    unsafe pthread_cond_signal(condition)
  }

  /// Waits for the next element; nil once the queue is closed and empty, or where none came within so many nanoseconds.
  package func next(within time: Int64? = nil) -> Element? {
    let end = time.map { Self.moment(in: $0) }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while first == elements.count {
      elements.removeAll(keepingCapacity: true)
      first = 0
      if closed { return nil }
      guard var end else {
        unsafe pthread_cond_wait(condition, mutex)
        continue
      }
      if unsafe pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT, first == elements.count { return nil }
    }
    let element = elements[first]
    first += 1
    if first >= 64, first * 2 >= elements.count {
      elements.removeFirst(first)
      first = 0
    }
    return element
  }

  private static func moment(in time: Int64) -> timespec {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    let end = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) + time
    return timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
  }

  package func close() {
    unsafe pthread_mutex_lock(mutex)
    closed = true
    unsafe pthread_mutex_unlock(mutex)
    unsafe pthread_cond_broadcast(condition)
  }
}
