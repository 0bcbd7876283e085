// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem

/// Writing to a device that is played for it (SPEC.md 9).
let commandCases: [CheckCase] = [
  CheckCase("command-takes-effect", .commands, "A command that is done shows in the next reading.", need: .simulatedDevice) { bench in
    let (link, point, value, name) = try await Commands.begin(bench)
    try Commands.expectTaken(await link.command(point, value, id: "a"), "a command")
    try await Commands.expect(link, name, value, "after the command")
    await link.close()
  },
  CheckCase("dry-run-changes-nothing", .commands, "A dry run is checked and changes nothing.", need: .simulatedDevice) { bench in
    let (link, point, value, name) = try await Commands.begin(bench)
    let before = link.told.values[name]
    let result = await link.command(point, value, id: "dry", dryRun: true)
    if case .unknown(let text) = result { throw Finding.failed("a dry run whose outcome is unknown: \(text)") }
    _ = await link.poll()
    if let before, let after = link.told.values[name], !Commands.same(before, after) {
      throw Finding.failed("the dry run changed \(name) from \(before) to \(after)")
    }
    await link.close()
  },
  CheckCase("same-key-acts-once", .commands, "The same command delivered twice has the effect of once.", need: .simulatedDevice) { bench in
    let (link, point, value, name) = try await Commands.begin(bench)
    try Commands.expectTaken(await link.command(point, value, id: "same"), "the first delivery")
    guard await Commands.shows(link, name, value) else {
      throw Finding.skipped("the first delivery has no effect: see command-takes-effect")
    }
    let again = await link.command(point, value, id: "same")
    try Commands.expectTaken(again, "the second delivery of the same key")
    try await Commands.expect(link, name, value, "after the same command twice")
    await link.close()
  },
  CheckCase("expired-not-executed", .commands, "A command that has expired is not carried out.", need: .simulatedDevice) { bench in
    let (link, point, value, name) = try await Commands.begin(bench)
    let before = link.told.values[name]
    let result = await link.command(point, value, id: "old", expired: true)
    switch result {
    case .done, .accepted: throw Finding.failed("an expired command was answered with \(Commands.said(result))")
    case .refused, .unknown, .failed, .pending: break
    }
    _ = await link.poll()
    if let before, let after = link.told.values[name], !Commands.same(before, after) {
      throw Finding.failed("an expired command changed \(name) from \(before) to \(after)")
    }
    await link.close()
  },
  CheckCase("out-of-range-refused", .commands, "A value outside of the limits is refused with a sentence, and changes nothing.", need: .simulatedDevice) { bench in
    let (link, point, _, name) = try await Commands.begin(bench)
    guard let descriptor = link.told.points.first(where: { $0.id == point })?.point, let maximum = descriptor.maximum else {
      throw Finding.skipped("the point has no limits")
    }
    let before = link.told.values[name]
    let result = await link.command(point, .number(maximum + abs(maximum) + 1), id: "big")
    switch result {
    case .refused(let text) where text.isEmpty || text.hasPrefix("the device refuses it (code"):
      throw Finding.failed("it was refused without a sentence (explain)")
    case .refused, .failed: break
    default: throw Finding.failed("\(maximum + abs(maximum) + 1), above the limit of \(maximum), was answered with \(Commands.said(result))")
    }
    _ = await link.poll()
    if let before, let after = link.told.values[name], !Commands.same(before, after) {
      throw Finding.failed("a refused command changed \(name) from \(before) to \(after)")
    }
    await link.close()
  },
  CheckCase("unknown-when-reply-lost", .commands, "Where the answer to a command is lost, the outcome is unknown, and nothing is sent again.", need: .simulatedDevice) { bench in
    let peer = try bench.peer()
    let plugin = try bench.load()
    let (link, point, value, name) = try await Commands.begin(bench, plugin, peer)
    let before = link.told.values[name]
    peer.behave(.silent)
    // A plugin that ends its commands later has a time of its own for the answer.
    let result = await link.command(point, value, id: "lost", within: bench.isVisited ? nil : .milliseconds(600))
    let repeated = peer.repeated
    peer.behave(.honest)
    let (last, _) = try await link.recover([name]) { try bench.link(plugin, to: peer.farEnd) }
    try Commands.judgeLost(result, name, before, last.told.values[name])
    if case .unknown = result, let repeated { throw Finding.failed("no answer came, and it sent the same \(repeated) times") }
    if bench.isVisited {
      let (result, before) = try await Commands.cut(bench, last, peer, original: before)
      _ = try await last.recover([name]) { last }
      try Commands.judgeLost(result, name, before, last.told.values[name])
    }
    await last.close()
  },
]

