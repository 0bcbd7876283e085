// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarSQLite
import Foundation
import Testing

/// A look at the files from outside.
func onDisk(_ rig: Rig) throws -> (rows: Int64, version: () throws -> Int64) {
  let database = try Database(path: rig.path, access: .readOnly)
  let rows = try database.integer("SELECT count(*) FROM outbox") ?? -1
  return (rows, { try database.integer("PRAGMA data_version") ?? -1 })
}

@Suite struct OutboxTests {
  @Test func aMessageAcknowledgedInTimeNeverTouchesTheDisk() throws {
    let rig = try Rig()
    rig.reading()
    try rig.drain()
    let disk = try onDisk(rig)
    let before = try disk.version()
    for _ in 0..<50 {
      rig.reading()
      let received = try rig.drain()
      #expect(received.count == 1)
      #expect(received.first?.late == nil)
      rig.pass(halves: 1)
    }
    #expect(try disk.version() == before)
    #expect(rig.outbox.status == BufferStatus(messages: 0, bytes: 0, oldest: nil, dropped: 0, problem: nil))
  }

  @Test func nothingIsOnlyInMemoryLongerThanCommit() throws {
    let rig = try Rig()
    rig.clock.advance(.milliseconds(1))
    rig.reading()
    rig.clock.advance(.milliseconds(499))
    rig.outbox.tick(now: rig.clock.boot)
    #expect(try onDisk(rig).rows == 0)
    rig.pass(halves: 1)
    #expect(try onDisk(rig).rows == 1)
    #expect(rig.outbox.status.messages == 1)
    #expect(rig.outbox.status.oldest == ManualClock.start + 1)
  }

  @Test func durableReadingsAndAlarmsAreOnDiskAtOnce() throws {
    let rig = try Rig()
    rig.reading()
    rig.reading("met_b", durable: true)
    #expect(try onDisk(rig).rows == 1)
    rig.alarm("met_b")
    #expect(try onDisk(rig).rows == 2)
    rig.reading("met_b")
    rig.reading("met_b", durable: true)
    #expect(try onDisk(rig).rows == 4)
    #expect(try rig.take().map(\.1.late) == [nil, nil, nil, nil, nil])
  }

  @Test func aLatePayloadSaysSoBehindItsBrace() throws {
    let rig = try Rig()
    let token = rig.reading()
    let live = try #require(rig.outbox.next(late: 0))
    rig.outbox.connectionLost()
    #expect(rig.outbox.next(late: 0) == nil)
    let late = try #require(rig.outbox.next(late: 1))
    let text = "\"ts\":\(ManualClock.start),\"seq\":1,\"token\":\(token)}"
    #expect(String(decoding: live.payload, as: UTF8.self) == "{" + text)
    #expect(String(decoding: late.payload, as: UTF8.self) == #"{"late":true,"# + text)
  }

