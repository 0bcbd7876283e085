// SPDX-License-Identifier: Apache-2.0

/// What one unit has answered so far, and what is still to be asked to know whether it is a device of a template.
///
/// Answers are kept by register, so that templates that look at the same place cost one request.
struct UnitSurvey: Sendable {
  enum Question: Equatable, Sendable {
    case block(Block)
    /// Function 43/14, the basic objects.
    case identification
  }

  /// Silent answers in a row after which nobody is there any more.
  private static let patience = 3

  let unit: UInt8
  /// Those that such a unit has from the factory first.
  private let templates: [ProbedTemplate]
  private var answers: [(block: Block, words: [UInt16]?)] = []
  private var identification: [UInt8: String]?
  private var asked: Question?
  private var silences = 0
  private(set) var hasAnswered = false
  private var isGone = false

  init(unit: UInt8, templates: [ProbedTemplate]) {
    self.unit = unit
    self.templates = templates.filter { $0.unit == unit } + templates.filter { $0.unit != unit }
  }

  /// Whether devices have this unit from the factory: they get a second chance, because some ignore a request for a
  /// register that they lack.
  private var isUsual: Bool { templates.first?.unit == unit }

  /// Nil = all is known.
  mutating func next() -> Question? {
    guard !isGone else { return nil }
    asked = wanted()
    return asked
  }

  mutating func answered(_ words: [UInt16]?) {
    hasAnswered = true
    silences = 0
    record(words)
  }

  mutating func identified(_ objects: [UInt8: String]) {
    hasAnswered = true
    silences = 0
    identification = objects
  }

  /// Nothing came, or nothing that makes sense.
  mutating func silent() {
    silences += 1
    record(nil)
    isGone = silences >= (hasAnswered ? Self.patience : isUsual ? 2 : 1)
  }

  /// A gateway says that there is nobody.
  mutating func unreachable() {
    isGone = true
  }

  private mutating func record(_ words: [UInt16]?) {
    switch asked {
    case .block(let block)?: answers.append((block, words))
    case .identification?: identification = [:]
    case nil: break
    }
    asked = nil
  }

  private func wanted() -> Question? {
    var matches: [ProbedTemplate] = []
    for template in templates where !template.checks.isEmpty {
      switch verdict(template) {
      case .ask(let block): return .block(block)
      case .holds: matches.append(template)
      case .fails: break
      }
    }
    if hasAnswered, identification == nil, !matches.contains(where: \.isSignature) { return .identification }
    if let identification {
      let told = Identification(identification)
      matches += templates.filter { told.names($0) }
    }
    for template in matches {
      for case .field(let field, _)? in IdentityPart.allCases.map({ template.identity[$0] }) {
        let block = Block(field.address, count: field.count)
        if known(field, in: block) == nil { return .block(block) }
      }
    }
    return nil
  }

  private enum Verdict {
    case ask(Block)
    case holds
    case fails

    var isTrue: Bool { if case .holds = self { true } else { false } }
  }

  private func verdict(_ template: ProbedTemplate) -> Verdict {
    for check in template.checks {
      let block = template.block(for: check)
      guard let words = known(check.field, in: block) else { return .ask(block) }
      guard check.holds(words) else { return .fails }
    }
    return .holds
  }

  /// What a request that holds the field was answered. Nil = `block`, by which it would be asked, was not sent yet; nil
  /// inside = it was refused. That a longer one was refused says nothing.
  private func known(_ field: Field, in block: Block) -> ArraySlice<UInt16>?? {
    for case (let other, let words?) in answers where other.contains(field) {
      let start = field.address.register - other.address.register
      return .some(words[start..<(start + field.count)])
    }
    return answers.contains { $0.block == block } ? .some(nil) : nil
  }

  // MARK: What was found

  /// That by which the device was recognised, to see whether another unit holds the same.
  enum Evidence: Sendable {
    case registers(ProbedTemplate, Block)
    case identification([UInt8: String])

    var question: Question {
      switch self {
      case .registers(_, let block): .block(block)
      case .identification: .identification
      }
    }
  }

  func evidence(of name: String) -> Evidence? {
    guard let template = templates.first(where: { $0.name == name }) else { return nil }
    if let check = template.checks.first, verdict(template).isTrue { return .registers(template, template.block(for: check)) }
    return identification.map { .identification($0) }
  }

  /// One for each kind of device; one without a template where something answers that no template knows.
  func findings() -> [Survey.Finding] {
    guard hasAnswered else { return [] }
    let told = Identification(identification ?? [:])
    var found: [(template: ProbedTemplate, finding: Survey.Finding)] = []
    for template in templates {
      let probed = !template.checks.isEmpty && verdict(template).isTrue
      let named = told.names(template)
      guard probed || named else { continue }
      found.append((template, finding(template, probed: probed, named: named, told)))
    }
    guard !found.isEmpty else {
      return [
        Survey.Finding(
          unit: unit, vendor: told.vendor, model: told.product, firmware: told.revision,
          confidence: told.isEmpty ? Confidence.answers : Confidence.namesItself)
      ]
    }
    // The surest of each kind; the others are what it might also be.
    found.sort { ($0.finding.confidence, $1.template.name) > ($1.finding.confidence, $0.template.name) }
    let isSure = found[0].finding.confidence >= Confidence.signature
    var chosen: [(kind: String, finding: Survey.Finding)] = []
    for (template, finding) in found {
      if let place = chosen.firstIndex(where: { $0.kind == template.kind }) {
        chosen[place].finding.others.append(template.name)
      } else if !isSure || finding.confidence >= Confidence.signature {
        chosen.append((template.kind, finding))
      }
    }
    return chosen.map(\.finding)
  }

  private func finding(
    _ template: ProbedTemplate, probed: Bool, named: Bool, _ told: Identification
  ) -> Survey.Finding {
    var texts: [IdentityPart: String] = [:]
    for part in IdentityPart.allCases {
      switch template.identity[part] {
      case .text(let text)?: texts[part] = text
      case .field(let field, let labels)?:
        let block = Block(field.address, count: field.count)
        if let words = known(field, in: block) ?? nil { texts[part] = field.identity(Array(words), labels) }
      case nil: break
      }
    }
    if (texts[.vendor] ?? "").isEmpty { texts[.vendor] = template.vendor }
    if (texts[.model] ?? "").isEmpty { texts[.model] = told.product }
    if (texts[.firmware] ?? "").isEmpty { texts[.firmware] = told.revision }
    let serial = texts[.serial] ?? ""
    let isSerial = serial.contains { $0 != "0" }
    return Survey.Finding(
      unit: unit, template: template.name, vendor: texts[.vendor] ?? "", model: texts[.model] ?? "",
      serial: isSerial ? serial : "", firmware: texts[.firmware] ?? "",
      confidence: Confidence.of(template, probed: probed, named: named, hasSerial: isSerial))
  }
}
