// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// All sessions of a charger: those that run and the last few that ended, since their messages may come again.
package struct SessionBook: Sendable {
  /// What is to be done with a session that changed.
  package enum Change: Equatable, Sendable {
    /// It began, changed its state or ended: on disk before the charger is answered, and told at once.
    case news(id: String)
    /// A reading: told and stored now and then.
    case reading(id: String)
  }

  package static let mostOpen = 32
  package static let mostEnded = 4
  /// A value of busbar.store/1 has at most 4,096 bytes.
  private static let longestValue = 4_000

  package private(set) var open: [ChargingSession] = []
  package private(set) var ended: [ChargingSession] = []
  package private(set) var lastID: Int64 = 0
  /// What a charger delivers at most, W.
  package var mostPower: Double = 400_000
  private var changes: [Change] = []

  package init() {}

  package mutating func takeChanges() -> [Change] {
    defer { changes = [] }
    return changes
  }

  package subscript(_ id: String) -> ChargingSession? {
    open.first { $0.id == id } ?? ended.last { $0.id == id }
  }

  /// The running session of a connector.
  package func session(on connector: Int) -> ChargingSession? { open.last { $0.connector == connector } }

  /// Changes a session wherever it is; one that has ended meanwhile moves.
  mutating func change(_ id: String, news: Bool = true, _ body: (inout ChargingSession) -> Void) {
    if let index = open.firstIndex(where: { $0.id == id }) {
      body(&open[index])
      if open[index].isEnded {
        ended.append(open.remove(at: index))
        if ended.count > Self.mostEnded { ended.removeFirst() }
      }
    } else if let index = ended.lastIndex(where: { $0.id == id }) {
      body(&ended[index])
    } else {
      return
    }
    note(news ? .news(id: id) : .reading(id: id))
  }

  mutating func add(_ session: ChargingSession) {
    var session = session
    session.energy.mostPower = mostPower
    // A connector has one session; another one means that the end of the former got lost.
    for former in open where former.connector == session.connector && session.connector != 0 {
      change(former.id) { former in
        former.state = .ended
        former.energy.doubt(.stopUnknown)
        former.energy.end(nil, at: session.started)
      }
    }
    if open.count >= Self.mostOpen {
      change(open[0].id) { $0.state = .ended }
    }
    open.append(session)
    note(.news(id: session.id))
  }

  /// It is known now by how much the charger's clock is off, 0 where it is right: the beginnings that its stamps told are corrected.
  mutating func correctStarts(by difference: Int64, _ now: Moment) {
    for session in open where session.isStartRaw {
      change(session.id) { session in
        session.started = min(session.started + difference, now.unix)
        session.isStartRaw = false
        session.energy.settle(.clock)
      }
    }
  }

  private mutating func note(_ change: Change) {
    if case .reading(let id) = change, changes.contains(.news(id: id)) { return }
    if !changes.contains(change) { changes.append(change) }
  }

  /// Ids of 1.6 are ours. They go on after a restart, and begin anew above all former ones where the store was lost: at the seconds
  /// since 2020, which fit into 31 bits until 2088.
  mutating func newID(_ now: Moment) -> Int64 {
    let floor = min(max(1, now.unix / 1000 - 1_577_836_800), Int64(Int32.max) - 1_000_000)
    lastID = max(lastID + 1, lastID == 0 ? floor : 1)
    if lastID > Int64(Int32.max) { lastID = 1 }
    return lastID
  }

  /// An id that a charger names and nobody gave.
  mutating func heard(_ id: Int64) {
    if id > lastID, id < Int64(Int32.max) - 1_000_000 { lastID = id }
  }

  mutating func told(_ id: String, at time: Int64? = nil, stored: Int64? = nil) {
    func mark(_ session: inout ChargingSession) {
      if let time { session.toldAt = time }
      if let stored { session.storedAt = stored }
    }
    if let index = open.firstIndex(where: { $0.id == id }) { mark(&open[index]) }
  }
}

extension SessionBook {
  /// Keys and values for the store. Each running session has a key of its own, by connector.
  package func stored(_ id: String) -> [(key: String, value: JSON?)] {
    if let session = open.first(where: { $0.id == id }) { return [(Self.key(session), session.json), ("book", bookJSON)] }
    guard let session = ended.last(where: { $0.id == id }) else { return [] }
    let key = Self.key(session)
    let isTaken = open.contains { Self.key($0) == key }
    return isTaken ? [("book", bookJSON)] : [("book", bookJSON), (key, nil)]
  }

  private static func key(_ session: ChargingSession) -> String { "session.\(session.connector)" }

  private var bookJSON: JSON {
    var kept = ended
    while true {
      let json: JSON = ["last": .integer(lastID), "ended": .array(kept.map(\.json))]
      if kept.isEmpty || json.bytes.count <= Self.longestValue { return json }
      kept.removeFirst()
    }
  }

  /// What the store had, by key. What cannot be read is left out.
  package init(stored: [String: JSON]) {
    if let book = stored["book"] {
      lastID = max(0, book["last"]?.integer ?? 0)
      ended = (book["ended"]?.array ?? []).suffix(Self.mostEnded).compactMap { ChargingSession($0) }
    }
    open = stored.keys.sorted().filter { $0.hasPrefix("session.") }.compactMap { key in
      stored[key].flatMap { ChargingSession($0) }
    }.filter { session in !session.isEnded && !ended.contains { $0.id == session.id } }
  }
}
