// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
public import PluginKit

extension ModbusAdapter {
  public func command(
    _ command: Command, on device: ModbusDevice, _ call: borrowing Call
  ) throws(AdapterError) -> Outcome {
    guard let (id, value) = command.written, let index = device.index(of: id) else {
      throw AdapterError(
        .unsupported, "a Modbus device takes numbers, labels and switches for its points, nothing else")
    }
    let declared = device.template.points[index]
    let name = declared.point.name
    guard let rule = declared.point.write else { throw AdapterError(.unsupported, "\(name) cannot be written") }
    if let problem = declared.problem(with: value) { return .refused(code: 0, problem) }
    var write = Write(
      name: name, wanted: value, rule: rule, declared: declared, isSafe: command.isSafe, validUntil: command.validUntil)
    if let refusal = write.plan() { return refusal }
    if command.dryRun {
      try spare(write, device, call, dryRun: true)
      return .accepted
    }
    let old: Double?
    do {
      try wake(device, call)
      if let refusal = try prepare(&write, device, call) { return refusal }
      old = try current(write, device, call)
      if try skipHeld(&write, device, call) { return .done(command.verb.readBack(write.wanted)) }
      try arm(write, device, call)
    } catch {
      // The value has not been sent.
      throw error.adapterError
    }
    try spare(write, device, call)
    if let early = try send(write, device, call) { return early }
    return confirm(write, old: old, like: command.verb, device, call)
  }

  /// What depends on registers of the device: powers of ten of the scale, and its own limits.
  private func prepare(
    _ write: inout Write, _ device: ModbusDevice, _ call: borrowing Call
  ) throws(LineFailure) -> Outcome? {
    var exponents: [Address: Int] = [:]
    for power in write.rule.powers {
      guard let words = try words(of: power, device, call), let code = power.code(words[...]),
        let exponent = Int(exactly: code), Field.powers.contains(exponent)
      else { return .refused(code: 0, "\(write.name): the device tells no scale in \(power.address)") }
      exponents[power.address] = exponent
    }
    if let scaled = write.rule.scaled(exponents) { write.rule = scaled }
    if let limit = write.rule.clamp.maximum, let most = try number(limit, device, call) {
      write.wanted = min(write.wanted, most)
    }
    if let limit = write.rule.clamp.minimum, let least = try number(limit, device, call) {
      write.wanted = max(write.wanted, least)
    }
    return write.plan()
  }

