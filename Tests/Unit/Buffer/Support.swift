// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import Foundation
import Logging
import Synchronization

/// A directory that goes with its owner.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    // Memory where there is some: these tests commit ten thousands of times.
    let memory = "/dev/shm"
    let root = FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
    path = root + "/busbar-buffer-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Both clocks, set by hand.
final class ManualClock: Sendable {
  /// 2026-11-23, milliseconds.
  static let start: Int64 = 1_795_400_000_000
  private let elapsed = Mutex<Int64>(0)

  var boot: Int64 { elapsed.withLock { $0 } }
  var wall: Int64 { Self.start + boot / 1_000_000 }
  func advance(_ duration: Duration) { elapsed.withLock { $0 += duration.nanoseconds } }
}

/// Payloads of the shape that the real encoder has, and a memory of what was made.
final class RecordingEncoder: MessageEncoder {
  struct Made: Sendable, Hashable {
    var device: DeviceID
    var stream: OutboundMessage.Stream
    var seq: Int64
    var token: Int64
  }

  private let made = Mutex<[Made]>([])
  var count: Int { made.withLock { $0.count } }
  var last: Made? { made.withLock { $0.last } }

  func telemetry(_ reading: Reading, seq: Int64) -> [UInt8] {
    made.withLock { $0.append(Made(device: reading.device, stream: .telemetry, seq: seq, token: reading.time)) }
    return Array(#"{"ts":\#(reading.time / 1_000_000),"seq":\#(seq),"token":\#(reading.time)}"#.utf8)
  }

  func record(_ record: Record, seq: Int64) -> [UInt8] { Array("{\"ts\":\(record.time),\"seq\":\(seq)}".utf8) }

  func alarm(_ alarm: Alarm, seq: Int64) -> [UInt8] {
    made.withLock { $0.append(Made(device: alarm.device, stream: .alarms, seq: seq, token: alarm.time)) }
    return Array(#"{"ts":\#(alarm.time / 1_000_000),"seq":\#(seq),"token":\#(alarm.time)}"#.utf8)
  }

  func gap(_ gap: Gap, time: Int64) -> [UInt8] {
    Array(#"{"ts":\#(time),"gap":{"from":\#(gap.from),"to":\#(gap.to),"reason":"\#(gap.reason.rawValue)"}}"#.utf8)
  }
}

/// What a receiver reads.
struct Received: Decodable, Equatable {
  struct GapReport: Decodable, Equatable {
    var from: Int64
    var to: Int64
    var reason: String
  }

  var ts: Int64
  var seq: Int64?
  var token: Int64?
  var late: Bool?
  var gap: GapReport?

  init(_ message: OutboundMessage) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(message.payload))
  }
}

/// Keeps what is logged.
struct RecordingLog: LogHandler {
  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    func count(of text: String) -> Int { all.filter { $0.contains(text) }.count }
  }

  let lines: Lines
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.append("\(event.level): \(event.message)") }
}

/// An outbox on a state directory, with clocks set by hand.
final class Rig {
  let clock = ManualClock()
  let encoder = RecordingEncoder()
  let lines = RecordingLog.Lines()
  /// What is known of numbers outlives the process.
  let marks: Bool
  var directory: TemporaryDirectory
  var limits: BufferLimits
  let acknowledge: Acknowledgement
  private(set) var database: StateDatabase?
  private var current: Outbox?
  private var token: Int64 = 0

  var outbox: Outbox {
    guard let current else { preconditionFailure("the rig is closed") }
    return current
  }

  init(
    limits: BufferLimits = BufferLimits(size: 1 << 30, age: .seconds(30 * 86400), commit: .seconds(1)),
    acknowledge: Acknowledgement = .broker, marks: Bool = false
  ) throws {
    self.marks = marks
    directory = try TemporaryDirectory()
    self.limits = limits
    self.acknowledge = acknowledge
    try open()
  }

  var logger: Logger { Logger(label: "test") { [lines] _ in RecordingLog(lines: lines) } }
  var path: String { directory.path + "/state/busbar.db" }

  // An orderly end takes the marks away.
  deinit { if marks { close() } }

  func open() throws {
    let database = try StateDatabase(
      directory: directory.path + "/state", logger: logger, wall: { [clock] in clock.wall })
    self.database = database
    current = try Outbox(
      database: database, encoder: encoder, limits: limits, acknowledge: acknowledge,
      marks: marks ? SequenceMarks(database: database.path) : nil, logger: logger, clock: { [clock] in clock.boot }, wall: { [clock] in clock.wall })
  }

  func close() {
    current?.close()
    current = nil
    database = nil
  }

  func reopen() throws {
    close()
    try open()
  }

  /// The process ends, the machine goes on: with `marks`, what they say is still there.
  func kill() throws {
    end()
    try open()
  }

  private func end() {
    current?.abandon()
    current = nil
    database = nil
  }

  /// A run in between that keeps no marks, and is killed too.
  func killedRunWithoutMarks(readings: Int) throws {
    end()
    let database = try StateDatabase(directory: directory.path + "/state", logger: logger)
    let outbox = try Outbox(
      database: database, encoder: encoder, limits: limits, acknowledge: acknowledge, logger: logger)
    for _ in 0..<readings {
      outbox.accept(Reading(device: "met_a".id, time: clock.wall * 1_000_000, items: []))
    }
    outbox.abandon()
  }

  /// The power goes: what the files hold at this moment is all that is left.
  func crash() throws {
    let next = try TemporaryDirectory()
    try FileManager.default.copyItem(atPath: directory.path + "/state", toPath: next.path + "/state")
    current?.abandon()
    current = nil
    database = nil
    directory = next
    try open()
  }

  /// Lets time pass, with a tick at every half of `commit`.
  func pass(halves: Int) {
    for _ in 0..<halves {
      clock.advance(limits.commit / 2)
      outbox.tick(now: clock.boot)
    }
  }

  @discardableResult
  func reading(_ device: String = "met_a", durable: Bool = false, time: Int64? = nil) -> Int64 {
    token += 1
    let taken = (time ?? clock.wall) * 1_000_000 + token
    outbox.accept(Reading(device: device.id, time: taken, items: [], durable: durable))
    return taken
  }

  @discardableResult
  func alarm(_ device: String = "met_a") -> Int64 {
    token += 1
    let taken = clock.wall * 1_000_000 + token
    outbox.accept(Alarm(device: device.id, name: "Test", active: true, text: "", time: taken))
    return taken
  }

  /// Takes what there is, acknowledges it, and lets time pass between, until nothing comes.
  @discardableResult
  func drain(late: Int = 20) throws -> [Received] {
    var all: [Received] = []
    while true {
      let batch = try take(late: late)
      guard !batch.isEmpty else { return all }
      all += batch.map(\.1)
      for (message, _) in batch { outbox.acknowledged(message.ticket) }
    }
  }

  func take(late: Int = 20) throws -> [(OutboundMessage, Received)] {
    var batch: [(OutboundMessage, Received)] = []
    while let message = outbox.next(late: late) { batch.append((message, try Received(message))) }
    return batch
  }
}

extension String {
  var id: DeviceID {
    guard let id = DeviceID(rawValue: self) else { preconditionFailure("no device id: \(self)") }
    return id
  }
}

/// SplitMix64, so that a failing seed can be run again.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
