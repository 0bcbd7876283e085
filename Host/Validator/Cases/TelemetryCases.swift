// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins

/// What a plugin tells of its points (SPEC.md 6 and 7).
let telemetryCases: [CheckCase] = [
  CheckCase("points-well-declared", .telemetry, "Points have names, units and details as SPEC.md 7 has them, and those that can be written are complete.") { bench in
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    for (_, point) in link.told.points {
      if let problem = Telemetry.problem(point) { throw Finding.failed(problem) }
    }
    await link.close()
  },
  CheckCase("points-in-manifest", .telemetry, "Every point that is declared stands in the manifest.") { bench in
    let adapter = bench.inspection.document?["adapters"]?.array?.first { $0["id"]?.string == bench.input.adapter }
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    await link.close()
    guard let listed = adapter?["points"]?.array?.compactMap(\.string) else { return }
    let surplus = link.told.points.map(\.point.name).filter { !listed.contains($0) && !listed.contains(PointNames.base(of: $0)) }
    if !surplus.isEmpty { throw Finding.failed("not in the manifest's points: \(surplus.joined(separator: ", "))") }
  },
  CheckCase("types-match", .telemetry, "Samples have the type that their point was declared with.") { try await Rules.exercise($0) },
  CheckCase("numbers-finite", .telemetry, "Numbers that are sent as good are finite, and times are possible.") { try await Rules.exercise($0) },
  CheckCase("text-within-arena", .telemetry, "Batches and their texts stay within what was lent.") { try await Rules.exercise($0) },
  CheckCase("every-due-point-answered", .telemetry, "A poll that ends well sent every point that was due, good or bad.", limit: 60) { bench in
    if bench.isVisited {
      throw Finding.skipped("measurements of devices that speak first come when they come, and polls leave them out (SPEC.md 6.4)")
    }
    try await Rules.exercise(bench)
    // Out of answers that make no sense, too. A slow device leaves no time for all points anyway.
    guard bench.needsFarEnd, !bench.input.pace.isSlow else { return }
    let peer = try bench.peer()
    let plugin = try bench.load()
    var link = try await bench.ready(plugin, to: peer.farEnd)
    peer.behave(.flipped)
    for _ in 0..<20 {
      let result = await link.poll(within: .milliseconds(400))
      guard result.failure == .transient, result.reason == .closed else { continue }
      await link.close()
      link = try bench.link(plugin, to: peer.farEnd)
      _ = await link.open(within: .seconds(1))
      _ = await link.add(within: .seconds(1))
    }
    await link.close()
  },
  CheckCase("units-match-quantity", .telemetry, "Points with a name of the standard list have its unit.") { bench in
    let adapter = bench.inspection.document?["adapters"]?.array?.first { $0["id"]?.string == bench.input.adapter }
    let kinds = (adapter?["kinds"]?.array ?? []).compactMap { $0.string.flatMap(DeviceKind.init(rawValue:)) }
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    await link.close()
    for (_, point) in link.told.points {
      let units = Set((kinds.isEmpty ? DeviceKind.allCases : kinds).compactMap { PointNames.unit(of: point.name, kind: $0) })
      guard units.isEmpty || units.contains(point.unit) else {
        let wanted = units.sorted().map { $0.isEmpty ? "no unit (BB_UNIT_NONE)" : $0 }.joined(separator: " or ")
        throw Finding.failed("\(point.name) has the unit \"\(point.unit)\"; by its name it has \(wanted)")
      }
    }
  },
  CheckCase("counters-do-not-fall", .telemetry, "Counters grow or stay while the device runs.") { bench in
    var link = try await bench.ready(try bench.load(), to: try bench.device())
    let counters = link.told.points.map(\.point).filter { $0.kind == .counter && !$0.restarts }.map(\.name)
    link.first = Set(counters)
    var last: [String: Double] = [:]
    for _ in 0..<10 {
      _ = await link.poll()
      for name in counters {
        guard let value = link.told.values[name]?.number else { continue }
        if let before = last[name], value < before { throw Finding.failed("\(name) fell from \(before) to \(value)") }
        last[name] = value
      }
    }
    await link.close()
  },
  CheckCase("bad-quality-on-loss", .telemetry, "While the device is silent no value is sent as good.") { bench in
    let peer = try bench.peer()
    let link = try await bench.ready(try bench.load(), to: peer.farEnd)
    if link.told.points.isEmpty { throw Finding.withoutPoints }
    peer.behave(.silent)
    for _ in 0..<4 {
      let result = await link.poll(within: .milliseconds(500))
      if let (name, value) = link.unfounded {
        throw Finding.failed("\(name) was sent as good, \(value), while the device said nothing")
      }
      if result.failure == nil, link.told.bad.isEmpty, link.visit == nil { throw Finding.failed("poll ended well and sent nothing") }
      if let failure = result.failure, failure == .config || failure == .auth || failure == .unsupported {
        throw Finding.failed("silence is class \(failure): the host would never ask again")
      }
    }
    if let visit = link.visit {
      await visit.cut()
      link.told.forget()
      await visit.absence(.milliseconds(300))
      if let (name, value) = link.unfounded { throw Finding.failed("\(name) was sent as good, \(value), while nobody was connected") }
    }
    peer.behave(.honest)
    await link.close()
  },
  CheckCase("recovers-after-loss", .telemetry, "When the device answers again its values are good again.") { bench in
    let peer = try bench.peer()
    let plugin = try bench.load()
    let link = try await bench.ready(plugin, to: peer.farEnd)
    let wanted = Set(link.told.values.keys)
    peer.behave(.silent)
    for _ in 0..<3 { _ = await link.poll(within: .milliseconds(300)) }
    await link.visit?.cut()
    peer.behave(.honest)
    let (last, problem) = try await link.recover(wanted) { try bench.link(plugin, to: peer.farEnd) }
    if let problem { throw Finding.failed("the device answers again, and eight polls later still: \(problem)") }
    if let visit = link.visit {
      visit.replace()
      let (_, problem) = try await link.recover(wanted) { link }
      if let problem { throw Finding.failed("the device has connected anew, and eight polls later still: \(problem)") }
    }
    await last.close()
  },
  CheckCase("back-pressure-honoured", .telemetry, "Where the host has no room, poll returns well and tries the next time.") { bench in
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    if link.told.points.isEmpty { throw Finding.withoutPoints }
    ValidationLayer.fail(["batch_begin"])
    let time: Duration? = bench.isVisited ? .milliseconds(400) : nil
    for _ in 0..<3 { try expectDone(await link.poll(within: time), "poll, while the host has no room,") }
    ValidationLayer.fail([])
    try expectDone(await link.poll(), "poll, when the host has room again,")
    if link.told.values.isEmpty { throw Finding.failed("no value came when the host had room again") }
    await link.close()
  },
]

enum Telemetry {
  static func problem(_ point: PointDescriptor) -> String? {
    if point.type == .enumeration, point.labels.isEmpty { return "\(point.name) is an enumeration without labels in its detail" }
    if let low = point.minimum, let high = point.maximum, low > high { return "the minimum of \(point.name) is above its maximum" }
    if point.kind == .counter, ![.number, .integer].contains(point.type) { return "\(point.name) is a counter and no number" }
    guard point.writable else { return nil }
    if !point.setting, point.safe == nil {
      return "\(point.name) can be written and has neither a safe value in its detail nor the flag BB_POINT_SETTING"
    }
    if [.number, .integer].contains(point.type), point.minimum == nil, point.maximum == nil, point.allowed.isEmpty {
      return "\(point.name) can be written and has no limits"
    }
    if let safe = point.safe?.number, let low = point.minimum, let high = point.maximum, !(low...high).contains(safe),
      !point.allowed.contains(safe)
    {
      return "the safe value of \(point.name) is outside of its limits"
    }
    return nil
  }
}
