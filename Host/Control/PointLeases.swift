// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The leases on one point and what its device is known to hold.
struct PointLeases: Sendable {
  private(set) var leases: [Lease] = []
  /// Written when no lease lives; from the lease that ended last, or from before the start.
  private(set) var safe: Value?
  /// `safe` is owed from before the start.
  private var fromBefore = false
  /// What the device holds, as far as it is known.
  private(set) var held: (value: Value, certain: Bool)?
  private var backOff = BackOff()
  /// Failed writes in a row.
  var failures: Int { backOff.failures }
  private var limit = false
  private var refresh: Int64?
  private var writtenAt: Int64 = .min
  private var notBefore: Int64 = .min

  init() {}

  init(inherited safe: Value) {
    self.safe = safe
    fromBefore = true
  }

  var inherited: Value? { fromBefore ? safe : nil }

  func verdict(on lease: Lease, limit: Bool, now: Int64) -> LeaseTable.Verdict {
    let others = leases.filter { $0.owner != lease.owner && $0.expiry > now }
    guard others.count < LeaseTable.ownersPerPoint else { return .full }
    guard let first = Self.first(of: others, limit: limit) else { return .applies }
    if limit { return Self.number(first) < Self.number(lease) ? .behind(first) : .applies }
    return lease.priority < first.priority ? .overruled(first) : .applies
  }

  mutating func grant(_ lease: Lease, limit: Bool, refresh: Duration?) {
    leases.removeAll { $0.owner == lease.owner }
    leases.append(lease)
    self.limit = limit
    self.refresh = refresh.map { max($0.nanoseconds, 1_000_000_000) }
    fromBefore = false
  }

  /// Ends the leases that `over` names. False = there was none.
  mutating func end(_ over: (Lease) -> Bool) -> Bool {
    let ending = leases.filter(over)
    guard !ending.isEmpty else { return false }
    leases.removeAll(where: over)
    // Where several end together, the safe value of the one that would have lasted longest counts as the last one's.
    safe = ending.max { ($0.expiry, $0.sequence) < ($1.expiry, $1.sequence) }?.safe
    notBefore = .min
    return true
  }

  mutating func step(now: Int64) -> LeaseTable.Step {
    _ = end { $0.expiry <= now }
    if let lease = effective(now: now) {
      guard let held, held.value == lease.value else {
        return now < notBefore
          ? .wait(until: min(notBefore, lease.expiry)) : .write(lease.value, .command, lease: lease)
      }
      guard let refresh else { return .wait(until: lease.expiry) }
      let due = max(writtenAt + refresh, notBefore)
      return now < due ? .wait(until: min(due, lease.expiry)) : .write(lease.value, .refresh, lease: lease)
    }
    guard let safe else { return .idle }
    if let held, held.certain, held.value == safe { return .idle }
    return now < notBefore ? .wait(until: notBefore) : .write(safe, .safe, lease: nil)
  }

  mutating func written(_ value: Value, certain: Bool, now: Int64) {
    held = (value, certain)
    writtenAt = now
    backOff.reset()
    notBefore = .min
    if certain, value == safe { fromBefore = false }
  }

  mutating func failed(_ value: Value, perhapsSent: Bool, now: Int64) -> Int {
    if perhapsSent { held = held?.value == value ? (value, false) : nil }
    // Without jitter: a device that was away is owed its safe value as soon as may be.
    notBefore = now + backOff.next(random: 0)
    return backOff.failures
  }

  mutating func urge() { notBefore = .min }

  mutating func contact() {
    urge()
    if refresh != nil { writtenAt = .min }
  }

  func effective(now: Int64) -> Lease? { Self.first(of: leases.filter { $0.expiry > now }, limit: limit) }

  private static func first(of leases: [Lease], limit: Bool) -> Lease? {
    leases.min { limit ? restricts($0, more: $1) : wins($0, over: $1) }
  }

  private static func wins(_ left: Lease, over right: Lease) -> Bool {
    (left.priority.rank, right.sequence) < (right.priority.rank, left.sequence)
  }

  /// Of two equal limits the one that lasts longer counts first, so that nothing is written when the other ends.
  private static func restricts(_ left: Lease, more right: Lease) -> Bool {
    (number(left), right.expiry) < (number(right), left.expiry)
  }

  private static func number(_ lease: Lease) -> Double { lease.value.number ?? .infinity }
}