  @Test func liveFirstThenGapsThenBacklogInOrder() throws {
    let rig = try Rig()
    for device in ["met_a", "met_b", "met_a"] { rig.reading(device) }
    rig.pass(halves: 2)
    try rig.crash()
    for device in ["met_b", "met_c"] { rig.reading(device) }
    let taken = try rig.take()
    #expect(taken.map(\.1.late) == [nil, nil, nil, nil, true, true, true])
    #expect(taken.map(\.1.gap?.from) == [nil, nil, 3, 2, nil, nil, nil])
    #expect(taken.map { "\($0.0.device) \($0.1.seq ?? 0)" } == [
      "met_b 101", "met_c 1", "met_a 0", "met_b 0", "met_a 1", "met_b 1", "met_a 2",
    ])
  }

  @Test func onlySoManyLateOnesAreUnderWay() throws {
    let rig = try Rig()
    for _ in 0..<200 { rig.reading() }
    rig.pass(halves: 2)
    let first = try rig.take(late: 5)
    #expect(first.map(\.1.seq) == [1, 2, 3, 4, 5])
    rig.outbox.acknowledged(first[0].0.ticket)
    rig.outbox.acknowledged(first[0].0.ticket)
    #expect(try rig.take(late: 5).map(\.1.seq) == [6])
    rig.outbox.connectionLost()
    rig.outbox.acknowledged(first[1].0.ticket)
    #expect(try rig.take(late: 3).map(\.1.seq) == [2, 3, 4])
  }

  @Test func anOrderlyEndLosesNothingAndLeavesNoGap() throws {
    let rig = try Rig()
    for _ in 0..<3 { rig.reading() }
    rig.outbox.acknowledged(try #require(rig.outbox.next(late: 0)).ticket)
    _ = rig.outbox.next(late: 0)
    rig.alarm()
    try rig.reopen()
    rig.reading()
    let received = try rig.drain()
    #expect(received.map(\.seq) == [4, 2, 3, 1])
    #expect(received.allSatisfy { $0.gap == nil })
    try rig.reopen()
    #expect(try rig.drain().isEmpty)
  }

  @Test func acrashReportsWhatItMayHaveTakenAndNumbersGoOn() throws {
    let rig = try Rig()
    for _ in 0..<5 { rig.reading() }
    rig.pass(halves: 2)
    for _ in 0..<2 { rig.reading() }
    try rig.crash()
    rig.reading()
    let received = try rig.drain()
    #expect(received.compactMap(\.gap) == [.init(from: 6, to: 100, reason: "crash")])
    #expect(received.compactMap(\.seq) == [101, 1, 2, 3, 4, 5])
    rig.pass(halves: 2)
    #expect(try rig.drain().isEmpty)
    try rig.crash()
    #expect(try rig.drain().compactMap(\.gap) == [.init(from: 102, to: 200, reason: "crash")])
  }

  @Test func aKilledProcessReportsWhatWasLostAndNumbersGoOnWhereTheyWere() throws {
    let rig = try Rig(marks: true)
    for _ in 0..<5 { rig.reading() }
    // Numbers 1 to 3 are acknowledged, 4 and 5 are lost in memory.
    for _ in 0..<3 { if let message = rig.outbox.next(late: 0) { rig.outbox.acknowledged(message.ticket) } }
    try rig.kill()
    rig.reading()
    let received = try rig.drain()
    #expect(received.compactMap(\.gap) == [.init(from: 4, to: 5, reason: "crash")])
    #expect(received.compactMap(\.seq) == [6])
    // All was acknowledged, and that the report was is on disk: nothing to report.
    rig.pass(halves: 2)
    try rig.kill()
    #expect(try rig.drain().isEmpty)
    rig.reading()
    #expect(try rig.drain().compactMap(\.seq) == [7])
    // What is on disk comes, and is no gap.
    rig.reading()
    rig.pass(halves: 2)
    try rig.kill()
    #expect(try rig.drain().map(\.seq) == [8])
  }

  @Test func marksOfAnEarlierRunAreNotBelieved() throws {
    let rig = try Rig(marks: true)
    for _ in 0..<5 { rig.reading() }
    try rig.drain()
    // Its numbers are 101 to 103, of which the old marks, that end with 5, know nothing.
    try rig.killedRunWithoutMarks(readings: 3)
    try rig.open()
    rig.reading()
    let received = try rig.drain()
    #expect(received.compactMap(\.gap) == [.init(from: 1, to: 200, reason: "crash")])
    #expect(received.compactMap(\.seq) == [201])
  }

  @Test func aGapStaysUntilItsReportIsAcknowledged() throws {
    let rig = try Rig()
    rig.reading()
    try rig.crash()
    #expect(try rig.take().count == 1)
    rig.outbox.connectionLost()
    try rig.reopen()
    #expect(try rig.drain().compactMap(\.gap).count == 1)
    try rig.reopen()
    #expect(try rig.drain().isEmpty)
  }

  @Test func blocksAreReservedAheadOfTheirEnd() throws {
    let rig = try Rig()
    for _ in 0..<80 { rig.reading() }
    try rig.drain()
    rig.pass(halves: 1)
    for _ in 0..<100 { rig.reading() }
    try rig.crash()
    #expect(try rig.drain().compactMap(\.gap) == [.init(from: 81, to: 180, reason: "crash")])
  }

  @Test func aRefusedMessageComesAgainAfterAPauseAndOthersGoOn() throws {
    let rig = try Rig()
    rig.reading("met_a")
    rig.reading("met_a")
    rig.reading("met_b")
    let first = try #require(rig.outbox.next(late: 9))
    rig.outbox.refused(first.ticket)
    rig.reading("met_a")
    #expect(try rig.drain().count == 1)
    #expect(rig.outbox.status.problem?.contains("refuses messages of met_a") == true)
    rig.pass(halves: 59)
    #expect(try rig.drain().isEmpty)
    rig.pass(halves: 1)
    #expect(try rig.drain().map(\.seq) == [1, 2, 3])
    #expect(rig.outbox.status.problem == nil)
    #expect(rig.lines.count(of: "refuses messages") == 1)
    #expect(rig.lines.count(of: "takes messages of met_a again, after 1") == 1)
  }

  @Test func afterCloseNothingIsTakenWithoutAWord() throws {
    let rig = try Rig()
    rig.outbox.close()
    rig.reading()
    rig.reading()
    #expect(rig.lines.count(of: "after the buffer was closed") == 2)
  }

  @Test func aTickBehindTheOrderlyEndWritesNothing() throws {
    let rig = try Rig()
    for _ in 0..<90 { rig.reading() }
    rig.outbox.close()
    rig.pass(halves: 3)
    try rig.crash()
    #expect(try rig.drain().compactMap(\.gap).isEmpty)
  }

  @Test func theConsumerIsCalled() throws {
    let rig = try Rig()
    let calls = ManualClock()
    rig.outbox.onWork { calls.advance(.nanoseconds(1)) }
    rig.reading()
    #expect(calls.boot == 1)
    rig.pass(halves: 2)
    #expect(calls.boot == 2)
    rig.outbox.connectionLost()
    #expect(calls.boot == 3)
  }
}

