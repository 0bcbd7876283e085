// SPDX-License-Identifier: Apache-2.0

/// Transactions of 2.0.1 (part 2, E01 to E15): events that count, begun and named by the charger.
extension SessionBook {
  package struct Event: Sendable {
    package enum Kind: String, Sendable {
      case started = "Started"
      case updated = "Updated"
      case ended = "Ended"
    }

    package var kind: Kind
    package var transaction: String
    package var sequence: Int64
    package var time: EventTime
    /// 0 where the message does not say.
    package var evse: Int = 0
    package var tag: String?
    package var chargingState: String?
    package var stoppedReason: String?
    package var remoteStart: Int64?
    package var readings: [TimedReading] = []

    package init(_ kind: Kind, transaction: String, sequence: Int64, time: EventTime) {
      self.kind = kind
      self.transaction = transaction
      self.sequence = sequence
      self.time = time
    }
  }

  /// False where the message came before and acts no more.
  @discardableResult
  package mutating func receive(_ event: Event, _ now: Moment) -> Bool {
    if self[event.transaction] == nil {
      var session = ChargingSession(id: event.transaction, connector: event.evse, started: event.time.unix)
      session.state = .preparing
      if event.kind != .started { session.energy.doubt(.startUnknown) }
      add(session)
    }
    guard var session = self[event.transaction] else { return false }
    // Only what is older than the last message is a repeat: some chargers begin to count anew after a restart.
    if session.sequence.receive(event.sequence) == .repeat, event.time.unix <= session.lastEvent { return false }
    let before = session.state
    session.lastEvent = max(session.lastEvent, event.time.unix)
    Self.apply(event, to: &session)
    change(event.transaction, news: event.kind != .updated || session.state != before) { $0 = session }
    return true
  }

  private static func apply(_ event: Event, to session: inout ChargingSession) {
    if session.connector == 0 { session.connector = event.evse }
    if session.tag == nil { session.tag = event.tag }
    if let remote = event.remoteStart { session.remoteStart = remote }
    if event.kind == .started {
      session.started = min(session.started, event.time.unix)
      session.isStartRaw = event.time.isRaw
      session.energy.settle(.startUnknown)
      if !event.time.isCertain { session.energy.doubt(.clock) }
    }
    for item in event.readings {
      if let power = item.reading["power"], !session.isEnded { session.power = power }
      guard let register = item.reading.register else { continue }
      switch item.context {
      case "Transaction.Begin" where session.energy.wattHours == nil: session.energy.begin(register, at: item.at)
      case "Transaction.Begin": session.energy.beganEarlier(register)
      case "Transaction.End" where event.kind == .ended: continue
      default: session.energy.read(register, at: item.at)
      }
    }
    if event.kind == .ended {
      let end = event.readings.last { $0.context == "Transaction.End" && $0.reading.register != nil }
      session.energy.end(end?.reading.register, at: event.time.unix)
      session.stopped = max(event.time.unix, session.started)
      session.reason = event.stoppedReason ?? "Local"
      session.state = .ended
      session.power = nil
    } else if !session.isEnded {
      session.state = state(event.chargingState, before: session.state)
    }
  }

  /// ChargingStateEnumType in the words of interfaces 3.4.
  private static func state(_ text: String?, before: ChargingSession.State) -> ChargingSession.State {
    switch text {
    case "Charging": .charging
    case "SuspendedEV": .suspendedEV
    case "SuspendedEVSE": .suspendedEVSE
    // Connected and not charging: before it has charged, or after.
    case "EVConnected", "Idle": before == .preparing ? .preparing : .finishing
    default: before
    }
  }
}
