// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// A transaction of OCPP, as a session of interfaces 3.4.
package struct ChargingSession: Equatable, Sendable {
  package enum State: String, Sendable {
    case preparing, charging
    case suspendedEV = "suspended-ev"
    case suspendedEVSE = "suspended-evse"
    case finishing, ended
  }

  /// The transaction id: a number in 1.6, the charger's own text in 2.0.1.
  package var id: String
  /// Chargers are tolerated that name it at greater length; messages of ours have no room for that (2.0.1 part 2, TransactionType:
  /// identifierString[36]).
  package var canBeNamed: Bool { (1...36).contains(id.unicodeScalars.count) }
  /// Connector of 1.6, EVSE of 2.0.1; 0 where a charger never said.
  package var connector: Int
  package var state: State = .preparing
  /// Unix milliseconds by our clock.
  package var started: Int64
  package var tag: String?
  package var energy = SessionEnergy()
  /// W.
  package var power: Double?
  package var stopped: Int64?
  /// `started` is the stamp of a clock that may be off.
  package var isStartRaw = false
  package var reason: String?
  /// What the start was made of, to know a repeated one.
  package var fingerprint: String = ""
  /// 2.0.1: numbers of the messages of this transaction.
  package var sequence = SequenceTracker()
  package var remoteStart: Int64?
  /// 2.0.1: time of the latest message.
  package var lastEvent: Int64 = .min
  /// When it was last told and stored, by the boot clock; not kept itself.
  var toldAt: Int64?
  var storedAt: Int64?

  package init(id: String, connector: Int, started: Int64) {
    self.id = id
    self.connector = connector
    self.started = started
  }

  package var isEnded: Bool { state == .ended }

  private static let clockDoubts: Set<Doubt> = [.clock, .startUnknown]

  /// The document of interfaces 3.4. Beyond it: `uncertain` names the members that are not right to the last digit, as in telemetry,
  /// and `doubts` says why.
  package func document(_ now: Moment) -> JSON {
    let doubts = energy.doubts.map(\.rawValue).sorted()
    var uncertain: [JSON] = []
    if !energy.doubts.subtracting(Self.clockDoubts).isEmpty || energy.doubts.contains(.startUnknown) { uncertain.append("energy") }
    if !energy.doubts.isDisjoint(with: Self.clockDoubts) { uncertain.append("started") }
    var document: JSON = [
      "ts": .integer(now.unix), "connector": .integer(Int64(connector)), "session": .string(id), "state": .string(state.rawValue),
      "started": .integer(started), "energy": energy.wattHours.map { .number(($0 * 1000).rounded() / 1000) } ?? .null,
      "power": isEnded ? 0 : power.map { .number($0) } ?? .null, "tag": tag.map { .string($0) } ?? .null,
      "stopped": stopped.map { .integer($0) } ?? .null, "reason": reason.map { .string($0) } ?? .null,
    ]
    if !uncertain.isEmpty {
      document["uncertain"] = .array(uncertain)
      document["doubts"] = .array(doubts.map { .string($0) })
    }
    return document
  }
}

extension ChargingSession {
  /// For the store: below 1 KiB.
  package var json: JSON {
    .object([
      "id": .string(id), "c": .integer(Int64(connector)), "st": .string(state.rawValue), "at": .integer(started),
      "tag": tag.map { .string($0.cut(to: 64)) }, "e": energy.json, "end": stopped.map { .integer($0) },
      "why": reason.map { .string($0.cut(to: 40)) }, "f": fingerprint.isEmpty ? nil : .string(fingerprint),
      "q": sequence.json, "r": remoteStart.map { .integer($0) }, "v": lastEvent == .min ? nil : .integer(lastEvent),
      "raw": isStartRaw ? true : nil,
    ])
  }

  package init?(_ json: JSON) {
    guard let id = json["id"]?.string, let connector = json["c"]?.integer, let started = json["at"]?.integer,
      let state = json["st"]?.string.flatMap({ State(rawValue: $0) })
    else { return nil }
    self.init(id: id, connector: Int(truncatingIfNeeded: connector), started: started)
    self.state = state
    tag = json["tag"]?.string
    if let energy = json["e"] { self.energy = SessionEnergy(energy) }
    stopped = json["end"]?.integer
    reason = json["why"]?.string
    fingerprint = json["f"]?.string ?? ""
    if let sequence = json["q"] { self.sequence = SequenceTracker(sequence) }
    remoteStart = json["r"]?.integer
    lastEvent = json["v"]?.integer ?? .min
    isStartRaw = json["raw"]?.boolean ?? false
  }
}

/// Numbers of messages that count up from 0 (2.0.1 part 2, E01: `seqNo`): which came, which are missing.
package struct SequenceTracker: Equatable, Sendable {
  package enum Arrival: Equatable, Sendable {
    case new, `repeat`
  }

  private static let mostMissing = 64

  package private(set) var next: Int64 = 0
  package private(set) var missing: Set<Int64> = []
  /// More are missing than are kept by number.
  package private(set) var lostCount = false

  package init() {}

  package var isComplete: Bool { missing.isEmpty && !lostCount }

  package mutating func receive(_ number: Int64) -> Arrival {
    guard number >= next else { return missing.remove(number) == nil ? .repeat : .new }
    if number - next > Int64(Self.mostMissing - missing.count) {
      lostCount = true
    } else {
      missing.formUnion(next..<number)
    }
    next = number == .max ? number : number + 1
    return .new
  }

  package var json: JSON? {
    guard next > 0 else { return nil }
    return .object([
      "n": .integer(next), "m": missing.isEmpty ? nil : .array(missing.sorted().map { .integer($0) }), "l": lostCount ? true : nil,
    ])
  }

  package init(_ json: JSON) {
    next = max(0, json["n"]?.integer ?? 0)
    missing = Set((json["m"]?.array ?? []).prefix(Self.mostMissing).compactMap(\.integer))
    lostCount = json["l"]?.boolean ?? false
  }
}
