// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// State that tests wait for instead of sleeping.
final class Watched<State: Sendable>: Sendable {
  private struct Content {
    var state: State
    var waiters: [Int: @Sendable (State) -> Bool] = [:]
    var next = 0
  }

  private let content: Mutex<Content>

  init(_ state: State) { content = Mutex(Content(state: state)) }

  var value: State { content.withLock { $0.state } }

  func update<T: Sendable>(_ body: (inout State) -> T) -> T {
    content.withLock { content in
      var state = content.state
      let result = body(&state)
      content.state = state
      content.waiters = content.waiters.filter { !$0.value(state) }
      return result
    }
  }

  /// The condition's first answer that is not nil. Throws after a time that no healthy run needs.
  @discardableResult
  func until<T: Sendable>(_ what: String, _ condition: @escaping @Sendable (State) -> T?) async throws -> T {
    let pending = Mutex<CheckedContinuation<T, any Error>?>(nil)
    let take: @Sendable () -> CheckedContinuation<T, any Error>? = {
      pending.withLock { pending in
        defer { pending = nil }
        return pending
      }
    }
    let limit = Task {
      try await Task.sleep(for: .seconds(40))
      let state = self.value
      take()?.resume(throwing: TooLate(what: what, state: String(describing: state)))
    }
    defer { limit.cancel() }
    return try await withCheckedThrowingContinuation { continuation in
      pending.withLock { $0 = continuation }
      content.withLock { content in
        if let found = condition(content.state) {
          take()?.resume(returning: found)
          return
        }
        content.next += 1
        content.waiters[content.next] = { state in
          guard let found = condition(state) else { return false }
          take()?.resume(returning: found)
          return true
        }
      }
    }
  }
}

struct TooLate: Error, CustomStringConvertible {
  var what: String
  var state: String
  var description: String { "waited in vain for \(what); it was: \(state.suffix(4000))" }
}
