// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarTransports
internal import Synchronization

/// Opening, closing, again and again and at the same time.
let lifeCycleCases: [CheckCase] = [
  CheckCase("open-and-read", .lifeCycle, "A link opens, its device is added and answers.") { bench in
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    guard !link.told.points.isEmpty else { throw Finding.failed("device_add declared no point") }
    try expectDone(await link.pollAll(), "poll")
    await link.close()
  },
  CheckCase("open-close-without-growth", .lifeCycle, "A thousand times opened and closed, it holds no more than before.", limit: 120) { bench in
    let plugin = try bench.load()
    let device = try bench.device()
    // What is made once is no growth.
    let pace = bench.input.pace
    let isSeldom = pace.isSlow || bench.isVisited
    for number in 0..<100 { try await LifeCycle.round(bench, plugin, device, reads: !isSeldom || number % 20 == 0) }
    let before = OwnHoldings()
    let growth = try await LifeCycle.growth(bench, rounds: 250) { number in
      try await LifeCycle.round(bench, plugin, device, reads: number % (isSeldom ? 50 : 10) == 0)
    }
    let after = OwnHoldings()
    if growth > LifeCycle.allowance(bench) { throw Finding.failed("each round leaves \(growth) bytes behind") }
    if after.descriptors > before.descriptors + 4 {
      throw Finding.failed("\(after.descriptors - before.descriptors) descriptors are still open after 1,000 rounds")
    }
  },
  CheckCase("open-fails-cleanly", .lifeCycle, "Where a service of the host fails, open and device_add fail with a class that fits, and hold nothing.", limit: 60) { bench in
    let plugin = try bench.load()
    let device = try bench.device()
    try await LifeCycle.round(bench, plugin, device, reads: false)
    let isSlow = bench.input.pace.isSlow || bench.isVisited
    let connecting = bench.isVisited ? ["websocket.send", "event.timer", "record", "authorize"] : ["stream.open"]
    for slot in connecting + ["declare_points", "config", "store"] {
      ValidationLayer.fail([slot])
      for number in 0..<50 { _ = await LifeCycle.attempt(bench, plugin, device, reads: !isSlow || number % 25 == 0) }
      let growth = try await LifeCycle.growth(bench, rounds: 125) { number in
        let (open, add) = await LifeCycle.attempt(bench, plugin, device, reads: !isSlow || number % 50 == 0)
        if slot == "stream.open", let failure = open?.failure ?? add?.failure, failure != .transient {
          throw Finding.failed("where nobody listens it fails with class \(failure), so the host would never try again")
        }
      }
      if growth > LifeCycle.allowance(bench) { throw Finding.failed("each round with a failing \(slot) leaves \(growth) bytes behind") }
    }
    ValidationLayer.fail([])
    let link = try await bench.ready(plugin, to: device)
    await link.close()
  },
  CheckCase("devices-come-and-go", .lifeCycle, "A device that was removed can be added again on the same link.") { bench in
    let link = try await bench.ready(try bench.load(), to: try bench.device())
    for _ in 0..<bench.input.pace.times(20) {
      try expectDone(await link.remove(), "device_remove")
      try expectDone(await link.add(), "device_add, after the device was removed,")
      try expectDone(await link.poll(), "poll, after the device was added again,")
    }
    await link.close()
  },
  CheckCase("two-links-at-once", .lifeCycle, "Two links are open together, each has its own points and values, and none waits for the other.") { bench in
    try await LifeCycle.together(bench, 2)
    try await LifeCycle.apart(bench)
  },
  CheckCase("fifty-links-in-parallel", .lifeCycle, "Fifty links, or as many as the manifest allows, are read at the same time.", limit: 90) { bench in
    let limit = bench.inspection.document?["concurrency"]?.integer ?? 50
    try await LifeCycle.together(bench, Int(min(50, max(1, limit))))
  },
]

