// SPDX-License-Identifier: Apache-2.0

/// Whoever is refused again and again from one address is no longer looked at for a moment, so that the others are. No I/O.
package struct RefusalBudget: Sendable {
  /// Refusals at once, and nanoseconds for one more.
  package static let burst = 100
  package static let pause: Int64 = 50_000_000
  /// Addresses that are remembered; beyond, the one that has been quiet the longest is forgotten.
  package static let addresses = 4096

  private struct Account {
    var spent: Int
    var since: Int64
  }

  private var accounts: [String: Account] = [:]

  package init() {}

  /// `now` on the boot clock.
  package func admits(_ address: String, now: Int64) -> Bool {
    accounts[address].map { Self.left($0, now) < Self.burst } ?? true
  }

  package mutating func spend(_ address: String, now: Int64) {
    if accounts.count >= Self.addresses, accounts[address] == nil, let quiet = accounts.min(by: { $0.value.since < $1.value.since }) {
      accounts[quiet.key] = nil
    }
    let account = accounts[address] ?? Account(spent: 0, since: now)
    accounts[address] = Account(spent: Self.left(account, now) + 1, since: now)
  }

  private static func left(_ account: Account, _ now: Int64) -> Int {
    max(0, account.spent - Int(clamping: max(0, now - account.since) / pause))
  }
}
