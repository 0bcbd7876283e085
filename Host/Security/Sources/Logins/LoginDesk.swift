// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSystem
internal import Synchronization

/// Judges passwords: slowly the first time, quickly when the same one comes again, and not at all from whoever guesses.
package final class LoginDesk: Sendable {
  package enum Verdict: Sendable, Equatable {
    case right
    /// How many in a row.
    case wrong(Int)
    /// Too many wrong ones before: this one was not looked at.
    case tooMany
  }

  /// Passwords that were right, as sealed with a key that ends with the process.
  private static let remembered = 20_000

  private struct State {
    var limit = AttemptLimit()
    var known: [String: [UInt8]] = [:]
  }

  private let sealKey: [UInt8]
  private let state = Mutex(State())

  package init() throws { sealKey = try PasswordDigest.random(32) }

  /// `name` tells apart whom the attempt is for, `address` where it comes from. Blocks for the hash.
  package func judge(_ password: [UInt8], of record: PasswordRecord, name: String, address: String) -> Verdict {
    let (who, from) = ("n:\(name)", "a:\(address)")
    let seal = PasswordDigest.seal(record.bytes + password, key: sealKey)
    let now = Clock.boot()
    let known: Verdict? = state.withLock { state in
      if let kept = state.known[name], PasswordDigest.same(kept, seal) { return .right }
      return state.limit.admits(who, now: now) && state.limit.admits(from, now: now) ? nil : .tooMany
    }
    if let known { return known }
    guard record.matches(password) else {
      return state.withLock { state in
        .wrong(max(state.limit.wrong(who, now: now), state.limit.wrong(from, now: now)))
      }
    }
    state.withLock { state in
      if state.known.count >= Self.remembered { state.known.removeAll() }
      state.known[name] = seal
      state.limit.right(who)
      state.limit.right(from)
    }
    return .right
  }
}
