// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports

/// How a plugin behaves while it is called (SPEC.md 3 to 5). Most are seen by the validation layer.
let ruleCases: [CheckCase] = [
  CheckCase("tags-obeyed", .rules, "Each slot of the host is called from where its tag allows it.") { try await Rules.exercise($0) },
  CheckCase("status-known", .rules, "Every call returns a status that there is.") { try await Rules.exercise($0) },
  CheckCase("batches-committed", .rules, "Every batch is committed before the call returns.") { try await Rules.exercise($0) },
  CheckCase("keeps-nothing", .rules, "Nothing that was lent for a call is used after it.") { bench in
    try await Rules.exercise(bench) { $0.lending = .poisoned }
  },
  CheckCase("reads-no-further", .rules, "Texts and lists are read to their end and no byte further: no zero follows.") { bench in
    try await Rules.exercise(bench) { $0.lending = .unterminated }
  },
  CheckCase("leaves-process-alone", .rules, "Signal handlers, locale, working directory, environment and limits stay as they are.") { bench in
    try await Rules.exercise(bench) { $0.watchesProcess = true }
  },
  CheckCase("opens-nothing-itself", .rules, "While a link is open it holds no descriptor of its own, and closes none that it was lent.") { bench in
    let plugin = try bench.load()
    let device = try bench.device()
    try await LifeCycle.round(bench, plugin, device, reads: true)
    let count = 8
    var links: [LinkUnderTest] = []
    for _ in 0..<count { links.append(try bench.link(plugin, to: device)) }
    let before = OwnHoldings()
    for link in links { try await link.begin() }
    let open = OwnHoldings()
    // The link's descriptor is the host's.
    let surplus = open.descriptors - before.descriptors - (device == nil ? 0 : count)
    // Those of former links may go meanwhile.
    if surplus > count / 2 { throw Finding.failed("\(count) links hold \(surplus) descriptors of their own") }
    for link in links { await link.close() }
  },
  CheckCase("deadline-kept", .rules, "With a silent device every call ends by its deadline.") { bench in
    let peer = try bench.peer()
    let link = try await bench.ready(try bench.load(), to: peer.farEnd)
    // One that speaks first keeps its link busy with what it says.
    if let visit = link.visit { visit.eventTime = .milliseconds(200) } else { peer.behave(.silent) }
    var least = Int64.max
    for _ in 0..<3 {
      _ = ValidationLayer.takeOverrun()
      let messages = link.visit?.messages ?? 0
      _ = await link.poll(within: .milliseconds(400))
      await link.visit?.hear(messages + 1, until: later(.seconds(3)))
      least = min(least, ValidationLayer.takeOverrun())
    }
    if least > 200_000_000 { throw Finding.failed("\(bench.isVisited ? "a call" : "poll") returned \(least / 1_000_000) ms after its deadline, three times") }
    peer.behave(.honest)
    await link.close()
  },
  CheckCase("cancel-within-200-ms", .rules, "A call that the host cancels ends within 200 ms.") { bench in
    if bench.isVisited {
      throw Finding.skipped("none of its calls waits for a device, since devices speak first: deadline-kept looks at how long they take")
    }
    let peer = try bench.peer()
    let link = try await bench.ready(try bench.load(), to: peer.farEnd)
    peer.behave(.silent)
    var least = Duration.seconds(60)
    for _ in 0..<3 {
      let (taken, cancelled) = (Clock.boot(), link.connection)
      WorkThread.start(name: "cancel") {
        _ = Poll.wait([], until: taken + 300_000_000)
        cancelled.cancel()
      }
      _ = await link.poll(within: .seconds(5))
      least = min(least, .nanoseconds(Clock.boot() - taken - 300_000_000))
    }
    if least > .milliseconds(200) { throw Finding.failed("the call went on for \(least.milliseconds) ms after it was cancelled") }
    peer.behave(.honest)
    await link.close()
  },
]

/// For adapters whose devices connect by themselves (SPEC.md 10).
let visitCases: [CheckCase] = [
  CheckCase("nothing-while-alone", .rules, "While nobody is connected nothing is sent, and no command is said to be done.", need: .visitor) { bench in
    guard bench.isVisited else { throw Finding.skipped("its devices do not connect by themselves") }
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    let candidate = try? Commands.candidate(bench, link)
    for number in 0..<3 {
      await link.visit?.cut()
      if let (point, value, name) = candidate {
        let result = await link.command(point, value, id: "alone-\(number)", within: .milliseconds(400))
        if case .done = result { throw Finding.failed("a command for \(name) was answered with \(Commands.said(result)) while nobody was connected") }
      }
      await link.visit?.absence(.milliseconds(300))
      try expectDone(await link.poll(), "poll, when the device has connected again,")
    }
    await link.close()
  },
  CheckCase("other-kind-of-message", .hostilePeer, "Messages of the other kind, binary for text, harm nothing.", need: .visitor, limit: 60) { bench in
    guard bench.isVisited else { throw Finding.skipped("its devices do not connect by themselves") }
    try await Hostile.polls(bench, .otherKind, goodValues: .plausible)
  },
]

enum Rules {
  /// Everything that a healthy link sees in its life, once.
  static func exercise(_ bench: Bench, _ adjust: (inout ValidationLayer.Settings) -> Void = { _ in }) async throws {
    let plugin = try bench.load(adjust)
    for _ in 0..<2 {
      let link = try await bench.ready(plugin, to: try bench.device())
      _ = await link.pollAll()
      for _ in 0..<4 { _ = await link.poll() }
      if bench.input.isSimulated || !bench.needsFarEnd, let (point, value, _) = try? Commands.candidate(bench, link) {
        _ = await link.command(point, value, id: "exercise", dryRun: true)
        _ = await link.command(point, value, id: "exercise")
      }
      _ = await link.remove()
      _ = await link.add()
      _ = await link.poll()
      await link.close()
    }
  }
}
