// SPDX-License-Identifier: Apache-2.0

/// A search behind one connection: which units answer, and what they are. Says what to ask next and is told what came of
/// it; it sends nothing itself, and asks for reads only.
///
/// A device reached over TCP may answer for every unit. Once one was recognised, two units that nobody uses are asked for
/// the same registers; where both hold the same, the connection leads to that one device and the search is over.
package struct Survey: Sendable {
  package struct Finding: Equatable, Sendable {
    package var unit: UInt8
    /// Nil: no template knows what answers.
    package var template: String?
    package var vendor = ""
    package var model = ""
    package var serial = ""
    package var firmware = ""
    /// Above 0 to 1.
    package var confidence: Double
    /// Templates of the same kind that fit as well.
    package var others: [String] = []
  }

  package struct Question: Equatable, Sendable {
    package var unit: UInt8
    package var request: Request
    /// Milliseconds.
    package var timeout: Int
    /// From the end of the request before it.
    package var spacing: Int
    /// From the moment when the connection was made.
    package var connectDelay: Int
  }

  /// Milliseconds for a unit that has not answered yet, on a line and behind the network, and for one that has.
  private static let firstTimeoutOnBus = 250
  private static let firstTimeout = 400
  private static let timeout = 1_000
  /// Nobody's unit: the middle of nowhere between the ranges that makers use.
  private static let strangers: [UInt8] = [246, 213]

  private let templates: [ProbedTemplate]
  private let units: [UInt8]
  private let isBus: Bool
  private var place = 0
  private var current: UnitSurvey?
  private var echo: Echo?
  private var isOver = false
  private var hasEchoed = false
  private var findings: [Finding] = []
  private var strangersKnown: [Finding] = []
  private var recognised = false

  private struct Echo: Sendable {
    var evidence: UnitSurvey.Evidence
    var units: [UInt8]
  }

  /// `isBus`: a serial line, where each unit is a device of its own.
  package init(_ templates: [ProbedTemplate], units: [UInt8], isBus: Bool) {
    self.templates = templates
    self.units = units
    self.isBus = isBus
  }

  /// The units to look at. Behind TCP the ones that devices have from the factory, the most usual first; with `everywhere`,
  /// and on a serial line, all of them.
  package static func units(_ templates: [ProbedTemplate], isBus: Bool, everywhere: Bool) -> [UInt8] {
    var counts: [UInt8: Int] = [1: 1]
    for template in templates { counts[template.unit, default: 0] += 1 }
    let usual = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    guard isBus || everywhere else { return usual }
    let all = (1...247).map { UInt8($0) }
    return isBus ? all : usual + (all + [0]).filter { !usual.contains($0) }
  }

  /// Units that are done, and all of them.
  package var progress: (done: Int, total: Int) { isOver ? (units.count, units.count) : (place, units.count) }

  package mutating func next() -> Question? {
    while !isOver {
      if let echo {
        if let unit = echo.units.first {
          return question(unit, echo.evidence.question, firstTimeout: true)
        }
        // Both held the same.
        isOver = true
        break
      }
      if current == nil {
        guard place < units.count else {
          isOver = true
          break
        }
        current = UnitSurvey(unit: units[place], templates: templates)
      }
      if let question = current?.next(), let unit = current?.unit {
        return self.question(unit, question, firstTimeout: current?.hasAnswered == false)
      }
      finishUnit()
    }
    // What answers and is unknown counts behind TCP only where nothing else was found: it may be the same device.
    if !recognised, let first = strangersKnown.first { findings.append(first) }
    strangersKnown = []
    return nil
  }

  package mutating func answered(_ reply: Reply) {
    switch reply {
    case .values(let words): take(words)
    case .identification(let objects):
      if case .identification(let known)? = echo?.evidence { compared(known == objects) } else { current?.identified(objects) }
    case .exception(ExceptionCode.gatewayPathUnavailable), .exception(ExceptionCode.gatewayTargetSilent):
      if echo != nil { echo = nil } else { current?.unreachable() }
    case .exception, .written: take(nil)
    }
  }

  /// Nothing came in time, or nothing that makes sense.
  package mutating func silent() {
    if echo != nil { echo = nil } else { current?.silent() }
  }

  private mutating func take(_ words: [UInt16]?) {
    guard let asked = echo else {
      current?.answered(words)
      return
    }
    guard case .registers(let template, let block) = asked.evidence, let words else { return compared(false) }
    compared(
      template.checks.allSatisfy { check in
        guard block.contains(check.field) else { return true }
        let start = check.field.address.register - block.address.register
        return check.holds(words[start..<(start + check.field.count)])
      })
  }

  private mutating func compared(_ isSame: Bool) {
    if isSame { echo?.units.removeFirst() } else { echo = nil }
  }

  private mutating func finishUnit() {
    defer {
      current = nil
      place += 1
    }
    guard let unit = current else { return }
    for finding in unit.findings() {
      guard let template = finding.template else {
        if isBus { findings.append(finding) } else { strangersKnown.append(finding) }
        continue
      }
      recognised = true
      findings.append(finding)
      guard !isBus, !hasEchoed, let evidence = unit.evidence(of: template) else { continue }
      hasEchoed = true
      echo = Echo(evidence: evidence, units: Self.strangers.filter { $0 != unit.unit })
    }
  }

  /// What was found since the last time.
  package mutating func take() -> [Finding] {
    defer { findings = [] }
    return findings
  }

  private func question(_ unit: UInt8, _ question: UnitSurvey.Question, firstTimeout: Bool) -> Question {
    let own = templates.filter { $0.unit == unit }
    let request: Request =
      switch question {
      case .block(let block): .read(block.address, count: block.count)
      case .identification: .identification
      }
    return Question(
      unit: unit, request: request, timeout: !firstTimeout ? Self.timeout : isBus ? Self.firstTimeoutOnBus : Self.firstTimeout,
      spacing: own.map(\.spacing).max() ?? 0, connectDelay: own.map(\.connectDelay).max() ?? 0)
  }
}
