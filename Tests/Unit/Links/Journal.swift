// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What happened, in order, and a way to wait for what has not happened yet.
final class Journal<Event: Sendable>: Sendable {
  struct NeverCame: Error {
    var what: String
    var events: [Event]
  }

  private struct Waiter: Sendable {
    let id: Int
    let matches: @Sendable (Event) -> Bool
    let continuation: CheckedContinuation<Int?, Never>
  }

  private struct State: Sendable {
    var events: [Event] = []
    var waiters: [Waiter] = []
    var last = 0
  }

  private let state = Mutex(State())

  var all: [Event] { since(0) }
  var count: Int { state.withLock { $0.events.count } }

  /// Copied one by one: ThreadSanitizer does not see that whoever shared the storage has let go of it.
  func since(_ place: Int) -> [Event] { state.withLock { $0.events[place...].map(\.self) } }

  func add(_ event: Event) {
    let (place, ready) = state.withLock { state in
      state.events.append(event)
      let ready = state.waiters.filter { $0.matches(event) }
      state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
      return (state.events.count - 1, ready)
    }
    for waiter in ready { waiter.continuation.resume(returning: place) }
  }

  /// The first matching event from this place on, which may have happened already. Throws where none comes for long.
  @discardableResult
  func first(from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool) async throws -> Event
  {
    let found = try await self.place(from: place, what, matches)
    return state.withLock { $0.events[found] }
  }

  /// Waits until there are so many matching events.
  func reach(_ count: Int, from place: Int = 0, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool)
    async throws
  {
    var place = place
    for _ in 0..<count { place = try await self.place(from: place, what, matches) + 1 }
  }

  private func place(from place: Int, _ what: String, _ matches: @escaping @Sendable (Event) -> Bool) async throws
    -> Int
  {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    let timer = Task {
      guard (try? await Task.sleep(for: .seconds(40))) != nil else { return }
      let late = state.withLock { state -> Waiter? in
        guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return state.waiters.remove(at: index)
      }
      late?.continuation.resume(returning: nil)
    }
    defer { timer.cancel() }
    let found = await withCheckedContinuation { continuation in
      let found = state.withLock { state -> Int? in
        if place < state.events.count, let found = state.events[place...].firstIndex(where: matches) { return found }
        state.waiters.append(Waiter(id: id, matches: matches, continuation: continuation))
        return nil
      }
      if let found { continuation.resume(returning: found) }
    }
    guard let found else { throw NeverCame(what: what, events: all) }
    return found
  }
}
