// SPDX-License-Identifier: Apache-2.0

/// Transactions of 1.6 (sections 4.8 StartTransaction, 4.10 StopTransaction, 4.7 MeterValues).
extension SessionBook {
  package struct Start: Equatable, Sendable {
    package var connector: Int
    package var tag: String
    /// Wh.
    package var register: Double?
    package var stamp: String
    package var began: EventTime

    package init(connector: Int, tag: String, register: Double?, stamp: String, began: EventTime) {
      self.connector = connector
      self.tag = tag
      self.register = register
      self.stamp = stamp
      self.began = began
    }

    /// What is the same when the message comes again.
    var fingerprint: String { "\(connector)|\(tag)|\(register.map { String($0) } ?? "")|\(stamp)".cut(to: 120) }
  }

  /// The id of the transaction; that of the first time where the start comes again.
  package mutating func start(_ start: Start, _ now: Moment) -> (id: Int64, isRepeat: Bool) {
    let known = open.last { $0.fingerprint == start.fingerprint } ?? ended.last { $0.fingerprint == start.fingerprint }
    if let known, let id = Int64(known.id) { return (id, true) }
    let id = newID(now)
    var session = ChargingSession(id: String(id), connector: start.connector, started: start.began.unix)
    session.isStartRaw = start.began.isRaw
    session.tag = start.tag
    session.fingerprint = start.fingerprint
    session.energy.begin(start.register, at: start.began.unix)
    if !start.began.isCertain { session.energy.doubt(.clock) }
    add(session)
    return (id, false)
  }

  /// Meter values of a connector, oldest first, with the time of each by our clock.
  package mutating func read(
    _ sets: [TimedReading], connector: Int, transaction: Int64?, _ now: Moment
  ) {
    var session = transaction.flatMap { self[String($0)] }
    if session == nil {
      session = self.session(on: connector)
      if let transaction, transaction > 0, session == nil || session?.id != String(transaction), connector > 0 {
        // Known to the charger, not to us: our memory was lost, or its start never came.
        heard(transaction)
        var unannounced = ChargingSession(id: String(transaction), connector: connector, started: sets.first?.at ?? now.unix)
        unannounced.state = .charging
        unannounced.energy.doubt(.startUnknown)
        add(unannounced)
        session = unannounced
      }
    }
    guard let session else { return }
    change(session.id, news: false) { session in
      guard !session.isEnded else { return }
      for set in sets {
        if let register = set.reading.register { session.energy.read(register, at: set.at) }
        if let power = set.reading["power"] { session.power = power }
      }
    }
  }

  package struct Stop: Sendable {
    package var transaction: Int64
    /// Wh.
    package var register: Double?
    package var ended: EventTime
    package var tag: String?
    package var reason: String?
    /// Readings that came with it, oldest first.
    package var readings: [TimedReading]

    package init(
      transaction: Int64, register: Double?, ended: EventTime, tag: String? = nil, reason: String? = nil,
      readings: [TimedReading] = []
    ) {
      self.transaction = transaction
      self.register = register
      self.ended = ended
      self.tag = tag
      self.reason = reason
      self.readings = readings
    }
  }

  /// The id under which the session ended. A stop that comes again changes nothing.
  @discardableResult
  package mutating func stop(_ stop: Stop, _ now: Moment) -> String {
    var id = String(stop.transaction)
    if let known = self[id], known.isEnded, !known.energy.doubts.contains(.stopUnknown) { return id }
    if self[id] == nil {
      if let meant = meant(by: stop) {
        id = meant
        change(id) { $0.energy.doubt(.wrongID) }
      } else {
        id = add(unannounced: stop, now)
      }
    }
    change(id) { session in
      let wasLost = session.isEnded
      session.energy.settle(.stopUnknown)
      if wasLost { session.energy.settle(.noStop) }
      for item in stop.readings {
        guard let register = item.reading.register else { continue }
        if item.context == "Transaction.Begin" { session.energy.beganEarlier(register) }
        session.energy.read(register, at: item.at)
      }
      session.energy.end(stop.register ?? stop.readings.last { $0.reading.register != nil }?.reading.register, at: stop.ended.unix)
      if !stop.ended.isCertain { session.energy.doubt(.clock) }
      session.state = .ended
      session.stopped = max(stop.ended.unix, session.started)
      session.reason = stop.reason ?? "Local"
      session.power = nil
      if session.tag == nil { session.tag = stop.tag }
    }
    return id
  }

  /// Chargers that began a session while offline name it by a number of their own (0, -1) if they never learn ours.
  private func meant(by stop: Stop) -> String? {
    guard stop.transaction <= 0 else { return nil }
    let candidates = open.filter { session in
      guard let register = stop.register, let known = session.energy.register else { return true }
      return register >= known - 1
    }
    if let tag = stop.tag, let match = candidates.last(where: { $0.tag == tag }) { return match.id }
    return candidates.count == 1 ? candidates[0].id : nil
  }

  private mutating func add(unannounced stop: Stop, _ now: Moment) -> String {
    // A number that chargers use for what they do not know would not tell sessions apart.
    let number = stop.transaction > 0 ? stop.transaction : newID(now)
    heard(number)
    let first = stop.readings.first { $0.reading.register != nil }
    var session = ChargingSession(id: String(number), connector: 0, started: first?.at ?? stop.ended.unix)
    session.tag = stop.tag
    session.energy.doubt(.startUnknown)
    if let register = first?.reading.register { session.energy.begin(register, at: session.started) }
    add(session)
    return session.id
  }
}
