// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
internal import BusbarModel
package import Logging

/// Where candidates last over a restart.
package protocol CandidateStoring: Sendable {
  func load() -> [FoundDevice]
  func save(_ device: FoundDevice)
  func remove(_ id: String)
}

/// What was found and is not forgotten: one entry a device, however often and wherever it shows up. Bounded; who has not
/// been seen for the longest time gives way.
package struct CandidateBook: Sendable {
  package static let capacity = 256

  private var byID: [String: FoundDevice] = [:]

  package init(_ devices: [FoundDevice] = []) {
    for device in devices.suffix(Self.capacity) { byID[device.id] = device }
  }

  package subscript(_ id: String) -> FoundDevice? { byID[id] }

  /// The surest first.
  package var devices: [FoundDevice] {
    byID.values.sorted { ($1.confidence, $0.endpoint, $0.id) < ($0.confidence, $1.endpoint, $1.id) }
  }

  /// Takes a sighting. Returns the entry as it is now, and the ids of those that left for it.
  package mutating func note(_ seen: FoundDevice) -> (FoundDevice, left: [String]) {
    var seen = seen
    var left: [String] = []
    if let before = byID[seen.id] {
      seen.firstSeen = min(before.firstSeen, seen.firstSeen)
      // Of one sighting through two units or addresses the surer one counts.
      if before.lastSeen == seen.lastSeen, before.confidence > seen.confidence { return (before, []) }
    }
    // What is at this place now is not what was found there before.
    for (id, other) in byID where id != seen.id && other.isSamePlace(as: seen) {
      byID[id] = nil
      left.append(id)
    }
    byID[seen.id] = seen
    if byID.count > Self.capacity,
      let oldest = byID.values.min(by: { ($0.lastSeen, $0.confidence) < ($1.lastSeen, $1.confidence) })
    {
      byID[oldest.id] = nil
      left.append(oldest.id)
    }
    return (seen, left)
  }

  @discardableResult
  package mutating func remove(_ id: String) -> FoundDevice? { byID.removeValue(forKey: id) }
}

extension FoundDevice {
  /// At one place may be several kinds of device, and something unknown only where there is nothing else.
  fileprivate func isSamePlace(as other: FoundDevice) -> Bool {
    adapter == other.adapter && endpoint == other.endpoint && config == other.config
      && (kind == other.kind || kind == nil || other.kind == nil)
  }
}

/// In the state database, a key each.
package final class StoredCandidates: CandidateStoring {
  private static let scope = "discovery"
  private let store: KeyValueStore
  private let logger: Logger

  package init(database: StateDatabase, logger: Logger) {
    store = KeyValueStore(database: database, keys: 2 * CandidateBook.capacity)
    self.logger = logger
  }

  package func load() -> [FoundDevice] {
    ((try? store.all(Self.scope)) ?? []).compactMap { _, value in
      (try? JSONValue(parsing: value)).flatMap(FoundDevice.init(stored:))
    }
  }

  /// A candidate that cannot be stored is lost with the next restart, and found again by the next search.
  package func save(_ device: FoundDevice) {
    do {
      try store.set(Self.scope, device.id, Array(JSONValue.object(device.members).text.utf8))
    } catch {
      logger.warning("a found device could not be stored", metadata: ["candidate": "\(device.id)", "reason": "\(error)"])
    }
  }

  package func remove(_ id: String) { try? store.remove(Self.scope, id) }
}
