// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarTransports

/// The same plugin in a sandboxed process of its own, which is where hosts run it (contract, section 15). All other cases run
/// it in the process of the case, where everything can be watched.
let modeCases: [CheckCase] = [
  CheckCase("isolated-same-values", .modes, "In a process of its own it has the same points and values as in the host's.", limit: 60) { bench in
    let device = try bench.device()
    let plugin = try bench.load()
    let inside = try await bench.ready(plugin, to: device)
    let honest = await Hostile.ranges(inside)
    let points = inside.told.points.map(\.point)
    await inside.close()
    let isolated = try await Isolated(bench)
    let link = try await isolated.link(to: device)
    try await link.begin()
    let isolatedPoints = link.told.points.map(\.point)
    // Of a device that speaks first the order in which it told of them may differ.
    guard isolatedPoints == points || bench.isVisited && Set(isolatedPoints) == Set(points) else {
      throw Finding.failed("it declares \(isolatedPoints.map(\.name)) there and \(points.map(\.name)) here, or describes them otherwise")
    }
    var said: [(name: String, value: Value)] = []
    for _ in 0..<bench.input.pace.times(5) {
      try expectDone(await link.poll(), "poll")
      said += link.told.values.map { ($0.key, $0.value) }
      let missing = Set(honest.keys).subtracting(link.told.values.keys)
      if !missing.isEmpty { throw Finding.failed("\(missing.sorted().joined(separator: ", ")) is good here and not there") }
    }
    try expectDone(await link.remove(), "device_remove")
    try expectDone(await link.add(), "device_add, after the device was removed,")
    try expectDone(await link.poll(), "poll, after the device was added again,")
    await link.close()
    await isolated.end()
    try Hostile.judge(said, honest, try await Hostile.afterwards(bench, plugin, device))
  },
  CheckCase("isolated-recovers", .modes, "In a process of its own it bears silence and closed connections, and recovers.", limit: 60) { bench in
    // What no host takes is a matter of other cases.
    _ = try bench.load()
    let peer = try bench.peer()
    let isolated = try await Isolated(bench)
    var link = try await isolated.link(to: peer.farEnd)
    try await link.begin()
    let wanted = Set(link.told.values.keys)
    for manner in [Manner.silent, .closing, .truncated] {
      peer.behave(manner)
      for _ in 0..<3 {
        _ = await link.poll(within: .milliseconds(400))
        if let (name, value) = link.unfounded { throw Finding.failed("\(name) was sent as good, \(value), while the device was \(manner)") }
      }
      peer.behave(.honest)
      let (next, problem) = try await link.recover(wanted) { try await isolated.link(to: peer.farEnd) }
      if let problem { throw Finding.failed("after a device that was \(manner), eight polls later still: \(problem)") }
      link = next
    }
    await link.close()
    await isolated.end()
  },
  CheckCase("isolated-commands", .modes, "In a process of its own a command takes effect, and a dry run does not.", need: .simulatedDevice) { bench in
    _ = try bench.load()
    let isolated = try await Isolated(bench)
    let link = try await isolated.link(to: try bench.simulatedDevice())
    try await link.begin()
    let (point, value, name) = try Commands.candidate(bench, link)
    let before = link.told.values[name]
    _ = await link.command(point, value, id: "dry", dryRun: true)
    _ = await link.poll()
    if let before, let after = link.told.values[name], !Commands.same(before, after) {
      throw Finding.failed("the dry run changed \(name) from \(before) to \(after)")
    }
    try Commands.expectTaken(await link.command(point, value, id: "a"), "a command")
    try await Commands.expect(link, name, value, "after the command")
    await link.close()
    await isolated.end()
  },
]

/// The plugin in a child, as a host runs it.
struct Isolated: Sendable {
  private let bench: Bench
  private let runners: PluginRunners
  private let file: PluginFile

  init(_ bench: Bench) async throws {
    self.bench = bench
    file = try bench.file()
    runners = PluginRunners(settings: ChildSettings(), logger: quiet) {}
  }

  func link(to end: FarEnd?) async throws -> LinkUnderTest {
    let ground = try bench.ground(to: end)
    do throws(PluginFile.Refusal) {
      let connection = try await runners.link(file, adapter: bench.input.adapter, resources: ground.resources)
      return bench.link(connection, ground)
    } catch {
      // A system that cannot sandbox says nothing about the plugin.
      throw error.message.contains("Landlock") ? Finding.skipped(error.message) : Finding.failed("in a process of its own: \(error.message)")
    }
  }

  func end() async { await runners.stop() }
}
