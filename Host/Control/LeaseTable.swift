// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Who holds which point, by the rules of interfaces 3.3. Knows no device and no clock: it is told what happened and when,
/// and says what has to be written now or when to look again. All times are CLOCK_BOOTTIME nanoseconds.
///
/// It is convergent: `step` compares what should be in force with what the device is known to hold, so a write that failed
/// is asked for again, and one that succeeded is not.
package struct LeaseTable: Sendable {
  /// Owners that may hold leases on one point at a time: bounds memory against invented owners.
  package static let ownersPerPoint = 32

  /// What the rules say to a lease that is asked for.
  package enum Verdict: Sendable, Equatable {
    /// Its value is the one that applies.
    case applies
    /// It would count, but a more restrictive limit applies: this one.
    case behind(Lease)
    /// A lease of higher priority lives: this one.
    case overruled(Lease)
    /// Too many owners hold leases on the point.
    case full
  }

  /// What to do about a point.
  package enum Step: Sendable, Equatable {
    /// Write this; `lease` is the one it serves, nil for a safe value.
    case write(Value, DeviceWrite.Purpose, lease: Lease?)
    /// Nothing now; look again at this time.
    case wait(until: Int64)
    /// No lease lives and no safe value is missing: the point can be forgotten.
    case idle
  }

  private var entries: [PointKey: PointLeases] = [:]
  private var sequence: UInt64 = 0

  package init() {}

  /// Points that are led or have a safe value missing.
  package var keys: [PointKey] { Array(entries.keys) }

  /// What would happen to `lease`; changes nothing.
  package func verdict(on lease: Lease, at point: PointDescriptor, of key: PointKey, now: Int64) -> Verdict {
    (entries[key] ?? PointLeases()).verdict(on: lease, limit: point.combinesAsLimit, now: now)
  }

  /// Enters a lease; the owner's earlier one is replaced.
  package mutating func grant(_ lease: Lease, at point: PointDescriptor, of key: PointKey) {
    sequence += 1
    var lease = lease
    lease.sequence = sequence
    entries[key, default: PointLeases()].grant(lease, limit: point.combinesAsLimit, refresh: point.refresh)
  }

  /// Ends the owner's lease. False = there was none.
  package mutating func release(_ key: PointKey, owner: String) -> Bool {
    entries[key]?.end { $0.owner == owner } ?? false
  }

  /// Ends all leases of the point: the safe value is next.
  package mutating func releaseAll(_ key: PointKey) {
    _ = entries[key]?.end { _ in true }
  }

  /// A safe value that is owed from before the start. It is written before anything else to the point.
  package mutating func inherit(_ key: PointKey, safe: Value) {
    entries[key] = PointLeases(inherited: safe)
  }

  /// The safe value from before the start that the device has not taken yet.
  package func inherited(_ key: PointKey) -> Value? { entries[key]?.inherited }

  /// What to do about the point now. Leases that are over are ended here.
  package mutating func step(_ key: PointKey, now: Int64) -> Step {
    guard var entry = entries[key] else { return .idle }
    let step = entry.step(now: now)
    entries[key] = step == .idle ? nil : entry
    return step
  }

  /// The device took the value. `certain` is false where no answer came: a lease is taken to be in force then, a safe
  /// value is written again.
  package mutating func written(_ key: PointKey, value: Value, certain: Bool, now: Int64) {
    entries[key]?.written(value, certain: certain, now: now)
  }

  /// A write of the table's own asking failed: it is asked for again after 1 s, doubling to 60 s (architecture, time and
  /// failure). `perhapsSent`: no answer came, so what the device holds is not known. Returns how many failed in a row.
  package mutating func failed(_ key: PointKey, value: Value, perhapsSent: Bool, now: Int64) -> Int {
    entries[key]?.failed(value, perhapsSent: perhapsSent, now: now) ?? 0
  }

  /// Failed writes of the table's own asking in a row.
  package func failures(_ key: PointKey) -> Int { entries[key]?.failures ?? 0 }

  /// What is missing is due at once, whatever failed before.
  package mutating func urge(_ key: PointKey) { entries[key]?.urge() }

  /// The device answers (again): what is missing is due at once, and so is what it needs refreshed.
  package mutating func contact(_ device: DeviceID) {
    for key in entries.keys where key.device == device { entries[key]?.contact() }
  }

  /// The lease whose value applies.
  package func effective(_ key: PointKey, now: Int64) -> Lease? { entries[key]?.effective(now: now) }

  /// The safe value that follows when all that is held now ends; nil = nothing is held and nothing missing.
  package func debt(_ key: PointKey, now: Int64) -> Value? {
    guard let entry = entries[key] else { return nil }
    return entry.effective(now: now)?.safe ?? entry.safe
  }

  /// The device is known or taken to hold this value.
  package func holds(_ key: PointKey, _ value: Value) -> Bool { entries[key]?.held?.value == value }

  /// Live leases of the point, by owner.
  package func leases(_ key: PointKey, now: Int64) -> [Lease] {
    (entries[key]?.leases ?? []).filter { $0.expiry > now }.sorted { $0.owner < $1.owner }
  }
}

extension PointDescriptor {
  /// Limits that are numbers combine by the smallest; everything else goes by priority.
  package var combinesAsLimit: Bool { isLimit && (type == .number || type == .integer) }
}
