// SPDX-License-Identifier: Apache-2.0

/// One unit of a simulated device: what its registers hold at a time, out of the templates that describe it.
package struct SimulatedUnit: Sendable {
  /// A value that was set from outside or by a write.
  private enum Fixed: Sendable {
    case number(Double)
    case text(String)
  }

  private struct Key: Hashable {
    var map: Int
    var point: String
  }

  private let unit: UInt8
  private let maps: [DeviceMap]
  /// What a search looks for in such devices.
  private let checks: [ProbeCheck]
  private var fixed: [Key: Fixed] = [:]
  /// Registers keep what was written into them.
  private var held: [Address: UInt16] = [:]
  /// When a value with a watchdog was renewed, in seconds.
  private var renewed: [Key: Double] = [:]
  private let present: Set<Address>

  /// `maps` are the templates of all devices that answer under this unit, `checks` how searches recognise them.
  package init(unit: UInt8, maps: [DeviceMap], checks: [ProbeCheck] = []) {
    self.unit = unit
    self.maps = maps
    self.checks = checks.filter { $0.test != .missing }
    var present: Set<Address> = []
    for map in maps {
      let searched = self.checks.map(\.field)
      let fields = searched + map.points.readFields + map.identityFields + map.writtenFields
      for block in BlockPlanner(map.limits, explicitBlocks: map.explicitBlocks).blocks(for: fields) {
        for register in block.address.register..<block.end { present.insert(Address(block.address.table, register)) }
      }
    }
    self.present = present
  }

  package enum Failure: Error, Equatable, Sendable {
    case unknownPoint
    case value(expected: String)
  }

  /// Fixes a point. `index` is that of the template; nil: the first that has such a point.
  package mutating func set(_ point: String, to text: String, map index: Int? = nil) throws(Failure) {
    let candidates = index.map { [$0] } ?? Array(maps.indices)
    for candidate in candidates {
      guard let found = maps[candidate].points.first(where: { $0.name == point }), let reading = found.reading else {
        continue
      }
      fixed[Key(map: candidate, point: point)] = try Self.parse(text, found, reading)
      for field in reading.fields { for address in field.addresses { held[address] = nil } }
      return
    }
    throw .unknownPoint
  }

  /// Exception code for a request, nil where it can be answered.
  package func refusal(of request: Request) -> UInt8? {
    switch request {
    case .read(let address, let count):
      guard count <= maps.map(\.limits.maximumRegisters).max() ?? 0 else { return ExceptionCode.illegalValue }
      return check(address, count)
    case .writeCoil(let register, _): return check(Address(.coil, register), 1)
    case .writeRegister(let register, _): return check(Address(.holding, register), 1)
    case .writeRegisters(let register, let words):
      guard maps.contains(where: { $0.limits.writeFunction == 16 }) || words.count > 1 else {
        return ExceptionCode.illegalFunction
      }
      return check(Address(.holding, register), words.count)
    case .identification: return ExceptionCode.illegalFunction
    }
  }

  private func check(_ address: Address, _ count: Int) -> UInt8? {
    let isPresent = (0..<count).allSatisfy { present.contains(Address(address.table, address.register + $0)) }
    return isPresent ? nil : ExceptionCode.illegalAddress
  }

  /// Words were written; points that they stand for follow.
  package mutating func wrote(_ address: Address, _ words: [UInt16], seconds: Double) {
    for (offset, word) in words.enumerated() { held[Address(address.table, address.register + offset)] = word }
    let written = Set(words.indices.map { Address(address.table, address.register + $0) })
    let image = image(at: seconds)
    for (index, map) in maps.enumerated() {
      for point in map.points where point.reading != nil {
        guard let rule = point.write,
          rule.cases.flatMap(\.sets).contains(where: { !written.isDisjoint(with: $0.field.addresses) }),
          let value = rule.value(from: { field in field.addresses.map { image[$0] ?? 0 } })
        else { continue }
        fixed[Key(map: index, point: point.name)] = .number(value)
      }
      for point in map.points {
        guard let watchdog = point.watchdog else { continue }
        let signs = (point.write?.cases.flatMap(\.sets).map(\.field) ?? []) + (watchdog.beat.map { [$0.field] } ?? [])
        let isRenewed = signs.contains { !written.isDisjoint(with: $0.addresses) }
        if isRenewed { renewed[Key(map: index, point: point.name)] = seconds }
      }
    }
  }

  /// Time goes on: values whose watchdog was not renewed fall back to what was programmed, or to the safe value.
  package mutating func pass(to seconds: Double) {
    for (key, since) in renewed {
      guard let point = maps[key.map].points.first(where: { $0.name == key.point }), let watchdog = point.watchdog else {
        continue
      }
      let time = held(watchdog.set?.field) ?? Double(watchdog.time) / 1_000
      guard time > 0, seconds - since > time else { continue }
      renewed[key] = nil
      guard let value = held(watchdog.fallback?.field) ?? watchdog.safe else { continue }
      fixed[key] = .number(value)
      let fields = (point.reading?.fields ?? []) + (point.write?.cases.flatMap(\.sets).map(\.field) ?? [])
      for address in fields.flatMap(\.addresses) { held[address] = nil }
    }
  }

  /// What was written into a field; nil where nothing was.
  private func held(_ field: Field?) -> Double? {
    guard let field else { return nil }
    let words = field.addresses.compactMap { held[$0] }
    guard words.count == field.count, case .number(let number) = field.decode(words[...]) else { return nil }
    return number
  }

  /// All registers at a time, in seconds since the simulation began.
  package func image(at seconds: Double) -> [Address: UInt16] {
    var image: [Address: UInt16] = [:]
    var rest: [(map: Int, point: Point, reading: Reading)] = []
    for check in checks where !isSettled(check.field) { claim(check.field, Self.sign(of: check, unit), &image) }
    for (index, map) in maps.enumerated() {
      for (part, source) in map.identity { fill(part, source, &image) }
      for point in map.points {
        guard let reading = point.reading else { continue }
        if fixed[Key(map: index, point: point.name)] != nil {
          put(value(of: point, map: index, at: seconds), reading, &image)
        } else {
          rest.append((index, point, reading))
        }
      }
    }
    for rank in 0...2 {
      for (index, point, reading) in rest where reading.rank == rank {
        put(value(of: point, map: index, at: seconds), reading, &image)
      }
    }
    for (index, map) in maps.enumerated() {
      for point in map.points {
        guard let rule = point.write else { continue }
        let current = value(of: point, map: index, at: seconds)
        guard case .number(let number) = current, let steps = try? rule.steps(for: number) else { continue }
        for step in steps { claim(step.field, step.words, &image) }
      }
    }
    return image.merging(held) { _, written in written }
  }

  /// Registers whose values follow from a point: from any for a range, which points keep to, from a fixed one for a code.
  private func isSettled(_ field: Field) -> Bool {
    let addresses = Set(field.addresses)
    return maps.enumerated().contains { index, map in
      map.points.contains { point in
        guard let reading = point.reading, reading.fields.contains(where: { !addresses.isDisjoint(with: $0.addresses) }) else {
          return false
        }
        return checks.contains { $0.field == field && $0.isRange } || fixed[Key(map: index, point: point.name)] != nil
      }
    }
  }

  /// What such a device has in these registers.
  private static func sign(of check: ProbeCheck, _ unit: UInt8) -> [UInt16] {
    let field = check.field
    switch check.test {
    case .text(let beginnings):
      let beginning = beginnings.first ?? ""
      return field.encode(text: beginning.isEmpty ? "SIM" + String(10_000 + Int(unit)) : beginning)
    case .code(let codes): return ValueType.words(UInt64(bitPattern: codes.first ?? 0), count: field.count, field.order)
    case .range(let range):
      let middle = range.lowerBound / 2 + range.upperBound / 2
      let value = range.contains(1) ? 1 : middle.rounded()
      return field.encode(range.contains(value) ? value : middle) ?? field.encode(0) ?? [UInt16](repeating: 0, count: field.count)
    case .missing: return []
    }
  }

  private func claim(_ field: Field, _ words: [UInt16], _ image: inout [Address: UInt16]) {
    for (address, word) in zip(field.addresses, words) where image[address] == nil { image[address] = word }
  }

  private func put(_ value: Fixed, _ reading: Reading, _ image: inout [Address: UInt16]) {
    switch (reading, value) {
    case (.text(let field), .text(let text)): claim(field, field.encode(text: text), &image)
    case (.number(let terms), .number(let number)): put(number, terms, &image)
    case (.label(let field, let codes, _), .number(let index)):
      let code = codes.filter { Double($0.value) == index }.keys.min() ?? codes.keys.min() ?? 0
      claim(field, ValueType.words(UInt64(bitPattern: code), count: field.count, field.order), &image)
    case (.flag(let field, let bit), .number(let flag)):
      // Other bits of the register belong to other points.
      let bits = ValueType.bits(field.addresses.map { image[$0] ?? 0 }, field.order)
      let changed = flag == 0 ? bits & ~(1 << UInt64(bit)) : bits | 1 << UInt64(bit)
      for (address, word) in zip(field.addresses, ValueType.words(changed, count: field.count, field.order)) {
        image[address] = word
      }
    default: break
    }
  }

  /// The field with the power of ten that is in the device; the first who needs one chooses it, so that the value fits.
  private func settled(_ term: Term, _ number: Double, _ image: inout [Address: UInt16]) -> Field {
    guard let power = term.power else { return term.field }
    if let word = image[power.address] { return term.field.scaled(byPowerOfTen: Int(Int16(bitPattern: word))) }
    let exponent = (0...6).first { term.field.scaled(byPowerOfTen: $0).encode(number) != nil } ?? 0
    claim(power, [UInt16(exponent)], &image)
    return term.field.scaled(byPowerOfTen: exponent)
  }

  /// Spreads a number over the terms of a sum, the coarse ones first.
  private func put(_ number: Double, _ terms: [Term], _ image: inout [Address: UInt16]) {
    var left = number
    var open: [Field] = []
    // The factors are points of their own.
    guard terms.allSatisfy({ $0.times == nil }) else { return }
    if terms.count == 1, terms[0].field.bits != nil {
      let field = terms[0].field
      // The rest of the register belongs to other points.
      guard let words = field.merged(number, into: field.addresses.map { image[$0] ?? 0 }) else { return }
      for (address, word) in zip(field.addresses, words) { image[address] = word }
      return
    }
    for field in terms.map({ settled($0, number, &image) }) {
      if let first = field.addresses.first, image[first] != nil {
        if case .number(let taken) = field.decode(field.addresses.map { image[$0] ?? 0 }[...]) { left -= taken }
      } else {
        open.append(field)
      }
    }
    open.sort { abs($0.scale.factor) > abs($1.scale.factor) }
    for (index, field) in open.enumerated() {
      let isLast = index == open.count - 1 || open[(index + 1)...].allSatisfy { $0.scale == field.scale }
      let raw = left / field.scale.factor
      let part = isLast ? left : raw.rounded(.towardZero) * field.scale.factor
      claim(field, field.encode(part) ?? field.encode(0) ?? [UInt16](repeating: 0, count: field.count), &image)
      left -= part
    }
  }

  private func fill(_ part: IdentityPart, _ source: IdentitySource, _ image: inout [Address: UInt16]) {
    guard case .field(let field, let labels) = source else { return }
    if field.type == .string {
      let text =
        switch part {
        case .serial: "SIM" + String(10_000 + Int(unit))
        case .firmware: "1.0.0"
        case .model, .vendor: "Simulator"
        }
      claim(field, field.encode(text: text), &image)
    } else {
      let code = labels.keys.min() ?? (field.count > 1 ? 1_000_000 + Int64(unit) : Int64(unit))
      claim(field, ValueType.words(UInt64(bitPattern: code), count: field.count, field.order), &image)
    }
  }

  private func value(of point: Point, map index: Int, at seconds: Double) -> Fixed {
    if let fixed = fixed[Key(map: index, point: point.name)] { return fixed }
    switch point.reading {
    case .text: return .text(point.simulation.value ?? "Simulated")
    case .label:
      let wanted = point.simulation.value.map { [$0] } ?? ["running", "charging", "on", "available", "idle"]
      return .number(Double(wanted.compactMap { point.labels.firstIndex(of: $0) }.first ?? 0))
    case .flag: return .number(point.simulation.value == "true" ? 1 : 0)
    case .number, nil:
      if let value = point.simulation.value.flatMap(Double.init) { return .number(value) }
      guard point.reading != nil else { return .number(0) }
      let motion = Motion(point, phase: Double(unit) * 0.13 + Double(index) * 0.37)
      return .number(motion.value(at: seconds))
    }
  }

  private static func parse(_ text: String, _ point: Point, _ reading: Reading) throws(Failure) -> Fixed {
    switch reading {
    case .text: return .text(text)
    case .label:
      guard let index = point.labels.firstIndex(of: text) else {
        throw .value(expected: "one of \(point.labels.joined(separator: ", "))")
      }
      return .number(Double(index))
    case .flag:
      guard text == "true" || text == "false" else { throw .value(expected: "true or false") }
      return .number(text == "true" ? 1 : 0)
    case .number(let terms):
      guard let number = Double(text), number.isFinite else { throw .value(expected: "a number") }
      guard terms.count > 1 || terms[0].field.encode(number) != nil else {
        throw .value(expected: "a number that fits into \(terms[0].field.type.rawValue)")
      }
      return .number(number)
    }
  }
}

extension Reading {
  /// Who has the say where points share registers: a code comes before its number, and a sum takes what is left.
  fileprivate var rank: Int {
    switch self {
    case .number(let terms): terms.count > 1 ? 2 : 1
    case .label, .flag, .text: 0
    }
  }
}

extension Field {
  package var addresses: [Address] { (0..<count).map { Address(address.table, address.register + $0) } }
}

extension DeviceMap {
  /// All that a write touches or looks at.
  package var writtenFields: [Field] {
    var fields: [Field] = []
    for point in points {
      for set in point.write?.cases.flatMap(\.sets) ?? [] {
        fields.append(set.field)
        if let power = set.power { fields.append(power) }
      }
      fields += point.watchdog?.fields ?? []
      fields += point.write?.clamp.minimum?.fields ?? []
      fields += point.write?.clamp.maximum?.fields ?? []
    }
    return fields
  }

  package var identityFields: [Field] {
    identity.values.compactMap { if case .field(let field, _) = $0 { field } else { nil } }
  }
}
