// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Logging
internal import Synchronization

/// Problems that a link may raise: so many at a time, so many changes a minute.
package struct ProblemLimit: Sendable {
  package static let active = 32
  package static let changesPerMinute = 120

  private var raised: Set<String> = []
  private var minute: Int64 = -1
  private var changes = 0

  package init() {}

  package enum Answer: Equatable, Sendable {
    case change, same, tooMany
  }

  package mutating func take(_ device: UInt32, _ name: String, active: Bool, now: Int64) -> Answer {
    let key = "\(device) \(name)"
    guard raised.contains(key) != active else { return .same }
    if now / 60_000_000_000 != minute {
      minute = now / 60_000_000_000
      changes = 0
    }
    changes += 1
    guard changes <= Self.changesPerMinute, !active || raised.count < Self.active else { return .tooMany }
    if active { raised.insert(key) } else { raised.remove(key) }
    return .change
  }
}

extension RemoteLink {
  /// Candidates of one step (discovery.h), and steps.
  private static let candidateLimit = 64
  private static let stepLimit: UInt32 = 100_000
  /// Bytes of names, titles and details that the points of a link may have.
  private static let pointText = 2 << 20
  /// A frame that is older was not recorded now, nanoseconds.
  private static let frameAge: Int64 = 60_000_000_000

  /// From the thread that reads the child's messages. How many samples were good.
  func handle(_ message: ChildMessage) throws(MessageError) -> Int {
    switch message {
    case .result(let call, let result):
      guard case .call(let completion) = try ended(call).kind else { throw MessageError(what: "the wrong answer to a call") }
      var result = result
      // The child sees no more than that its end was closed.
      if result.reason == .closed, let more = resources.streams.ending { result.text = more }
      completion(result)
    case .outcome(let call, let result):
      guard case .command(let completion) = try ended(call).kind else { throw MessageError(what: "the wrong answer to a command") }
      completion(result)
    case .candidate(let call, let candidate):
      let taken = state.withLock { state in
        guard state.running?.id == call, state.candidates.count < Self.candidateLimit else { return false }
        state.candidates.append(candidate)
        return true
      }
      guard taken else { throw MessageError(what: "a candidate too many") }
    case .scanned(let call, let result, let steps):
      let candidates = state.withLock { $0.candidates }
      guard case .scan(let completion) = try ended(call).kind else { throw MessageError(what: "the wrong answer to a search") }
      completion(ScanResult(result, steps: Int(min(steps, Self.stepLimit)), candidates: candidates))
    case .declared(_, let device, let points): try declared(device, points)
    case .identified(_, let device, let identity):
      guard knows(device), identityLimit.admit(now: Clock.boot()) != nil else { break }
      resources.events.identified(device, identity.cleaned)
    case .samples(_, let samples):
      let batch = SampleBatch(samples)
      let dropped = batch.tell(resources.events, points, durable: false)
      note(dropped)
      return batch.samples.count - dropped
    case .problem(_, let device, let name, let active, let text):
      switch state.withLock({ $0.problems.take(device, name, active: active, now: Clock.boot()) }) {
      case .same: break
      case .change: resources.events.problem(device, name: name, active: active, text: text)
      case .tooMany: throw MessageError(what: "it raises and clears problems without end")
      }
    case .log(_, let level, let text): log(Int32(level), text)
    case .frame(_, let device, let time, let content):
      guard let trace = resources.events.trace else { break }
      let now = Clock.boot()
      let time = min(max(time, now - Self.frameAge), now)
      switch content {
      case .sent(let bytes): trace.record(.sent, bytes, device: device, time: time)
      case .received(let bytes): trace.record(.received, bytes, device: device, time: time)
      case .event(let event): trace.record(event, device: device, time: time)
      }
    case .released: state.withLock { $0.stream = nil }
    case .request(let number, _, let request):
      try serve(number, request)
      if case .durable(let samples) = request { return samples.rows.count / SampleBatch.rowLength }
    case .loaded, .refused, .crashing: throw MessageError(what: "a message of no link")
    case .send, .shut, .timer, .wake, .completed, .ask: _ = try handleEvent(message)
    }
    return 0
  }

  private func ended(_ call: UInt64) throws(MessageError) -> Running {
    let running = state.withLock { state -> Running? in
      guard let running = state.running, running.id == call else { return nil }
      state.running = nil
      if let device = running.removes { state.devices.remove(device) }
      return running
    }
    guard let running else { throw MessageError(what: "an answer to no call") }
    if let device = running.removes { points.forget(device: device) }
    if state.withLock({ $0.retiring }) { child.retired(self) }
    return running
  }

  func knows(_ device: UInt32) -> Bool { state.withLock { $0.devices.contains(device) } }

  private func declared(_ device: UInt32, _ records: [ChildMessage.NumberedPoint]) throws(MessageError) {
    guard knows(device) else { throw MessageError(what: "points of a device that there is not") }
    var declared: [(id: UInt32, point: PointDescriptor)] = []
    for record in records {
      guard let point = PointDescription.point(record.point) else { throw MessageError(what: "a point that is none") }
      guard points.declare(point, of: device) == record.number else { throw MessageError(what: "points out of order") }
      declared.append((record.number, point))
    }
    // Said again it takes the place of what was said before.
    let total = state.withLock { state in
      for record in records {
        let text = record.point.name.utf8.count + record.point.title.utf8.count + record.point.detail.utf8.count
        state.textBytes += text - (state.texts.updateValue(text, forKey: record.number) ?? 0)
      }
      return state.textBytes
    }
    guard total <= Self.pointText else { throw MessageError(what: "points with more than \(Self.pointText >> 20) MiB of text") }
    resources.events.declared(device, points: declared)
  }

  func note(_ dropped: Int) {
    if dropped > 0 { log(4, SampleBatch.dropped(dropped)) }
  }

  func log(_ level: Int32, _ text: String) {
    guard let dropped = logLimit.admit(now: Clock.boot()) else { return }
    let suffix = dropped > 0 ? " (\(dropped) lines before it were dropped)" : ""
    resources.logger.log(level: .init(syslog: level), "\(text)\(suffix)")
  }
}

extension DeviceIdentity {
  fileprivate var cleaned: DeviceIdentity {
    DeviceIdentity(
      vendor: BusbarPlugins.cleaned(vendor), model: BusbarPlugins.cleaned(model), serial: BusbarPlugins.cleaned(serial),
      firmware: BusbarPlugins.cleaned(firmware),
      actions: actions)
  }
}
