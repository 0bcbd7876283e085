// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

extension TemplateReader {
  /// Type and labels of a point that can only be written: they follow from its cases.
  func writtenType(
    _ body: WriteBody, _ labels: [String: String]?, _ path: String
  ) throws(TemplateError) -> (Int, [String]) {
    if let labels {
      let codes = try codes(labels, "\(path).enum")
      return (BB_TYPE_ENUM, codes.sorted { $0.key < $1.key }.map(\.value))
    }
    let conditions = (body.cases ?? []).map(\.when)
    if conditions.contains(where: { if case .boolean = $0 { true } else { false } }) { return (BB_TYPE_BOOL, []) }
    let names = conditions.compactMap { if case .text(let text) = $0, !Self.signs.contains(text) { text } else { nil } }
    return names.isEmpty ? (BB_TYPE_F64, []) : (BB_TYPE_ENUM, names)
  }

  func rule(
    _ body: WriteBody, type: Int, labels: [String], codes: [String: String], _ path: String
  ) throws(TemplateError) -> WriteRule {
    let path = "\(path).write"
    guard type != BB_TYPE_TEXT else { throw TemplateError(path, "is of no use for a text") }
    var rule = WriteRule([])
    if let cases = body.cases {
      for (index, each) in cases.enumerated() {
        rule.cases.append(try self.rule(each, type: type, labels: labels, "\(path).cases.[\(index)]"))
      }
    } else if type == BB_TYPE_ENUM {
      let field = try number(body.field, path)
      for (code, label) in try self.codes(codes, "\(path).enum").sorted(by: { $0.key < $1.key }) {
        guard let index = labels.firstIndex(of: label) else { continue }
        let assignment = try assignment(field, .constant(Double(code)), body.function, path)
        rule.cases.append(.init(.equals(Double(index)), [assignment]))
      }
    } else {
      let assignment = try assignment(
        number(body.field, path), .commanded(negated: false), body.function, power: power(body.field, path), path)
      rule.cases.append(.init(.always, [assignment]))
    }
    guard !rule.cases.isEmpty else { throw TemplateError("\(path).cases", "is empty") }
    try noneIsHidden(rule, path)
    rule.settle = try duration(body.settle, "\(path).settle") ?? 0
    rule.within = try within(body.within, of: rule, "\(path).within")
    rule.clamp = try clamp(body.clamp, type: type, "\(path).clamp")
    rule.wear = try wear(body.wear, "\(path).wear")
    switch body.readBack {
    case nil: rule.confirmation = .point
    case .registers(let flag): rule.confirmation = flag ? .registers : .none
    case .field(let field): rule.confirmation = .field(try number(field, "\(path).read_back"))
    }
    return rule
  }

  /// The first case that fits counts, so one that stands twice is never reached.
  private func noneIsHidden(_ rule: WriteRule, _ path: String) throws(TemplateError) {
    for (index, each) in rule.cases.enumerated() {
      let hidden = rule.cases.prefix(index).contains { earlier in
        if earlier.condition == each.condition { return true }
        if case .equals(let number) = each.condition { return earlier.condition.holds(number) }
        return false
      }
      if hidden { throw TemplateError("\(path).cases.[\(index)].when", "is met by an earlier case already") }
    }
  }

  private static let signs = ["positive", "negative"]

  private func rule(
    _ body: CaseBody, type: Int, labels: [String], _ path: String
  ) throws(TemplateError) -> WriteRule.Case {
    let condition: WriteRule.Condition
    switch body.when {
    case .number(let number) where type == BB_TYPE_F64: condition = .equals(number)
    case .boolean(let flag) where type == BB_TYPE_BOOL: condition = .equals(flag ? 1 : 0)
    case .text("positive") where type == BB_TYPE_F64: condition = .positive
    case .text("negative") where type == BB_TYPE_F64: condition = .negative
    case .text(let label) where type == BB_TYPE_ENUM:
      guard let index = labels.firstIndex(of: label) else {
        throw TemplateError(
          "\(path).when", "is \"\(label)\", which is none of the labels \(labels.joined(separator: ", "))")
      }
      condition = .equals(Double(index))
    default:
      throw TemplateError("\(path).when", "is \"\(body.when.description)\", which this point can never be")
    }
    guard !body.set.isEmpty else { throw TemplateError("\(path).set", "is empty") }
    var sets: [WriteRule.Assignment] = []
    for (index, each) in body.set.enumerated() {
      let path = "\(path).set.[\(index)]"
      let value: WriteRule.Assignment.Value
      switch each.value {
      case .number(let number): value = .constant(number)
      case .boolean(let flag): value = .constant(flag ? 1 : 0)
      case .text("$value"): value = .commanded(negated: false)
      case .text("$-value"): value = .commanded(negated: true)
      case .text: throw TemplateError("\(path).value", "is neither a number, $value nor $-value")
      }
      sets.append(try assignment(number(each.field, path), value, each.function, power: power(each.field, path), path))
    }
    return WriteRule.Case(condition, sets)
  }

  /// All writes of a case have to fit into the time, with the pauses between them.
  private func within(_ text: String?, of rule: WriteRule, _ path: String) throws(TemplateError) -> Int? {
    guard let time = try duration(text, path) else { return nil }
    let pause = max(try duration(body.writeSpacing, "write_spacing") ?? 0, try duration(body.readSpacing, "read_spacing") ?? 0)
    let most = rule.cases.map(\.sets.count).max() ?? 1
    guard (most - 1) * pause <= time else {
      throw TemplateError(path, "is too short: \(most) writes with \(pause) ms between them take longer")
    }
    return time
  }

  private func clamp(_ body: ClampBody?, type: Int, _ path: String) throws(TemplateError) -> WriteRule.Clamp {
    var clamp = WriteRule.Clamp()
    guard let body else { return clamp }
    guard type == BB_TYPE_F64 else { throw TemplateError(path, "is of no use for a point that is no number") }
    if let minimum = body.minimum { clamp.minimum = try term(minimum, "\(path).minimum") }
    if let maximum = body.maximum { clamp.maximum = try term(maximum, "\(path).maximum") }
    return clamp
  }

  private func wear(_ body: WearBody?, _ path: String) throws(TemplateError) -> WearBudget? {
    guard let body else { return nil }
    guard let within = try duration(body.within, "\(path).within"), within >= 60_000, 1...100_000 ~= body.writes else {
      throw TemplateError(path, "is not a number of writes from 1 to 100000 within a minute or more")
    }
    return WearBudget(writes: body.writes, within: within)
  }

  func assignment(
    _ field: Field, _ value: WriteRule.Assignment.Value, _ function: Int?, power: Field? = nil, _ path: String
  ) throws(TemplateError) -> WriteRule.Assignment {
    guard field.bits == nil else { throw TemplateError("\(path).bits", "cannot be written: other bits would be lost") }
    guard field.end <= 0x1_0000 else { throw TemplateError("\(path).window", "cannot be written") }
    switch field.address.table {
    case .coil: return WriteRule.Assignment(field, value, function: 5, power: power)
    case .holding: break
    case .input, .discrete:
      throw TemplateError("\(path).table", "is \(field.address.table.rawValue), which cannot be written")
    }
    // A value of several registers goes out in one request.
    let usual = field.count > 1 ? 16 : writeFunction
    let function = function.map { UInt8(clamping: $0) } ?? usual
    guard function == 16 || function == 6 && field.count == 1 else {
      throw TemplateError("\(path).function", "is \(function); expected 16, or 6 for a value of one register")
    }
    return WriteRule.Assignment(field, value, function: function, power: power)
  }
}
