// SPDX-License-Identifier: Apache-2.0

/// Where a listener takes in whoever comes, somebody could come under ever new names: beyond a limit newcomers are candidates like
/// anywhere else. No I/O.
package struct Newcomers: Sendable {
  package enum Verdict: Sendable, Equatable {
    case comes
    /// `isNews`: the first one since there was room.
    case waits(isNews: Bool)
  }

  /// Being taken in, by listener: they are not in the registry yet.
  private var coming: [String: Int] = [:]
  /// How many had to wait since there was room.
  private var waiting: [String: Int] = [:]

  package init() {}

  /// `known`: devices that the registry has at this listener. What comes has to end.
  package mutating func begin(_ listener: String, known: Int, limit: Int) -> Verdict {
    guard known + coming[listener, default: 0] < limit else {
      defer { waiting[listener, default: 0] += 1 }
      return .waits(isNews: waiting[listener] == nil)
    }
    coming[listener, default: 0] += 1
    return .comes
  }

  package mutating func end(_ listener: String) {
    let left = coming[listener, default: 1] - 1
    coming[listener] = left > 0 ? left : nil
  }

  /// Looks again at the listeners where somebody had to wait. `limits`: of those that take in whoever comes. Returns those that are
  /// still full, and those that are not any more with how many had to wait meanwhile.
  package mutating func settle(
    limits: [String: Int], known: (String) -> Int
  ) -> (full: [String], relieved: [(listener: String, waited: Int)]) {
    let full = waiting.keys.filter { name in limits[name].map { known(name) >= $0 } ?? false }
    let relieved = waiting.filter { !full.contains($0.key) }.map { (listener: $0.key, waited: $0.value) }
    for (name, _) in relieved { waiting[name] = nil }
    return (full.sorted(), relieved.sorted { $0.listener < $1.listener })
  }
}
