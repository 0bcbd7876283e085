// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Waiting for descriptors, for threads that may block.
package enum Poll {
  package struct Interest: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let read = Interest(rawValue: Int16(POLLIN))
    package static let write = Interest(rawValue: Int16(POLLOUT))
    /// Always reported: error, hang-up or a dead descriptor.
    package static let broken = Interest(rawValue: Int16(POLLERR | POLLHUP | POLLNVAL))
  }

  /// Waits until one of the descriptors is ready or the time on the boot clock has come. The result has an entry for each
  /// descriptor, empty where it is not ready.
  package static func wait(_ descriptors: [(Int32, Interest)], until deadline: Int64?) -> [Interest] {
    var entries = descriptors.map { pollfd(fd: $0.0, events: $0.1.rawValue, revents: 0) }
    while true {
      var milliseconds: Int32 = -1
      if let deadline {
        let left = deadline - Clock.boot()
        // Rounded up: waking before the deadline would spin.
        milliseconds = left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
      }
      let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
      if count < 0, errno == EINTR { continue }
      return entries.map { Interest(rawValue: $0.revents) }
    }
  }
}

/// Wakes a thread that waits in `Poll`. Wakes are folded together.
package final class Wakeup: Sendable {
  package let descriptor: Descriptor

  package init() {
    descriptor = Descriptor(owning: busbar_eventfd())
  }

  package func wake() { busbar_eventfd_signal(descriptor.number) }

  /// Forgets the wakes so far.
  package func drain() { busbar_eventfd_drain(descriptor.number) }
}
