// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

extension TemplateReader {
  /// In the order of their names, which is the order of their declaration.
  func points() throws(TemplateError) -> [DeclaredPoint] {
    guard !body.points.isEmpty else { throw TemplateError("points", "is empty") }
    var points: [DeclaredPoint] = []
    var errors: [TemplateError] = []
    for (name, body) in body.points.sorted(by: { $0.key < $1.key }) {
      do { points.append(try point(name, body)) } catch { errors.append(error) }
    }
    if let error = TemplateError(all: errors) { throw error }
    return points
  }

  private func point(_ name: String, _ body: PointBody) throws(TemplateError) -> DeclaredPoint {
    let path = "points.\(name)"
    var point = Point(name, nil)
    var type = BB_TYPE_F64
    if [body.labels != nil, body.bit != nil, body.sum != nil].count(where: \.self) > 1 {
      throw TemplateError(path, "has more than one of sum, enum and bit; it can be one thing only")
    }
    if let sum = body.sum {
      guard body.field.register == nil else { throw TemplateError(path, "has both register and sum") }
      guard !sum.isEmpty else { throw TemplateError("\(path).sum", "is empty") }
      var terms: [Term] = []
      for (index, term) in sum.enumerated() {
        terms.append(try self.term(term, "\(path).sum.[\(index)]"))
      }
      point.reading = .number(terms)
    } else if body.field.register != nil {
      let field = try field(body.field, path)
      if let labels = body.labels {
        let codes = try codes(labels, "\(path).enum")
        point.labels = Self.labels(codes, body.otherwise)
        type = BB_TYPE_ENUM
        point.reading = .label(
          field, codes: codes.compactMapValues { point.labels.firstIndex(of: $0) },
          other: body.otherwise.flatMap { point.labels.firstIndex(of: $0) })
      } else if let bit = body.bit {
        guard bit >= 0, bit < field.count * 16 else { throw TemplateError("\(path).bit", "is outside of the type") }
        type = BB_TYPE_BOOL
        point.reading = .flag(field, bit: bit)
      } else if field.type == .string {
        type = BB_TYPE_TEXT
        point.reading = .text(field)
      } else if field.address.table.isBits {
        type = BB_TYPE_BOOL
        point.reading = .flag(field, bit: 0)
      } else {
        point.reading = .number([try term(body.field, path)])
      }
    }
    if let write = body.write {
      if point.reading == nil {
        (type, point.labels) = try writtenType(write, body.labels, path)
      }
      point.write = try rule(write, type: type, labels: point.labels, codes: body.labels ?? [:], path)
    }
    guard point.reading != nil || point.write != nil else {
      throw TemplateError(path, "has neither register, sum nor write")
    }
    if body.write == nil, body.minimum != nil || body.maximum != nil {
      let minimum = body.minimum ?? -.infinity
      point.plausible = minimum...max(minimum, body.maximum ?? .infinity)
    }
    point.watchdog = try watchdog(body, point, type: type, path)
    point.simulation = try simulation(body.simulate, path)
    return try declare(point, type: type, body, path)
  }

  /// Numbers that count nothing (interfaces 5): codes, and choices by number.
  private static let bareNumbers: Set = ["state_code", "fault_code", "sg_ready", "tariff"]

