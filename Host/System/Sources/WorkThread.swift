// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A thread of our own for code that blocks, which must never run on Swift's cooperative pool. All signals are blocked
/// in it but those of a crash of its own: a handler of one that is blocked would not run.
package enum WorkThread {
  /// Starts a thread; `name` is cut to 15 bytes, `stack` is in bytes.
  package static func start(name: String, stack: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) {
    guard let place = ThreadStack(size: stack) else {
      preconditionFailure("no thread '\(name)' could be started: no room for its stack: \(systemError(errno))")
    }
    let box = unsafe Unmanaged.passRetained(Body(name: name, stack: place, run: body)).toOpaque()
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    place.use(in: &attributes)
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        var all = sigset_t()
        unsafe sigfillset(&all)
        for crash in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT] { unsafe sigdelset(&all, crash) }
        unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
        unsafe WorkThread.live(Unmanaged<Body>.fromOpaque(argument)).leave()
        return nil
      }, box)
    unsafe pthread_attr_destroy(&attributes)
    precondition(result == 0, "no thread '\(name)' could be started: \(systemError(result))")
  }

  /// The whole life of a thread; what its body holds is gone when it returns.
  private static func live(_ box: Unmanaged<Body>) -> ThreadStack {
    let body = unsafe box.takeRetainedValue()
    unsafe pthread_setname_np(pthread_self(), String(body.name.prefix(15)))
    body.run()
    return body.stack
  }

  private final class Body: Sendable {
    let name: String
    let stack: ThreadStack
    let run: @Sendable () -> Void
    init(name: String, stack: ThreadStack, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.stack = stack
      self.run = run
    }
  }
}
