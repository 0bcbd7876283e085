// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// One walk through a payload. Each function returns the mended value, or nil where nothing was to mend.
struct Check {
  private enum Step {
    case field(String)
    case item(Int)
  }

  private let catalogue: Catalogue
  private var path: [Step] = []
  private(set) var findings: [Finding] = []

  init(_ catalogue: Catalogue) { self.catalogue = catalogue }

  mutating func find(_ code: ErrorCode, _ text: String, harmless: Bool) {
    guard findings.count < Verdict.mostFindings || !harmless && findings.allSatisfy(\.isHarmless) else { return }
    var place = ""
    for step in path {
      switch step {
      case .field(let name): place += place.isEmpty ? name : ".\(name)"
      case .item(let index): place += "[\(index)]"
      }
    }
    if findings.count == Verdict.mostFindings { findings.removeLast() }
    findings.append(Finding(path: place.cut(to: 200), code: code, text: text, isHarmless: harmless))
  }

  mutating func object(_ members: [JSON.Member], _ shape: Shape) -> [JSON.Member]? {
    var mended: [JSON.Member]?
    var met = 0
    for field in shape.fields {
      guard let index = members.lastIndex(where: { $0.name == field.name }) else {
        if field.isRequired { missing(field.name) }
        continue
      }
      met += 1
      let value = members[index].value
      path.append(.field(field.name))
      if value.isNull, field.kind != .any {
        find(.typeConstraintViolation, "is null", harmless: !field.isRequired || Tolerance.dispensable.contains(field.name))
        mended = (mended ?? members).filter { $0.name != field.name }
      } else if let better = self.value(value, field) {
        var changed = mended ?? members
        if let place = changed.lastIndex(where: { $0.name == field.name }) { changed[place].value = better }
        mended = changed
      }
      path.removeLast()
    }
    if met != members.count, !shape.isOpen { extra(members, shape) }
    return mended
  }

  private mutating func missing(_ name: String) {
    path.append(.field(name))
    find(.occurrenceConstraintViolation, "is missing", harmless: Tolerance.dispensable.contains(name))
    path.removeLast()
  }

  private mutating func extra(_ members: [JSON.Member], _ shape: Shape) {
    for (index, member) in members.enumerated() {
      if !shape.fields.contains(where: { $0.name == member.name }) {
        find(.formatViolation, "has the unknown field '\(member.name.cut(to: 50))'", harmless: true)
      } else if members[..<index].contains(where: { $0.name == member.name }) {
        find(.formatViolation, "has the field '\(member.name.cut(to: 50))' twice", harmless: true)
      }
      if findings.count >= Verdict.mostFindings { return }
    }
  }

  private mutating func value(_ value: JSON, _ field: Shape.Field) -> JSON? {
    guard let bounds = field.items else { return single(value, field.kind) }
    guard case .array(let items) = value else {
      guard case .object = field.kind, value.members != nil else {
        find(.typeConstraintViolation, "is \(value.kind), not a list", harmless: false)
        return nil
      }
      find(.typeConstraintViolation, "is not in a list", harmless: true)
      return .array([single(value, field.kind) ?? value])
    }
    if !bounds.contains(items.count) {
      find(.occurrenceConstraintViolation, "has \(items.count) items", harmless: true)
    }
    var mended: [JSON]?
    for (index, item) in items.enumerated() {
      path.append(.item(index))
      if let better = single(item, field.kind) {
        var changed = mended ?? items
        changed[index] = better
        mended = changed
      }
      path.removeLast()
    }
    return mended.map { .array($0) }
  }

  private mutating func single(_ value: JSON, _ kind: Shape.Kind) -> JSON? {
    switch kind {
    case .any: return nil
    case .object(let index):
      guard case .object(let members) = value else { return wrong(value, "an object") }
      return object(members, catalogue.shapes[index]).map { .object($0) }
    case .text(let longest): return text(value, longest)
    case .enumeration(let index): return enumeration(value, catalogue.enumerations[index])
    case .time:
      guard case .string(let text) = value else { return wrong(value, "a time") }
      if Stamp(text) == nil {
        find(.propertyConstraintViolation, "is no time: '\(text.cut(to: 40))'", harmless: true)
      }
      return nil
    case .boolean: return boolean(value)
    case .integer(let bounds): return integer(value, bounds)
    case .number(let oneDecimal): return number(value, oneDecimal)
    }
  }

