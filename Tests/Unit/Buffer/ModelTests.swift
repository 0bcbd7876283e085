// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import Foundation
import Testing

/// Random lives of an outbox, judged by what a receiver may expect of it:
///
/// - every number that was given is acknowledged or reported in a gap, and none is given twice
/// - nothing is delivered that was not accepted, and with its own content
/// - live numbers rise; late ones rise until the next outage
/// - only a crash, and only what was accepted less than `commit` before it, or a quota leads to a gap
@Suite struct ModelTests {
  @Test(arguments: 1...60) func nothingIsLostByOutagesAndOrderlyEnds(seed: UInt64) throws {
    try Life(seed: seed).live()
  }

  @Test(arguments: 1...60) func nothingIsLostSilentlyByCrashes(seed: UInt64) throws {
    try Life(seed: seed, crashes: true).live()
  }

  @Test(arguments: 1...60) func nothingIsLostSilentlyByKills(seed: UInt64) throws {
    try Life(seed: seed, crashes: true, kills: true).live()
  }

  @Test(arguments: 1...40) func nothingIsLostSilentlyByKillsAndQuota(seed: UInt64) throws {
    try Life(seed: seed, crashes: true, kills: true, size: 6 << 10).live()
  }

  @Test(arguments: 1...40) func onlyTheReceiversWordRemovesAlsoWithKills(seed: UInt64) throws {
    try Life(seed: seed, crashes: true, kills: true, acknowledge: .application).live()
  }

  @Test(arguments: 1...40) func nothingIsLostSilentlyByQuota(seed: UInt64) throws {
    try Life(seed: seed, crashes: true, size: 6 << 10).live()
  }

  @Test(arguments: 1...40) func nothingIsLostByADiskThatFails(seed: UInt64) throws {
    try Life(seed: seed, diskFailures: true).live()
  }

  @Test(arguments: 1...40) func onlyTheReceiversWordRemoves(seed: UInt64) throws {
    try Life(seed: seed, crashes: true, acknowledge: .application).live()
  }
}

private final class Life {
  struct Stream: Hashable {
    var device: DeviceID
    var kind: OutboundMessage.Stream
  }

  struct Number: Hashable, CustomStringConvertible {
    var stream: Stream
    var seq: Int64
    var description: String { "\(stream.device) \(stream.kind) \(seq)" }
  }

  struct Violation: Error {
    var text: String
  }

  struct Accepted {
    var token: Int64
    var time: Int64
    var durable: Bool
  }

  let rig: Rig
  let crashes: Bool
  let diskFailures: Bool
  let quota: Bool
  let seed: UInt64
  var random: Seeded

  var accepted: [Number: Accepted] = [:]
  var acknowledged: Set<Number> = []
  var inGap: [Number: String] = [:]
  var published: Set<Number> = []
  /// Since the last crash: these must not come again.
  var finished: Set<Number> = []
  /// Taken and not answered.
  var underWay: [(message: OutboundMessage, received: Received)] = []
  var lastLive: [Stream: Int64] = [:]
  var lastLate: [Stream: Int64] = [:]
  var crashTimes: [Int64] = []
  var diskFails = false
  var encoded = 0

  init(
    seed: UInt64, crashes: Bool = false, kills: Bool = false, diskFailures: Bool = false, size: Int64 = 1 << 30,
    acknowledge: Acknowledgement = .broker
  ) throws {
    self.seed = seed
    self.crashes = crashes
    self.diskFailures = diskFailures
    quota = size < 1 << 20
    random = Seeded(state: seed)
    rig = try Rig(
      limits: BufferLimits(size: size, age: .seconds(86400), commit: .seconds(1)), acknowledge: acknowledge,
      marks: kills)
  }

  func live() throws {
    for _ in 0..<250 { try step() }
    try settle()
    for (number, message) in accepted where !acknowledged.contains(number) {
      guard let reason = inGap[number] else {
        throw violation("\(number) was neither delivered nor reported")
      }
      guard reason == "crash" else {
        try check(quota, "\(number) was dropped")
        continue
      }
      try check(crashes && !message.durable, "\(number) was lost")
      // The crash that took it was the first after it, less than `commit` later.
      let crash = crashTimes.first { $0 >= message.time } ?? .max
      try check(crash - message.time < 1_000_000_000, "\(number) was on disk for too long to be lost")
    }
    // Only a power cut leaves numbers in doubt that were never given.
    if rig.marks { for number in inGap.keys { try check(accepted[number] != nil, "\(number) was never given") } }
    if !crashes && !quota { try check(inGap.isEmpty, "at the end: \(rig.outbox.status)") }
    try check(rig.outbox.status.messages == 0, "at the end: \(rig.outbox.status)")
    try check(rig.outbox.status.bytes == 0, "at the end: \(rig.outbox.status)")
    try check(rig.outbox.status.problem == nil, "at the end: \(rig.outbox.status)")
  }

  private func violation(_ text: String) -> Violation { Violation(text: "seed \(seed): \(text)") }

  private func check(_ condition: Bool, _ text: @autoclosure () -> String) throws {
    if !condition { throw violation(text()) }
  }