enum Commands {
  /// What an outcome may be where no answer came.
  static func judgeLost(_ result: CommandResult, _ name: String, _ before: Value?, _ after: Value?) throws {
    let changed = before.flatMap { before in after.map { !same(before, $0) } } ?? false
    switch result {
    case .unknown, .pending: break
    case .done, .accepted: throw Finding.failed("no answer came, and the outcome is \(said(result))")
    case .refused(let text): throw Finding.failed("no answer came, and the outcome is “refused: \(text)”")
    case .failed where changed: throw Finding.failed("the call failed, which says that nothing was sent, and \(name) changed")
    case .failed: break
    }
  }

  /// Another command, for a value that is not there, whose connection ends once it was sent; and what its point read before. What it
  /// read at the beginning can be written again.
  static func cut(
    _ bench: Bench, _ link: LinkUnderTest, _ peer: any HostilePeer, original: Value?
  ) async throws -> (CommandResult, Value?) {
    let (point, chosen, name) = try candidate(bench, link)
    let before = link.told.values[name]
    let value = before.map { same($0, chosen) } ?? false ? original ?? chosen : chosen
    peer.behave(.silent)
    async let outcome = link.command(point, value, id: "cut")
    let end = later(.seconds(3))
    var count = link.visit?.happened ?? 0
    while peer.heard.isEmpty, Clock.boot() < end { count = await link.visit?.change(since: count, until: end) ?? 0 }
    await link.visit?.cut()
    let result = await outcome
    peer.behave(.honest)
    return (result, before)
  }

  /// A point that can be written and a value for it that is another than the present one.
  static func candidate(_ bench: Bench, _ link: LinkUnderTest) throws -> (UInt32, Value, String) {
    let points = link.told.points
    if points.isEmpty { throw Finding.withoutPoints }
    if let write = bench.input.write {
      guard let point = points.first(where: { $0.point.name == write.point }), let value = Value(json: write.value) else {
        throw Finding.failed("check.write of quality.json names \(write.point), which is no point that can be written so")
      }
      return (point.id, value, write.point)
    }
    for (id, point) in points where point.writable {
      guard let low = point.minimum, let high = point.maximum, [.number, .integer].contains(point.type) else { continue }
      let step = max(point.resolution, point.type == .integer ? 1 : 0)
      for part in [0.5, 0.25, 0.75] {
        var number = low + (high - low) * part
        if step > 0 { number = (number / step).rounded() * step }
        let value: Value = point.type == .integer ? .integer(Int64(number)) : .number(number)
        if link.told.values[point.name].map({ !same($0, value) }) ?? true { return (id, value, point.name) }
      }
    }
    throw Finding.skipped("no point can be written, or none has limits; check.write of quality.json can name one")
  }

  static func begin(_ bench: Bench) async throws -> (LinkUnderTest, UInt32, Value, String) {
    let link = try await bench.ready(try bench.load(), to: try bench.simulatedDevice())
    let (point, value, name) = try candidate(bench, link)
    return (link, point, value, name)
  }

  static func begin(
    _ bench: Bench, _ plugin: LoadedPlugin, _ peer: any HostilePeer
  ) async throws -> (LinkUnderTest, UInt32, Value, String) {
    _ = try bench.simulatedDevice()
    let link = try await bench.ready(plugin, to: peer.farEnd)
    let (point, value, name) = try candidate(bench, link)
    return (link, point, value, name)
  }

  /// An outcome in words.
  static func said(_ result: CommandResult) -> String {
    switch result {
    case .done(let value): value.map { "done, with \($0) in force" } ?? "done"
    case .accepted: "accepted"
    case .refused(let text): "refused: \(text)"
    case .unknown(let text): "unknown: \(text)"
    case .failed(let call): "a failure: \(BusbarValidator.said(call))"
    case .pending: "pending"
    }
  }

  static func expectTaken(_ result: CommandResult, _ what: String) throws {
    switch result {
    case .done, .accepted: return
    default: throw Finding.failed("\(what) was answered with \(said(result))")
    }
  }

  /// A device may need a moment; a point that cannot be read cannot be judged.
  static func shows(_ link: LinkUnderTest, _ name: String, _ value: Value) async -> Bool {
    guard link.told.readable.contains(where: { $0.point.name == name }) else { return true }
    for _ in 0..<5 {
      _ = await link.poll()
      if let now = link.told.values[name], same(now, value) { return true }
    }
    return false
  }

  static func expect(_ link: LinkUnderTest, _ name: String, _ value: Value, _ when: String) async throws {
    if await shows(link, name, value) { return }
    throw Finding.failed("\(name) reads \(link.told.values[name].map { "\($0)" } ?? "nothing") \(when), not \(value)")
  }

  static func same(_ left: Value, _ right: Value) -> Bool {
    if let one = left.number, let other = right.number { return abs(one - other) <= max(1e-6, abs(other) * 0.001) }
    return left == right
  }
}
