// SPDX-License-Identifier: Apache-2.0

/// An executor with one thread of its own, for an actor whose work blocks (a database).
package final class ThreadExecutor: SerialExecutor {
  private let queue = BlockingQueue<UnownedJob>()

  package init(name: String) {
    WorkThread.start(name: name) { [queue, self] in
      while let job = queue.next() { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }

  package func enqueue(_ job: consuming ExecutorJob) { queue.add(UnownedJob(job)) }
}