  private func step() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<40: try accept()
    case 40..<58: try take()
    case 58..<74: answer()
    case 74..<88: rig.pass(halves: 1)
    case 88..<91: refuse()
    case 91..<95: connectionLost()
    case 95..<97 where diskFailures:
      try rig.database?.limit(pages: diskFails ? 1 << 30 : 1)
      diskFails.toggle()
    case 97..<99 where crashes: try crash()
    case 99 where !diskFails:
      try rig.reopen()
      outage()
      published = []
    default: rig.clock.advance(.milliseconds(Int.random(in: 1...20, using: &random)))
    }
    // Ticks come at every half of `commit`, whatever the other steps took of it.
    let late = rig.clock.boot % 500_000_000
    if late > 450_000_000 {
      rig.clock.advance(.nanoseconds(500_000_000 - late))
      rig.outbox.tick(now: rig.clock.boot)
    }
  }

  private func accept() throws {
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let device = ["met_a", "met_b", "sol_c"].randomElement(using: &random) ?? ""
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        rig.alarm(device)
        try note(durable: true)
      case 1:
        rig.reading(device, durable: true)
        try note(durable: true)
      default:
        rig.reading(device)
        try note(durable: false)
      }
    }
  }

  private func note(durable: Bool) throws {
    let count = rig.encoder.count
    try check(count == encoded + 1, "encoded \(count - encoded) times")
    encoded = count
    guard let made = rig.encoder.last else { return }
    let number = Number(stream: Stream(device: made.device, kind: made.stream), seq: made.seq)
    try check(accepted[number] == nil, "\(number) was given twice")
    accepted[number] = Accepted(token: made.token, time: rig.clock.boot, durable: durable)
  }

  private func take() throws {
    for _ in 0..<Int.random(in: 1...30, using: &random) {
      guard let message = rig.outbox.next(late: 8) else { return }
      let received = try Received(message)
      underWay.append((message, received))
      try check(underWay.filter { $0.received.late == true }.count <= 8, "too many late ones under way")
      guard let seq = received.seq else { continue }
      let stream = Stream(device: message.device, kind: message.stream)
      let number = Number(stream: stream, seq: seq)
      try check(accepted[number]?.token == received.token, "\(number) was not accepted so")
      try check(!finished.contains(number), "\(number) came again")
      published.insert(number)
      if received.late == true {
        try check(seq > lastLate[stream] ?? 0, "late \(number) behind \(lastLate[stream] ?? 0)")
        lastLate[stream] = seq
      } else {
        try check(seq > lastLive[stream] ?? 0, "live \(number) behind \(lastLive[stream] ?? 0)")
        lastLive[stream] = seq
      }
    }
  }

  private func answer() {
    for _ in 0..<Int.random(in: 0...30, using: &random) where !underWay.isEmpty {
      let index = Int.random(in: 0...3, using: &random) == 0 ? underWay.indices.randomElement(using: &random) ?? 0 : 0
      let (message, received) = underWay.remove(at: index)
      rig.outbox.acknowledged(message.ticket)
      let stream = Stream(device: message.device, kind: message.stream)
      if let gap = received.gap {
        for seq in gap.from...gap.to { inGap[Number(stream: stream, seq: seq)] = gap.reason }
      } else if let seq = received.seq, rig.acknowledge == .broker || message.stream == .alarms {
        finish(Number(stream: stream, seq: seq))
      }
    }
    if rig.acknowledge == .application { receiverAnswers() }
  }

  /// The receiver names numbers at random, also ones that it never had.
  private func receiverAnswers() {
    for device in ["met_a", "met_b", "sol_c"] where Bool.random(using: &random) {
      let stream = Stream(device: device.id, kind: .telemetry)
      let high = (accepted.keys.filter { $0.stream == stream }.map(\.seq).max() ?? 0) + 3
      let from = Int64.random(in: 0...high, using: &random)
      let range = from...Int64.random(in: from...high, using: &random)
      rig.outbox.applicationAcknowledged(device: device.id, ranges: [range])
      for seq in range {
        let number = Number(stream: stream, seq: seq)
        if published.contains(number) { finish(number) }
      }
    }
  }

  private func finish(_ number: Number) {
    acknowledged.insert(number)
    finished.insert(number)
  }

  private func refuse() {
    guard !underWay.isEmpty, Bool.random(using: &random) else { return }
    let (message, received) = underWay.removeFirst()
    rig.outbox.refused(message.ticket)
    let stream = Stream(device: message.device, kind: message.stream)
    // A refusal is an outage of the one stream.
    lastLate[stream] = nil
    if let seq = received.seq { published.remove(Number(stream: stream, seq: seq)) }
  }

  private func connectionLost() {
    rig.outbox.connectionLost()
    outage()
  }

  private func outage() {
    underWay = []
    lastLate = [:]
  }

  private func crash() throws {
    crashTimes.append(rig.clock.boot)
    if rig.marks { try rig.kill() } else { try rig.crash() }
    outage()
    finished = []
    published = []
  }

  /// All is well again: whatever is there has to come.
  private func settle() throws {
    if diskFails { try rig.database?.limit(pages: 1 << 30) }
    diskFails = false
    // The outbox tells the end of a refusal from an outage no better than we do.
    connectionLost()
    for _ in 0..<400 {
      try take()
      let nothing = underWay.isEmpty
      while !underWay.isEmpty { answer() }
      if rig.acknowledge == .application { acknowledgeAll() }
      rig.pass(halves: 1)
      if nothing, rig.outbox.status.messages == 0 { break }
    }
    try check(rig.outbox.next(late: 8) == nil, "there is no end of it")
    rig.pass(halves: 2)
  }

  private func acknowledgeAll() {
    for device in ["met_a", "met_b", "sol_c"] {
      rig.outbox.applicationAcknowledged(device: device.id, ranges: [1...1_000_000])
    }
    for number in published where number.stream.kind == .telemetry { finish(number) }
  }
}