  private func declare(_ point: Point, type: Int, _ body: PointBody, _ path: String) throws(TemplateError)
    -> DeclaredPoint
  {
    let isNumber = type == BB_TYPE_F64
    if body.write != nil, let safe = body.safe, !Self.fits(safe, type: type, labels: point.labels) {
      throw TemplateError("\(path).safe", "is \(safe.description), which this point can never be")
    }
    if body.write == nil, body.setting == true || body.allowed != nil || body.lease != nil || body.refresh != nil {
      throw TemplateError(path, "has setting, allowed, lease or refresh and is not written")
    }
    let symbol = body.unit ?? (isNumber && !Self.bareNumbers.contains(point.name) ? "1" : "")
    guard let unit = unitNumbers[symbol] else {
      throw TemplateError(
        "\(path).unit", "is \"\(symbol)\"; expected one of \(unitNumbers.keys.sorted().joined(separator: " "))")
    }
    let usual = !isNumber ? BB_KIND_STATE : unit == BB_UNIT_WH || unit == BB_UNIT_VARH ? BB_KIND_COUNTER : BB_KIND_GAUGE
    guard let kind = body.kind.map({ kindNumbers[$0] }) ?? usual else {
      throw TemplateError("\(path).kind", "is none of gauge, counter, state and event")
    }
    var declaration = PointDeclaration(point.name, type: UInt16(type), kind: UInt16(kind), unit: UInt16(unit))
    declaration.title = body.title ?? ""
    if let minimum = body.minimum, let maximum = body.maximum {
      guard minimum <= maximum else { throw TemplateError("\(path).maximum", "is below minimum") }
      if case .number(let safe) = body.safe, body.write != nil, !(minimum...maximum).contains(safe),
        !(body.allowed ?? []).contains(.number(safe))
      {
        throw TemplateError("\(path).safe", "is outside of \(minimum) to \(maximum) and not allowed: it could never be written")
      }
      (declaration.minimum, declaration.maximum) = (minimum, maximum)
    } else if body.write != nil, body.minimum != nil || body.maximum != nil {
      throw TemplateError(path, "has only one of minimum and maximum; what is written needs both")
    }
    let step = point.reading.flatMap(Self.step) ?? point.write.map(Self.step) ?? 0
    declaration.resolution = isNumber ? body.resolution ?? step : 0
    var flags = 0
    if point.write != nil { flags |= BB_POINT_WRITABLE }
    if point.reading == nil { flags |= BB_POINT_WRITE_ONLY }
    if body.setting == true { flags |= BB_POINT_SETTING }
    if kind == BB_KIND_COUNTER, point.name.hasSuffix("_today") || point.name.hasSuffix("_session") {
      flags |= BB_POINT_RESTARTS
    }
    declaration.flags = UInt32(flags)
    declaration.detail =
      PointDetail(
        labels: point.labels.isEmpty ? nil : point.labels, safe: body.safe, allowed: body.allowed,
        lease: try duration(body.lease, "\(path).lease"), refresh: try refresh(body, point, path),
        watchdog: point.watchdog?.time,
        plausible: try plausible(body.plausible, isNumber: isNumber, isCounter: kind == BB_KIND_COUNTER, "\(path).plausible")
      ).json
    let allowed = (body.allowed ?? []).compactMap { if case .number(let number) = $0 { number } else { nil } }
    return DeclaredPoint(
      point: point, declaration: declaration, allowed: allowed, tolerance: max(declaration.resolution, step) * 1.001)
  }

  private func plausible(
    _ body: PlausibleBody?, isNumber: Bool, isCounter: Bool, _ path: String
  ) throws(TemplateError) -> PlausibleDetail? {
    guard let body else { return nil }
    guard isNumber else { throw TemplateError(path, "is of no use for a point that is no number") }
    if let minimum = body.minimum, let maximum = body.maximum, minimum > maximum {
      throw TemplateError("\(path).maximum", "is below minimum")
    }
    for (name, limit) in [("rate", body.rate), ("jump", body.jump)] {
      if let limit, !(limit > 0 && limit.isFinite) { throw TemplateError("\(path).\(name)", "is not above 0") }
    }
    if body.falls != nil, !isCounter { throw TemplateError("\(path).falls", "is for counters only") }
    return PlausibleDetail(
      minimum: body.minimum, maximum: body.maximum, rate: body.rate, jump: body.jump,
      frozen: try duration(body.frozen, "\(path).frozen"), falls: body.falls)
  }

  func number(_ body: FieldBody, _ path: String) throws(TemplateError) -> Field {
    let field = try field(body, path)
    guard field.type != .string else { throw TemplateError("\(path).type", "is a string; expected a number") }
    return field
  }

  private func simulation(_ body: SimulateBody?, _ path: String) throws(TemplateError) -> Simulation {
    var simulation = Simulation()
    simulation.value = body?.value?.description
    simulation.base = body?.base
    simulation.swing = body?.swing
    simulation.period = try duration(body?.period, "\(path).simulate.period").map { Double($0) / 1_000 }
    return simulation
  }

  private static func fits(_ value: JSONValue, type: Int, labels: [String]) -> Bool {
    switch value {
    case .number: type == BB_TYPE_F64
    case .boolean: type == BB_TYPE_BOOL
    case .text(let label): type == BB_TYPE_ENUM && labels.contains(label)
    }
  }

  private static func labels(_ codes: [Int64: String], _ other: String?) -> [String] {
    var labels: [String] = []
    for (_, label) in codes.sorted(by: { $0.key < $1.key }) where !labels.contains(label) { labels.append(label) }
    if let other, !labels.contains(other) { labels.append(other) }
    return labels
  }

  private static func step(_ reading: Reading) -> Double? {
    guard case .number(let terms) = reading else { return nil }
    let steps = terms.map(\.field.step)
    return steps.contains(0) ? 0 : steps.min()
  }

  private static func step(_ rule: WriteRule) -> Double {
    let commanded = rule.cases.flatMap(\.sets).filter { if case .commanded = $0.value { true } else { false } }
    return commanded.map(\.field.step).max() ?? 0
  }
}