@Suite struct ApplicationAcknowledgementTests {
  @Test func pubackAloneRemovesNothing() throws {
    let rig = try Rig(acknowledge: .application)
    for _ in 0..<3 { rig.reading() }
    #expect(try rig.drain().count == 3)
    rig.pass(halves: 3)
    #expect(try rig.drain().isEmpty)
    #expect(rig.outbox.status.messages == 3)
    rig.outbox.connectionLost()
    #expect(try rig.drain().map(\.late) == [true, true, true])
    rig.outbox.applicationAcknowledged(device: "met_a".id, ranges: [1...1, 3...9])
    rig.pass(halves: 1)
    #expect(rig.outbox.status.messages == 1)
    rig.outbox.connectionLost()
    #expect(try rig.drain().map(\.seq) == [2])
  }

  @Test func whatWasNeverPublishedIsNeverRemoved() throws {
    let rig = try Rig(acknowledge: .application)
    for _ in 0..<4 { rig.reading() }
    let first = try #require(rig.outbox.next(late: 0))
    rig.outbox.applicationAcknowledged(device: "met_a".id, ranges: [Int64.min...Int64.max, 1...4])
    rig.outbox.applicationAcknowledged(device: "met_z".id, ranges: [1...4])
    rig.outbox.acknowledged(first.ticket)
    rig.pass(halves: 2)
    rig.outbox.applicationAcknowledged(device: "met_a".id, ranges: [1...4])
    rig.pass(halves: 1)
    #expect(rig.outbox.status.messages == 3)
    try rig.reopen()
    rig.outbox.applicationAcknowledged(device: "met_a".id, ranges: [1...4])
    rig.pass(halves: 1)
    #expect(try rig.drain().map(\.seq) == [2, 3, 4])
  }

  @Test func anAcknowledgementRemovesWhatLiesReadAhead() throws {
    let rig = try Rig(acknowledge: .application)
    for _ in 0..<10 { rig.reading() }
    try rig.drain()
    rig.pass(halves: 2)
    rig.outbox.connectionLost()
    #expect(try rig.take(late: 2).map(\.1.seq) == [1, 2])
    rig.outbox.applicationAcknowledged(device: "met_a".id, ranges: [2...8])
    rig.pass(halves: 1)
    #expect(try rig.take(late: 9).map(\.1.seq) == [9, 10])
  }

  @Test func alarmsLeaveOnPuback() throws {
    let rig = try Rig(acknowledge: .application)
    rig.alarm()
    try rig.drain()
    rig.pass(halves: 1)
    #expect(rig.outbox.status.messages == 0)
  }
}
