// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarSQLite
import Foundation
import Testing

@Suite struct LimitTests {
  @Test func overTheSizeTheOldestGoAndAreReported() throws {
    let rig = try Rig(limits: BufferLimits(size: 32 << 10, age: .seconds(86400), commit: .seconds(1)))
    for _ in 0..<100 {
      for _ in 0..<10 { rig.reading() }
      rig.pass(halves: 1)
      #expect(rig.outbox.status.bytes <= 32 << 10 + 10 * 150)
    }
    rig.pass(halves: 2)
    let status = rig.outbox.status
    #expect(status.bytes <= 32 << 10)
    #expect(status.messages > 150)
    #expect(status.dropped + status.messages == 1000)
    #expect(rig.lines.count(of: "reached its limit") == 1)
    let received = try rig.drain()
    #expect(received.first?.gap == .init(from: 1, to: Int64(status.dropped), reason: "quota"))
    #expect(received.dropFirst().compactMap(\.seq) == Array(Int64(status.dropped + 1)...1000))
    rig.pass(halves: 242)
    #expect(rig.lines.count(of: "has room again; \(status.dropped) messages") == 1)
    #expect(rig.outbox.status.messages == 0)
  }

  @Test func whatIsUnderWayIsNotDropped() throws {
    let rig = try Rig(limits: BufferLimits(size: 8 << 10, age: .seconds(86400), commit: .seconds(1)))
    for _ in 0..<40 { rig.reading() }
    rig.pass(halves: 2)
    let underWay = try rig.take(late: 3)
    #expect(underWay.map(\.1.seq) == [1, 2, 3])
    for _ in 0..<200 { rig.reading() }
    rig.pass(halves: 2)
    rig.outbox.connectionLost()
    let received = try rig.drain()
    #expect(received[0].gap?.from == 4)
    #expect(received[1...3].map(\.seq) == [1, 2, 3])
  }

  @Test func theCountersSurviveARestartAndAgreeWithTheTable() throws {
    let rig = try Rig(limits: BufferLimits(size: 16 << 10, age: .seconds(86400), commit: .seconds(1)))
    for _ in 0..<300 { rig.reading() }
    rig.pass(halves: 4)
    for (message, _) in try rig.take(late: 7) { rig.outbox.acknowledged(message.ticket) }
    rig.pass(halves: 1)
    let before = rig.outbox.status
    try rig.crash()
    #expect(rig.outbox.status.messages == before.messages)
    #expect(rig.outbox.status.bytes == before.bytes)
    let database = try Database(path: rig.path, access: .readOnly)
    #expect(try database.integer("SELECT count(*) FROM outbox") == Int64(before.messages))
    #expect(try database.integer("SELECT sum(length(payload) + 64) FROM outbox") == before.bytes)
  }

  @Test func whatIsTooOldGoesButNotWhatHasNoTrueTime() throws {
    let rig = try Rig(limits: BufferLimits(size: 1 << 30, age: .seconds(60), commit: .seconds(1)))
    rig.reading(time: 1000)
    for _ in 0..<5 { rig.reading() }
    rig.pass(halves: 100)
    rig.reading()
    #expect(rig.outbox.status.dropped == 0)
    rig.pass(halves: 40)
    #expect(rig.outbox.status.dropped == 5)
    let received = try rig.drain()
    #expect(received.map(\.gap) == [.init(from: 2, to: 6, reason: "quota"), nil, nil])
    #expect(received.map(\.seq) == [nil, 1, 7])
  }

  @Test func aBurstIsWrittenOutOfTurn() throws {
    let rig = try Rig()
    for _ in 0..<20_001 { rig.reading() }
    #expect(try Database(path: rig.path, access: .readOnly).integer("SELECT count(*) FROM outbox") == 20_001)
    #expect(try rig.drain().compactMap(\.seq) == Array(1...20_001))
  }
}

@Suite struct DiskFailureTests {
  @Test func aFullDiskKeepsMessagesInMemoryAndRecoversByItself() throws {
    let rig = try Rig()
    rig.reading()
    rig.pass(halves: 2)
    try rig.database?.limit(pages: 1)
    for _ in 0..<1000 { rig.reading() }
    rig.alarm()
    rig.pass(halves: 10)
    #expect(rig.outbox.status.problem?.contains("disk is full") == true)
    #expect(rig.outbox.status.messages == 1002)
    #expect(rig.lines.count(of: "cannot be written") == 1)
    // The broker still gets everything: what is on disk and what is only in memory, in order.
    let taken = try rig.take(late: 3)
    #expect(taken.map(\.1.seq) == [1, 2, 3])
    rig.outbox.connectionLost()
    try rig.database?.limit(pages: 1 << 30)
    rig.pass(halves: 1)
    #expect(rig.outbox.status.problem == nil)
    #expect(rig.lines.count(of: "can be written again") == 1)
    try rig.crash()
    #expect(Set(try rig.drain().filter { $0.gap == nil }.map(\.token)).count == 1002)
  }

  @Test func memoryIsBoundedWhileTheDiskFails() throws {
    let rig = try Rig()
    rig.reading()
    rig.pass(halves: 2)
    try rig.database?.limit(pages: 1)
    for _ in 0..<2 {
      for _ in 0..<15_000 { rig.reading() }
      rig.pass(halves: 2)
    }
    let status = rig.outbox.status
    #expect(status.messages <= 20_001)
    #expect(status.dropped == 30_001 - status.messages)
    try rig.database?.limit(pages: 1 << 30)
    rig.pass(halves: 1)
    let received = try rig.drain()
    #expect(received.first?.gap == .init(from: 2, to: Int64(status.dropped + 1), reason: "quota"))
    #expect(received.dropFirst().compactMap(\.seq) == [1] + Array(Int64(status.dropped + 2)...30_001))
  }

  /// A real full file system; needs the right to mount one.
  @Test func aFileSystemThatFillsUp() throws {
    let mount = try TemporaryDirectory()
    guard run("/bin/mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount.path) == 0 else { return }
    defer { _ = run("/bin/umount", "-l", mount.path) }
    let clock = ManualClock()
    let encoder = RecordingEncoder()
    let rig = try Rig()
    var outbox: Outbox? = try Outbox(
      database: StateDatabase(directory: mount.path + "/state", logger: rig.logger), encoder: encoder,
      limits: rig.limits, acknowledge: .broker, logger: rig.logger, clock: { clock.boot }, wall: { clock.wall })
    func pass() {
      clock.advance(.milliseconds(500))
      outbox?.tick(now: clock.boot)
    }
    var accepted: Int64 = 0
    while outbox?.status.problem == nil, accepted < 500_000 {
      for _ in 0..<1000 {
        accepted += 1
        outbox?.accept(Reading(device: "met_a".id, time: clock.wall * 1_000_000 + accepted, items: []))
      }
      pass()
    }
    #expect(outbox?.status.problem?.contains("disk is full") == true)
    #expect(accepted > 20_000)
    // The broker comes back: the full disk is no obstacle to emptying it.
    var seen: Set<Int64> = []
    var rounds = 0
    while outbox?.status.messages != 0, rounds < 1000 {
      rounds += 1
      while let message = outbox?.next(late: 100) {
        if let seq = try Received(message).seq { seen.insert(seq) }
        outbox?.acknowledged(message.ticket)
      }
      pass()
    }
    #expect(seen == Set(1...accepted))
    #expect(outbox?.status.problem == nil)
    #expect(outbox?.status.messages == 0)
    outbox?.close()
    outbox = nil
  }

  private func run(_ program: String, _ arguments: String...) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
