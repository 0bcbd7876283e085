// SPDX-License-Identifier: Apache-2.0

package import BusbarTransports

/// Whoever is refused again and again from one address is no longer looked at for a moment, so that the others are; and where many are
/// refused from everywhere, those of addresses that somebody came in from go before the others. No I/O.
package struct RefusalBudget: Sendable {
  /// Refusals at once, and nanoseconds for one more: of one address, and of all together.
  package static let burst = 100
  package static let pause: Int64 = 50_000_000
  package static let burstOfAll = 400
  package static let pauseOfAll: Int64 = 10_000_000
  /// Addresses that are remembered; beyond, the one that has been quiet the longest is forgotten.
  package static let addresses = 4096
  /// Addresses from which somebody came in; beyond, all are forgotten.
  package static let friends = 32_768

  private struct Account {
    var spent = 0
    var since: Int64

    func left(_ now: Int64, _ pause: Int64) -> Int { max(0, spent - Int(clamping: max(0, now - since) / pause)) }
  }

  private var accounts: [String: Account] = [:]
  private var everyone = Account(since: 0)
  private var known: Set<String> = []

  package init() {}

  /// `now` on the boot clock.
  package func admits(_ address: String, now: Int64) -> Bool {
    accounts[address].map { $0.left(now, Self.pause) < Self.burst } ?? true
  }

  package func standing(_ address: String, now: Int64) -> WebSocketStanding {
    guard admits(address, now: now) else { return .unwelcome }
    return known.contains(address) || everyone.left(now, Self.pauseOfAll) < Self.burstOfAll ? .welcome : .doubtful
  }

  /// `isCertain`: somebody was refused; not that a connection came to nothing, as of devices that are slow when all come at once.
  package mutating func spend(_ address: String, isCertain: Bool = true, now: Int64) {
    if accounts.count >= Self.addresses, accounts[address] == nil, let quiet = accounts.min(by: { $0.value.since < $1.value.since }) {
      accounts[quiet.key] = nil
    }
    let spent = accounts[address]?.left(now, Self.pause) ?? 0
    accounts[address] = Account(spent: spent + 1, since: now)
    guard isCertain else { return }
    // What lies behind by more is forgotten sooner than a flood is over.
    everyone = Account(spent: min(2 * Self.burstOfAll, everyone.left(now, Self.pauseOfAll) + 1), since: now)
  }

  /// Somebody came in from there.
  package mutating func welcome(_ address: String) {
    guard !known.contains(address) else { return }
    if known.count >= Self.friends { known.removeAll() }
    known.insert(address)
  }
}
