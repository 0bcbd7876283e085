// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem

/// One link with one device, its calls as functions that wait. What is behind `connection`, this process or a child, is
/// nothing that a case can see.
struct LinkUnderTest: Sendable {
  let connection: any AdapterConnection
  let told: Told
  let device: DeviceSetup
  let pace: Pace
  /// Points that are read before others where not all are read at a time.
  var first: Set<String> = []

  func open(within: Duration? = nil) async -> CallResult {
    await withCheckedContinuation { done in connection.open(deadline: end(within)) { done.resume(returning: $0) } }
  }

  func add(within: Duration? = nil) async -> CallResult {
    await withCheckedContinuation { done in connection.add(device, deadline: end(within)) { done.resume(returning: $0) } }
  }

  func remove() async -> CallResult {
    // Its points go with it.
    told.forgetPoints()
    return await withCheckedContinuation { done in connection.remove(1, deadline: end(nil)) { done.resume(returning: $0) } }
  }

  func close() async {
    _ = await withCheckedContinuation { done in connection.close(deadline: end(nil)) { done.resume(returning: $0) } }
    connection.retire()
  }

  /// Reads the points once, of a slow device a part of them. What came is in `told.values`. The pauses that a device needs
  /// come on top of a time that is given.
  func poll(within: Duration? = nil) async -> CallResult { await poll(points: due, within: within) }

  /// Reads all points once.
  func pollAll() async -> CallResult { await poll(points: told.readable.map(\.id)) }

  func poll(points: [UInt32], within: Duration? = nil) async -> CallResult {
    if let visit {
      await visit.drain()
      told.forget()
      return await visit.read(points, until: end(within))
    }
    told.forget()
    return await withCheckedContinuation { done in
      connection.poll(1, due: points, deadline: end(within)) { done.resume(returning: $0) }
    }
  }

  /// A value that was sent as good while the device said nothing that has a meaning. Of a device that speaks first states stand, and
  /// so does what was asked of it.
  var unfounded: (name: String, value: Value)? {
    var values = told.values
    if visit != nil {
      for (_, point) in told.points where point.kind == .state || point.writable { values[point.name] = told.heard[point.name] }
    }
    return values.min { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Where the far end connects by itself.
  var visit: Visit? { connection as? Visit }

  /// Of a slow device: what a case is about, what can be written, numbers, the rest, as many as it answers in a while.
  private var due: [UInt32] {
    let points = told.readable
    // Measurements of devices that speak first come when they come.
    guard points.count > pace.atOnce, visit == nil else { return points.map(\.id) }
    func rank(_ point: PointDescriptor) -> Int {
      first.contains(point.name) ? 0 : point.writable ? 1 : [.number, .integer].contains(point.type) ? 2 : 3
    }
    let ranked = points.enumerated().sorted { (rank($0.element.point), $0.offset) < (rank($1.element.point), $1.offset) }
    return ranked.prefix(pace.atOnce).map(\.element.id)
  }

  private func end(_ time: Duration?) -> Int64 { later(time.map { $0 + pace.slack } ?? pace.patience) }

  func command(
    _ point: UInt32, _ value: Value, id: String, dryRun: Bool = false, within: Duration? = nil, expired: Bool = false
  ) async -> CommandResult {
    let command = AdapterCommand(
      device: 1, verb: .set(point: point, value: value), id: id, dryRun: dryRun, refresh: false, safe: false,
      validUntil: expired ? Clock.boot() - 1_000_000_000 : Clock.boot() + 60_000_000_000)
    return await withCheckedContinuation { done in
      connection.command(command, deadline: end(within)) { done.resume(returning: $0) }
    }
  }

  /// Opens, adds the device and reads it until it answers, a few times at most.
  func begin() async throws {
    try expectDone(await open(), "open")
    try expectDone(await add(), "device_add")
    if let visit { return try await visit.begin(told.readable.map(\.id), pace) }
    var last = CallResult.done
    for _ in 0..<3 {
      last = await poll()
      if last.failure == nil { return }
    }
    throw Finding.failed("the device answers nothing that poll understands: \(said(last))")
  }

  /// Reads until the points that `wanted` names are good again, opening anew where the connection broke. Nil = they are.
  func recover(_ wanted: Set<String>, _ again: () async throws -> LinkUnderTest) async throws -> (LinkUnderTest, String?) {
    var link = self
    var reason = ""
    for _ in 0..<8 {
      let result = await link.poll(within: .seconds(2))
      if result.failure == nil, wanted.isSubset(of: Set(link.told.values.keys)) { return (link, nil) }
      reason = result.failure == nil ? "poll leaves \(wanted.subtracting(link.told.values.keys).sorted().joined(separator: ", ")) bad" : said(result)
      // A far end that connects by itself comes again by itself.
      guard link.visit == nil, result.failure == .transient, result.reason == .closed || result.reason == .refused else { continue }
      await link.close()
      link = try await again()
      _ = await link.open()
      _ = await link.add()
    }
    return (link, reason)
  }
}

func later(_ time: Duration) -> Int64 { Clock.boot() + time.nanoseconds }

func expectDone(_ result: CallResult, _ slot: String) throws {
  if result.failure != nil { throw Finding.failed("\(slot) failed: \(said(result))") }
}

/// A failure in words.
func said(_ result: CallResult) -> String {
  "class \(result.failure.map { "\($0)" } ?? "none"), \(result.text.isEmpty ? "reason \(result.reason)" : result.text)"
}