enum LifeCycle {
  /// Bytes a round that the host's own bookkeeping may keep.
  static let allowance = 48
  /// Where far ends connect to this process: what their connections keep is of it too, and comes and goes.
  static let visitedAllowance = 128

  static func allowance(_ bench: Bench) -> Int { bench.isVisited ? visitedAllowance : allowance }

  /// Bytes that each round leaves behind. What only fills the heap's own caches comes to an end: two stretches in a row without
  /// growth, of twelve at most, say so; one may owe it to something that was given back just then. A leak is in each of them.
  static func growth(_ bench: Bench, rounds: Int, _ round: (Int) async throws -> Void) async throws -> Int {
    var stretches: [Int] = []
    while stretches.count < 12 {
      await bench.settle()
      let before = OwnHoldings()
      for number in 0..<rounds { try await round(number) }
      await bench.settle()
      stretches.append((OwnHoldings().heap - before.heap) / rounds)
      let lately = stretches.suffix(2)
      if lately.count == 2, lately.allSatisfy({ $0 <= allowance(bench) }) { break }
    }
    return stretches.suffix(2).max() ?? 0
  }

  static func round(_ bench: Bench, _ plugin: LoadedPlugin, _ device: FarEnd?, reads: Bool) async throws {
    let link = try bench.link(plugin, to: device)
    try expectDone(await link.open(), "open")
    try expectDone(await link.add(), "device_add")
    if reads { try expectDone(await link.poll(), "poll") }
    await link.close()
  }

  static func attempt(_ bench: Bench, _ plugin: LoadedPlugin, _ device: FarEnd?, reads: Bool) async -> (CallResult?, CallResult?) {
    guard let link = try? bench.link(plugin, to: device) else { return (nil, nil) }
    let open = await link.open()
    let add = open.failure == nil ? await link.add() : nil
    if reads, open.failure == nil, add?.failure == nil { _ = await link.poll(within: bench.isVisited ? .milliseconds(300) : nil) }
    await link.close()
    return (open, add)
  }

  /// One link is read while another one waits for a device that is silent.
  static func apart(_ bench: Bench) async throws {
    // No call of a device that speaks first waits for it.
    guard bench.needsFarEnd, !bench.isVisited, !bench.input.pace.isSlow else { return }
    let peer = try bench.peer()
    let plugin = try bench.load()
    let waiting = try await bench.ready(plugin, to: peer.farEnd)
    let other = try await bench.ready(plugin, to: try bench.device())
    peer.behave(.silent)
    let hasEnded = Mutex(false)
    let silence = Task {
      _ = await waiting.poll(within: .seconds(6))
      hasEnded.withLock { $0 = true }
    }
    while peer.heard.isEmpty, !hasEnded.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
    // A poll that asks nothing waits for nobody.
    let waits = !hasEnded.withLock { $0 }
    let result = await other.poll(within: .seconds(20))
    let cameLate = waits && hasEnded.withLock { $0 }
    waiting.connection.cancel()
    await silence.value
    peer.behave(.honest)
    try expectDone(result, "poll, while another link waits for its device,")
    if cameLate { throw Finding.failed("poll waited until another link had given up its silent device: no lock may be held meanwhile") }
    await waiting.close()
    await other.close()
  }

  static func together(_ bench: Bench, _ count: Int) async throws {
    let plugin = try bench.load()
    let device = try bench.device()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count {
        group.addTask {
          let link = try await bench.ready(plugin, to: device)
          let names = Set(link.told.points.map(\.point.name))
          for _ in 0..<10 {
            try expectDone(await link.poll(within: .seconds(20)), "poll, beside \(count - 1) other links,")
            let told = Set(link.told.values.keys).union(link.told.bad.keys)
            // Who speaks first may have more to say later.
            let own = link.visit == nil ? names : Set(link.told.points.map(\.point.name))
            if let foreign = told.subtracting(own).first {
              throw Finding.failed("a link reads \(foreign), which is a point of another one")
            }
          }
          await link.close()
        }
      }
      try await group.waitForAll()
    }
  }
}
