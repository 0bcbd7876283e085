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
    // Made here: a list of them in another module is made by code that knows nothing of them, and allocates.
    package static let nothing: Interest = []
    package static let both = Interest(rawValue: read.rawValue | write.rawValue)
    /// There is something to read, if only that it is over.
    package static let readOrBroken = Interest(rawValue: read.rawValue | broken.rawValue)
  }

  /// Waits until one of the descriptors is ready or the time on the boot clock has come. The result has an entry for each
  /// descriptor, empty where it is not ready.
  package static func wait(_ descriptors: [(Int32, Interest)], until deadline: Int64?) -> [Interest] {
    var places = Places(descriptors.count)
    for (place, (descriptor, interest)) in descriptors.enumerated() { places.set(place, descriptor, interest) }
    places.wait(until: deadline)
    return descriptors.indices.map { places[$0] }
  }

  /// Whether it is ready now.
  package static func isReady(_ descriptor: Int32, _ interest: Interest) -> Bool {
    var entry = pollfd(fd: descriptor, events: interest.rawValue, revents: 0)
    return unsafe poll(&entry, 1, 0) > 0
  }

  /// Descriptors that a thread waits for again and again: nothing is allocated each time.
  package struct Places {
    private var entries: [pollfd]

    /// Empty ones.
    package init(_ count: Int) { entries = Array(repeating: pollfd(fd: -1, events: 0, revents: 0), count: count) }

    /// A negative descriptor is never ready.
    package mutating func set(_ place: Int, _ descriptor: Int32, _ interest: Interest) {
      entries[place].fd = descriptor
      entries[place].events = interest.rawValue
    }

    /// What it was ready for when `wait` returned.
    package subscript(place: Int) -> Interest { Interest(rawValue: entries[place].revents) }

    /// Waits until one of them is ready or the time on the boot clock has come.
    package mutating func wait(until deadline: Int64?) {
      while true {
        var milliseconds: Int32 = -1
        if let deadline {
          let left = deadline - Clock.boot()
          // Rounded up: waking before the deadline would spin.
          milliseconds = left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
        }
        if unsafe poll(&entries, nfds_t(entries.count), milliseconds) >= 0 || errno != EINTR { return }
      }
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