  private func number(_ term: Term, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Double? {
    var words: [ArraySlice<UInt16>?] = []
    for field in term.fields { words.append(try self.words(of: field, device, call)?[...]) }
    if case .number(let number) = Reading.number([term]).value(words, plausible: nil) { return number }
    return nil
  }

  /// nil: everything was sent and taken.
  private func send(_ write: Write, _ device: ModbusDevice, _ call: borrowing Call) throws(AdapterError) -> Outcome? {
    var first: Int64?
    for (index, step) in write.steps.enumerated() {
      let soFar = index == 0 ? "" : ", after \(index) of \(write.steps.count) writes had been taken"
      let earliest = BootClock.now + spacing(device)
      guard earliest <= write.validUntil else {
        if index > 0 { return .unknown("\(write.name): the command expired\(soFar)") }
        throw AdapterError(.device, "\(write.name): the command expired before it could be sent")
      }
      if let first, let within = write.rule.within, earliest - first > Int64(within) * 1_000_000 {
        return .unknown("\(write.name): the device takes these writes only within \(within / 1_000) s\(soFar)")
      }
      first = first ?? earliest
      do {
        let reply = try ask(step.request, device, call)
        guard case .exception(let code) = reply, code != ExceptionCode.acknowledge else { continue }
        return .refused(code: Int32(code), "\(write.name): the device answered \(ExceptionCode.name(code))\(soFar)")
      } catch {
        switch error {
        case .noTime where index == 0: throw error.adapterError
        case .unreachable(ExceptionCode.gatewayPathUnavailable) where index == 0: throw error.adapterError
        default: return .unknown("\(write.name): \(error.adapterError.message)\(soFar)")
        }
      }
    }
    return nil
  }

  private func spacing(_ device: ModbusDevice) -> Int64 {
    device.lastWrite == 0 ? 0 : max(0, device.lastWrite + Int64(device.map.writeSpacing) * 1_000_000 - BootClock.now)
  }

  private func confirm(
    _ write: Write, old: Double?, like verb: Command.Verb, _ device: ModbusDevice, _ call: borrowing Call
  ) -> Outcome {
    guard write.rule.confirmation != .none else { return .accepted }
    if write.rule.settle > 0 {
      do { try pause(milliseconds: write.rule.settle, call) } catch { return .accepted }
    }
    guard let found = try? current(write, device, call) else { return .accepted }
    switch Confirmed(wanted: write.wanted, old: old, found: found, tolerance: write.declared.tolerance) {
    case .inForce(let value): return .done(verb.readBack(value))
    case .ignored(let value):
      // It may still take effect: whoever controls has to go on owing the safe value.
      link.log(.warning, "\(write.name): the device acknowledged the write and still shows \(value)")
      return .accepted
    }
  }

  /// The value that is in force, as far as the template tells how it can be seen; nil where it cannot.
  private func current(_ write: Write, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Double? {
    switch write.rule.confirmation {
    case .none: return nil
    case .point:
      guard write.declared.point.reading != nil else { return nil }
      var point = write.declared.point
      point.plausible = nil
      var run = ReadRun(device.map, due: [point], memory: device.memory, now: BootClock.now)
      if let failure = read(&run, device, call) { throw failure }
      device.memory = run.memory
      switch run.values()[0] {
      case .number(let number): return number
      case .label(let index): return Double(index)
      case .flag(let flag): return flag ? 1 : 0
      case .text, .bad, nil: return nil
      }
    case .registers:
      var words: [Address: [UInt16]] = [:]
      for field in write.rule.cases.flatMap(\.sets).map(\.field) where words[field.address] == nil {
        words[field.address] = try self.words(of: field, device, call)
      }
      // Another case may match as well; the wanted one comes first.
      let isInForce = write.planned.allSatisfy { words[$0.field.address] == $0.words }
      return isInForce ? write.wanted : write.rule.value { words[$0.address] }
    case .field(let field):
      guard let words = try words(of: field, device, call), case .number(let number) = field.decode(words[...]) else {
        return nil
      }
      return number
    }
  }

  func words(of field: Field, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> [UInt16]? {
    if case .values(let words) = try ask(.read(field.address, count: field.count), device, call) { words } else { nil }
  }
}

extension DeclaredPoint {
  /// Why a value may not be commanded, nil where it may.
  fileprivate func problem(with value: Double) -> String? {
    guard value.isFinite else { return "\(point.name): not a finite number" }
    if !point.labels.isEmpty, !(0..<point.labels.count).contains(Int(value)) { return "\(point.name): no such label" }
    let (minimum, maximum) = (declaration.minimum, declaration.maximum)
    guard minimum != 0 || maximum != 0, !(minimum...max(minimum, maximum)).contains(value), !allowed.contains(value)
    else {
      return nil
    }
    return "\(point.name): \(value) is outside of \(minimum) to \(maximum)"
  }
}

extension Command {
  /// Point and value; labels as their index, switches as 0 and 1. nil for what registers cannot take.
  fileprivate var written: (PointID, Double)? {
    switch verb {
    case .number(let id, let value): (id, value)
    case .label(let id, let index): (id, Double(index))
    case .boolean(let id, let flag): (id, flag ? 1 : 0)
    case .text, .action: nil
    }
  }
}

extension Command.Verb {
  fileprivate func readBack(_ value: Double) -> Outcome.ReadBack? {
    switch self {
    case .number: .number(value)
    case .label: .label(Int(value))
    case .boolean: .boolean(value != 0)
    case .text, .action: nil
    }
  }
}
