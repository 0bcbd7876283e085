// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The stack of a thread of ours. The C library keeps up to 40 MiB of stacks of ended threads, each with 16 KiB in memory
/// (nptl/allocatestack.c), for a next crowd of threads that may come in a year: these are given back instead.
@safe struct ThreadStack: @unchecked Sendable {
  private let start: UnsafeMutableRawPointer
  private let size: Int

  /// Threads that have said their last word, but the C library may not be through with them.
  private static let ended = Mutex<[(thread: pthread_t, stack: ThreadStack)]>([])

  /// `size` in bytes, below which lies a page that nothing may touch; nil where there is no memory, with `errno`.
  init?(size: Int) {
    let page = Int(getpagesize())
    let whole = (size + page - 1) / page * page + page
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE
    guard let start = unsafe mmap(nil, whole, PROT_READ | PROT_WRITE, flags, -1, 0), unsafe start != MAP_FAILED else { return nil }
    guard unsafe mprotect(start, page, PROT_NONE) == 0 else {
      unsafe munmap(start, whole)
      return nil
    }
    unsafe self.start = start
    self.size = whole
  }

  /// For the thread that is to run on it.
  func use(in attributes: inout pthread_attr_t) {
    let page = Int(getpagesize())
    unsafe pthread_attr_setstack(&attributes, start + page, size - page)
  }

  func giveBack() { unsafe munmap(start, size) }

  /// The last that the calling thread does on it. Those that ended before it are waited for, which they hardly need, and
  /// their stacks go; so there is one at most that nobody uses.
  func leave() {
    let before = Self.ended.withLock { ended in
      defer { ended = [(pthread_self(), self)] }
      return ended
    }
    for (thread, stack) in before {
      pthread_join(thread, nil)
      stack.giveBack()
    }
  }
}
