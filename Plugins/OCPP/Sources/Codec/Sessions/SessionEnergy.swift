// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Why a figure of a session is not certain.
package enum Doubt: String, CaseIterable, Hashable, Sendable {
  /// No reading at the start: counted from the first one that came.
  case noStart = "no-start-reading"
  /// The start said 0 and the register is far from it: counted from the first reading that came.
  case zeroStart = "zero-start-reading"
  /// No reading at the end: counted to the last one that came.
  case noStop = "no-stop-reading"
  case zeroStop = "zero-stop-reading"
  /// The register fell and went on from there.
  case fell = "meter-fell"
  /// More energy than the charger can have delivered in that time.
  case jumped = "meter-jumped"
  /// The end is below what was read before it.
  case stopBelowReading = "stop-below-reading"
  /// The charger never said that the session began, or when.
  case startUnknown = "start-unknown"
  /// Another session began on the connector before this one was said to have ended.
  case stopUnknown = "stop-unknown"
  /// The stop named another transaction and was taken for this one.
  case wrongID = "wrong-id"
  /// The charger's clock was not set, or off by an unknown amount.
  case clock = "clock"
  /// Messages of the session are missing (2.0.1 counts them).
  case messagesMissing = "messages-missing"
}

/// The energy of a session from a register that may be missing, zero, falling or wrong for a moment. Wh and milliseconds.
///
/// A reading that cannot be, because it is lower or far higher than the last one, waits for the next: either that one is back in
/// line and the strange one is forgotten, or it goes on from there and the session is marked.
package struct SessionEnergy: Equatable, Sendable {
  /// What a charger delivers at most, W; a jump beyond is doubted. Larger than any charging station of today.
  package var mostPower: Double = 400_000
  package private(set) var doubts: Set<Doubt> = []
  private var start: Double?
  private var startIsZero = false
  private var last: Double?
  private var lastAt: Int64 = 0
  /// Wh of what lies before the register fell.
  private var counted: Double = 0
  private var suspect: Double?

  /// Registers of start and stop are whole Wh in 1.6, samples are not.
  private static let rounding = 1.0
  private static let allowance = 100.0

  package init() {}

  package var wattHours: Double? {
    guard let start, let last else { return nil }
    return max(0, counted + last - start)
  }

  /// The latest register, Wh.
  package var register: Double? { last }

  package mutating func begin(_ register: Double?, at time: Int64) {
    lastAt = time
    guard let register, register >= 0 else { return }
    start = register
    last = register
    startIsZero = register == 0
  }

  /// True where it changed something.
  @discardableResult
  package mutating func read(_ register: Double, at time: Int64) -> Bool {
    guard register >= 0 else { return false }
    guard let last, start != nil else {
      doubts.insert(.noStart)
      start = register
      self.last = register
      lastAt = time
      return true
    }
    // Queued messages may repeat what is known.
    guard time >= lastAt else { return false }
    if startIsZero {
      startIsZero = false
      if isTooMuch(register - last, at: time) {
        doubts.insert(.zeroStart)
        start = register
        return accept(register, at: time)
      }
    }
    if let suspect {
      self.suspect = nil
      if suspect < last, register < last - Self.rounding, register >= suspect - Self.rounding {
        // It goes on from the lower value: the register was reset or exchanged.
        doubts.insert(.fell)
        counted += last - (start ?? last)
        start = suspect
        return accept(register, at: time)
      }
      if suspect > last, register >= suspect - Self.rounding, isTooMuch(register - last, at: time) {
        doubts.insert(.jumped)
        return accept(register, at: time)
      }
    }
    if register < last - Self.rounding || isTooMuch(register - last, at: time) {
      suspect = register
      return false
    }
    return accept(max(register, last), at: time)
  }

  /// The reading of the start came after others.
  package mutating func beganEarlier(_ register: Double) {
    guard let start, doubts.contains(.noStart), counted == 0, register <= start + Self.rounding else { return }
    self.start = min(register, start)
    doubts.remove(.noStart)
  }

  package mutating func end(_ register: Double?, at time: Int64) {
    guard let register, register >= 0 else {
      doubts.insert(.noStop)
      return
    }
    guard let start, let last else {
      doubts.insert(.noStart)
      return
    }
    if register == 0, last > 0 {
      doubts.insert(.zeroStop)
      return
    }
    if startIsZero, isTooMuch(register - last, at: time) {
      // Nothing in between that could tell how much of it is this session's.
      doubts.insert(.zeroStart)
    }
    if let suspect, suspect < last, register < last - Self.rounding, register >= suspect - Self.rounding {
      doubts.insert(.fell)
      counted += last - start
      self.start = suspect
    } else if register < start - Self.rounding {
      doubts.insert(.fell)
      return
    } else if register < last - Self.rounding {
      doubts.insert(.stopBelowReading)
    } else if !startIsZero, isTooMuch(register - last, at: time) {
      doubts.insert(.jumped)
    }
    suspect = nil
    self.last = register
    lastAt = max(lastAt, time)
  }

  package mutating func doubt(_ doubt: Doubt) { doubts.insert(doubt) }

  package mutating func settle(_ doubt: Doubt) { doubts.remove(doubt) }

  private mutating func accept(_ register: Double, at time: Int64) -> Bool {
    let isNews = last != register
    last = register
    lastAt = time
    return isNews
  }

  private func isTooMuch(_ wattHours: Double, at time: Int64) -> Bool {
    let hours = Double(max(0, time - lastAt)) / 3_600_000
    return wattHours > mostPower * hours + Self.allowance
  }
}

extension SessionEnergy {
  /// For the store, as short as it goes.
  package var json: JSON {
    .object([
      "a": start.map { .number($0) }, "b": last.map { .number($0) }, "t": .integer(lastAt),
      "c": counted == 0 ? nil : .number(counted), "s": suspect.map { .number($0) }, "z": startIsZero ? true : nil,
      "d": doubts.isEmpty ? nil : .array(doubts.map(\.rawValue).sorted().map { .string($0) }),
    ])
  }

  package init(_ json: JSON) {
    start = json["a"]?.number
    last = json["b"]?.number
    lastAt = json["t"]?.integer ?? 0
    counted = json["c"]?.number ?? 0
    suspect = json["s"]?.number
    startIsZero = json["z"]?.boolean ?? false
    doubts = Set((json["d"]?.array ?? []).compactMap { $0.string.flatMap { Doubt(rawValue: $0) } })
  }
}
