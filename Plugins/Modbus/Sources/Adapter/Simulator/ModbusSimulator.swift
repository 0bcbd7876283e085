// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit
internal import Synchronization

/// Devices that answer as their templates describe. The answers are built by libmodbus, so that our own codec is not
/// judged by itself.
final class ModbusSimulator: Simulator {
  private let units: Mutex<[UInt8: SimulatedUnit]>
  private let start = BootClock.now
  private let faults: FaultBox
  /// nil: what is usual for the connection.
  private let framing: WireFraming?

  /// `rules` are the faults of all devices together.
  init(documents: String, _ rules: [FaultRule] = [], seed: UInt64 = 0) throws(AdapterError) {
    var maps: [UInt8: [DeviceMap]] = [:]
    var checks: [UInt8: [ProbeCheck]] = [:]
    var settings: [(unit: UInt8, map: Int, point: String, value: String)] = []
    let list = try SimulatorDocument.list(documents)
    for document in list {
      var (map, signs) = try document.device()
      let unit = try (document.config ?? DeviceConfig()).apply(to: &map)
      let index = maps[unit]?.count ?? 0
      maps[unit, default: []].append(map)
      checks[unit, default: []] += signs
      for (point, value) in document.set ?? [:] { settings.append((unit, index, point, value.description)) }
    }
    guard !maps.isEmpty else { throw AdapterError(.config, "nothing to simulate") }
    for (unit, maps) in maps {
      guard let conflict = DeviceMap.conflict(among: maps) else { continue }
      throw AdapterError(.config, "unit \(unit) would be two devices: \(conflict); give them different units")
    }
    let framings = Set(maps.values.joined().compactMap(\.framing))
    guard framings.count < 2 else {
      let names = framings.map(\.rawValue).sorted().joined(separator: " and ")
      throw AdapterError(.config, "the devices want framing \(names); one connection has one")
    }
    framing = framings.first
    do {
      faults = FaultBox(try FaultDeck(rules, seed: seed) { point in Self.addresses(of: point, in: maps) })
    } catch {
      throw AdapterError(.config, "faults: \(error)")
    }
    var units: [UInt8: SimulatedUnit] = [:]
    for (unit, maps) in maps { units[unit] = SimulatedUnit(unit: unit, maps: maps, checks: checks[unit] ?? []) }
    for (unit, map, point, value) in settings {
      do throws(SimulatedUnit.Failure) {
        try units[unit]?.set(point, to: value, map: map)
      } catch {
        throw Self.error(error, point, value)
      }
    }
    self.units = Mutex(units)
  }

  func set(point: String, to value: String) throws(AdapterError) {
    let failure = units.withLock { units -> SimulatedUnit.Failure? in
      var worst: SimulatedUnit.Failure? = .unknownPoint
      for unit in units.keys.sorted() {
        do throws(SimulatedUnit.Failure) {
          try units[unit]?.set(point, to: value)
          return nil
        } catch {
          if error != .unknownPoint { worst = error }
        }
      }
      return worst
    }
    if let failure { throw Self.error(failure, point, value) }
  }

  func serve(descriptor: Int32, isSerial: Bool, _ call: borrowing Call) throws(AdapterError) {
    let numbers = units.withLock { $0.keys.sorted() }
    let usual: WireFraming = isSerial ? .rtu : .mbap
    if framing == .mbap, isSerial { throw AdapterError(.config, "framing: tcp cannot be on a serial line") }
    if !faults.isEmpty || framing ?? usual != usual {
      return try serve(descriptor, isSerial, framing ?? usual, numbers[0], call)
    }
    guard let server = ModbusServer(descriptor: descriptor, isSerial: isSerial, unit: numbers[0]) else {
      throw AdapterError(.bug, "libmodbus could not be set up")
    }
    while !call.cancelled {
      switch server.receive(milliseconds: 100) {
      case .nothing: continue
      case .closed: return
      case .query(let query): answer(query, server, isSerial: isSerial)
      }
    }
  }

  /// With faults, or a framing that libmodbus does not speak on such a connection.
  private func serve(
    _ descriptor: Int32, _ isSerial: Bool, _ framing: WireFraming, _ unit: UInt8, _ call: borrowing Call
  ) throws(AdapterError) {
    let answers = LibraryAnswers(framing, unit: unit) { query, server in
      self.answer(query, server, isSerial: framing != .mbap)
    }
    guard let answers else { throw AdapterError(.bug, "libmodbus could not be set up") }
    WireServer(descriptor: descriptor, isSerial: isSerial, framing: framing, faults: faults, answering: answers).serve(call)
  }

  /// All registers that a point is read from or written to; nil where no device has it.
  private static func addresses(of name: String, in maps: [UInt8: [DeviceMap]]) -> Set<Address>? {
    let points = maps.values.joined().flatMap(\.points).filter { $0.name == name }
    guard !points.isEmpty else { return nil }
    let written = points.flatMap { $0.write?.cases.flatMap(\.sets).map(\.field) ?? [] }
    return Set((points.readFields + written).flatMap(\.addresses))
  }

  private func answer(_ query: ModbusServer.Query, _ server: ModbusServer, isSerial: Bool) {
    let seconds = Double(BootClock.now - start) / 1e9
    units.withLock { units in
      guard units[query.unit] != nil else {
        // On a line the others keep silent; over TCP we are the gateway to the units.
        if !isSerial { server.refuse(query, code: ExceptionCode.gatewayTargetSilent) }
        return
      }
      units[query.unit]?.pass(to: seconds)
      guard let request = query.request else {
        server.refuse(query, code: ExceptionCode.illegalFunction)
        return
      }
      if let code = units[query.unit]?.refusal(of: request) {
        server.refuse(query, code: code)
        return
      }
      let image = units[query.unit]?.image(at: seconds) ?? [:]
      let written = server.reply(query, request) { image[$0] ?? 0 }
      if let written { units[query.unit]?.wrote(written.address, written.words, seconds: seconds) }
    }
  }

  private static func error(_ failure: SimulatedUnit.Failure, _ point: String, _ value: String) -> AdapterError {
    switch failure {
    case .unknownPoint: AdapterError(.config, "there is no point \(point) that could be set")
    case .value(let expected): AdapterError(.config, "\(point): \"\(value)\" is not \(expected)")
    }
  }
}