  private mutating func wrong(_ value: JSON, _ wanted: String) -> JSON? {
    find(.typeConstraintViolation, "is \(value.kind), not \(wanted)", harmless: false)
    return nil
  }

  private mutating func text(_ value: JSON, _ longest: Int) -> JSON? {
    let text: String
    switch value {
    case .string(let string):
      if string.utf8.count > longest {
        let length = string.unicodeScalars.count
        if length > longest {
          find(.propertyConstraintViolation, "has \(length) characters, \(longest) are allowed", harmless: true)
        }
      }
      return nil
    case .integer(let number): text = String(number)
    case .number(let number): text = JSON.text(number)
    case .boolean(let flag): text = flag ? "true" : "false"
    default: return wrong(value, "a text")
    }
    find(.typeConstraintViolation, "is \(value.kind), not a text", harmless: true)
    return .string(text)
  }

  private mutating func enumeration(_ value: JSON, _ enumeration: Enumeration) -> JSON? {
    guard case .string(let text) = value else { return wrong(value, "one of \(enumeration.name)") }
    if enumeration.values.contains(text) { return nil }
    let folded = text.cut(to: 64).lowercased()
    if let meant = enumeration.values.first(where: { $0.lowercased() == folded }) {
      find(.propertyConstraintViolation, "is '\(text.cut(to: 64))' instead of '\(meant)'", harmless: true)
      return .string(meant)
    }
    find(
      .propertyConstraintViolation, "is '\(text.cut(to: 64))', which is not one of \(enumeration.name)",
      harmless: !Tolerance.vital.contains(enumeration.name))
    return nil
  }

  private mutating func boolean(_ value: JSON) -> JSON? {
    let meant: Bool
    switch value {
    case .boolean: return nil
    case .integer(0): meant = false
    case .integer(1): meant = true
    case .string(let text) where text.lowercased() == "true": meant = true
    case .string(let text) where text.lowercased() == "false": meant = false
    default: return wrong(value, "true or false")
    }
    find(.typeConstraintViolation, "is \(value.kind), not true or false", harmless: true)
    return .boolean(meant)
  }

  private mutating func integer(_ value: JSON, _ bounds: ClosedRange<Int64>) -> JSON? {
    var mended: JSON?
    let number: Int64
    switch value {
    case .integer(let whole): number = whole
    case .number(let decimal) where abs(decimal) < 9e15:
      // 5.0 is a whole number (JSON Schema from draft 6 on).
      number = Int64(decimal.rounded())
      if decimal != decimal.rounded() {
        find(.typeConstraintViolation, "is not a whole number", harmless: true)
      }
      mended = .integer(number)
    case .string(let text):
      guard let parsed = Double(text.trimmed), abs(parsed) < 9e15 else { return wrong(value, "a whole number") }
      find(.typeConstraintViolation, "is a text, not a whole number", harmless: true)
      number = Int64(parsed.rounded())
      mended = .integer(number)
    default: return wrong(value, "a whole number")
    }
    if !bounds.contains(number) { find(.propertyConstraintViolation, "is \(number), out of range", harmless: true) }
    return mended
  }

  private mutating func number(_ value: JSON, _ oneDecimal: Bool) -> JSON? {
    var mended: JSON?
    let number: Double
    if let given = value.number {
      number = given
    } else {
      guard case .string(let text) = value, let parsed = Double(text.trimmed), parsed.isFinite else {
        return wrong(value, "a number")
      }
      find(.typeConstraintViolation, "is a text, not a number", harmless: true)
      number = parsed
      mended = .number(parsed)
    }
    let tenths = number * 10
    if oneDecimal, abs(tenths - tenths.rounded()) > 1e-9 * max(1, abs(tenths)) {
      find(.propertyConstraintViolation, "has more than one decimal", harmless: true)
    }
    return mended
  }
}

extension String {
  /// Without spaces around; numbers longer than any are cut and so are none.
  var trimmed: String {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    guard let first = utf8.first, let last = utf8.last, isSpace(first) || isSpace(last) || utf8.count > 64 else { return self }
    let bytes = utf8.prefix(64).drop(while: isSpace)
    return String(decoding: bytes.reversed().drop(while: isSpace).reversed(), as: UTF8.self)
  }
}
