// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Synchronization

/// Asks a blocking call to end early: a flag to look at, and a descriptor to wait for beside the call's own.
package final class CallSignal: Sendable {
  private let flag = Atomic(false)
  private let wakeup = Wakeup()

  package init() {}

  package var isSet: Bool { flag.load(ordering: .acquiring) }

  /// Readable once the signal is set.
  package var descriptor: Int32 { wakeup.descriptor.number }

  package func set() {
    flag.store(true, ordering: .releasing)
    wakeup.wake()
  }

  /// Makes it ready for the next call of the same thread.
  package func clear() {
    flag.store(false, ordering: .releasing)
    wakeup.drain()
  }
}
