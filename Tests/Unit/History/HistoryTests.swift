// SPDX-License-Identifier: Apache-2.0

import BusbarHistory
import BusbarModel
import BusbarSQLite
import Foundation
import Synchronization
import Testing

@Suite struct HistoryTests {
  /// A reading a second for so many minutes, `tick` after each of them.
  private func fill(_ history: History, _ site: Site, minutes: Int, value: (Int) -> Double) async {
    for minute in 0..<minutes {
      for second in 0..<4 {
        history.accept(reading(site.wall.withLock { $0 } + Double(second), power(value(minute) + Double(second))))
      }
      site.pass(60)
      await history.tick()
    }
  }

  @Test func rowsComeFromMemoryAndDiskAlike() async throws {
    let site = try Site()
    let history = site.history()
    await fill(history, site, minutes: 130) { Double($0) }
    history.accept(reading(site.wall.withLock { $0 }, power(1000)))
    let rows = try await history.rows()
    #expect(rows.count == 131)
    for (minute, row) in rows.prefix(130).enumerated() {
      let first = Double(minute)
      #expect(row.time == Int64(noon * 1000) + Int64(minute) * 60_000)
      #expect(row.summary == numbers(first, first + 1.5, first + 3, 4))
    }
    #expect(rows.last?.summary == numbers(1000, 1000, 1000, 1))
    #expect(history.status.problem == nil && history.status.oldest == Int64(noon * 1000))
  }

  @Test func anOrderlyEndLosesNothingAndARestartInTheMinuteGoesOn() async throws {
    let site = try Site()
    let first = site.history()
    first.accept(reading(noon, power(10)))
    first.accept(reading(noon + 5, power(20)))
    await first.close()
    site.pass(20)
    let second = site.history()
    second.accept(reading(noon + 20, power(60)))
    #expect(try await second.rows().map(\.summary) == [numbers(10, 30, 60, 3)])
    await second.close()
    #expect(try await site.history().rows().map(\.summary) == [numbers(10, 30, 60, 3)])
  }

  /// As after `kill -9`: nothing is closed, the file is read by another one.
  @Test func whatWasCommittedIsThereAfterACrash() async throws {
    let site = try Site()
    let history = site.history()
    await history.tick()
    await fill(history, site, minutes: 12) { Double($0) }
    let found = try await site.history().rows()
    // A commit every five minutes.
    #expect((7...12).contains(found.count))
    #expect(found.first?.summary == numbers(0, 1.5, 3, 4))
  }

  @Test func stepsPutMinutesTogether() async throws {
    let site = try Site()
    let history = site.history()
    await fill(history, site, minutes: 120) { $0 < 60 ? 0 : 100 }
    let hours = try await history.rows(step: 60)
    #expect(hours.map(\.summary) == [numbers(0, 1.5, 3, 240), numbers(100, 101.5, 103, 240)])
    #expect(hours.map(\.time) == [Int64(noon * 1000), Int64(noon * 1000) + 3_600_000])
    let day = try await history.rows(step: 1440)
    #expect(day.map(\.summary) == [numbers(0, 51.5, 103, 480)])
  }

  @Test func statesKeepTheLabelAlsoInSteps() async throws {
    let site = try Site()
    let history = site.history()
    for (minute, label) in ["off", "on", "on"].enumerated() {
      history.accept(reading(noon + Double(minute) * 60, state(label)))
    }
    #expect(try await history.rows("state", step: 60).map(\.summary) == [Summary(.label("on"), samples: 3)])
    #expect(try await history.rows("state").count == 3)
  }

  @Test func longTimesAreAnsweredInLargerSteps() async throws {
    let site = try Site()
    let history = site.history()
    for minute in 0..<3000 {
      history.accept(reading(noon + Double(minute) * 60, power(Double(minute))))
      site.pass(60)
      if minute % 60 == 0 { await history.tick() }
    }
    let question = HistoryQuestion(device: meter, time: Int64(noon * 1000)..<Int64((noon + 86400 * 30) * 1000))
    let answer = try #require(try await history.answer(question))
    #expect(answer.step == 5 && answer.points.first?.rows.count == 600)
  }

  @Test func anAnswerIsBounded() async throws {
    let site = try Site()
    let history = site.history()
    let points = (0..<400).map { PointDescriptor(name: "p\($0)") }
    for minute in 0..<60 {
      history.accept(
        Reading(device: meter, time: Int64((noon + Double(minute) * 60) * 1e9), items: points.map { Reading.Item($0, .integer(1)) }))
      site.pass(60)
    }
    let time = Int64(noon * 1000)..<Int64((noon + 86400) * 1000)
    await #expect(throws: TooManyRows.self) { try await history.answer(HistoryQuestion(device: meter, time: time, step: 1)) }
    let answer = try #require(try await history.answer(HistoryQuestion(device: meter, time: time)))
    #expect(answer.points.map(\.rows.count).reduce(0, +) <= HistoryAnswer.mostRows)
    #expect(answer.points.count == 400)
  }

  @Test func nobodyKnowsADeviceThatNeverWas() async throws {
    let history = try Site().history()
    let question = HistoryQuestion(device: meter, time: 0..<1)
    #expect(try await history.answer(question) == nil)
  }

  @Test func whatIsTooOldGoes() async throws {
    let site = try Site(age: .seconds(7200))
    let history = site.history()
    await fill(history, site, minutes: 400) { Double($0) }
    let rows = try await history.rows()
    // Whole hours are dropped.
    #expect((120...185).contains(rows.count))
    #expect(rows.last?.summary == numbers(399, 400.5, 402, 4))
  }

  @Test func aClockThatJumpsAheadCostsNothing() async throws {
    let site = try Site()
    let history = site.history()
    await fill(history, site, minutes: 200) { Double($0) }
    site.wall.withLock { $0 += 20 * 365 * 86400 }
    await fill(history, site, minutes: 30) { _ in 1 }
    site.wall.withLock { $0 -= 20 * 365 * 86400 }
    await fill(history, site, minutes: 30) { _ in 2 }
    let rows = try await history.rows()
    #expect(rows.first?.time == Int64(noon * 1000))
    #expect(rows.count == 230)
  }

  @Test func minutesBeforeTheClockIsSetAreDatedAfterwards() async throws {
    let site = try Site()
    site.wall.withLock { $0 = 50 }
    let history = site.history()
    await fill(history, site, minutes: 10) { Double($0) }
    #expect(!FileManager.default.fileExists(atPath: site.file) || site.bytes > 0)
    // Ten minutes after the start the true time becomes known.
    site.wall.withLock { $0 = noon + 600 }
    await fill(history, site, minutes: 6) { Double(100 + $0) }
    let rows = try await history.rows()
    #expect(rows.count == 16)
    #expect(rows.first?.summary == numbers(0, 1.5, 3, 4))
    let first = try #require(rows.first).time
    #expect(abs(first - Int64(noon * 1000)) <= 60_000)
  }

  @Test func theSizeIsKept() async throws {
    let site = try Site(size: 4 << 20, commit: .seconds(3600))
    let history = site.history()
    let points = (0..<100).map { PointDescriptor(name: "point_\($0)", unit: "W") }
    var random = SystemRandomNumberGenerator()
    for minute in 0..<60 * 100 {
      let items = points.map { Reading.Item($0, .number(Double.random(in: -1e6...1e6, using: &random))) }
      history.accept(Reading(device: meter, time: Int64((noon + Double(minute) * 60) * 1e9), items: items))
      site.pass(60)
      if minute % 60 == 59 {
        await history.tick()
        #expect(site.bytes <= 4 << 20)
      }
    }
    let status = history.status
    #expect(status.problem == nil)
    #expect(try #require(status.oldest) > Int64(noon * 1000))
    let rows = try await history.rows("point_0", noon + 60 * 60 * 99, noon + 60 * 60 * 100)
    #expect(rows.count == 60)
  }

  /// The second case damages the open file of a running host, which is larger than SQLite's cache.
  @Test(arguments: [false, true]) func aDamagedFileIsMovedAside(whileRunning: Bool) async throws {
    let site = try Site()
    var history = site.history()
    let points = (0..<200).map { PointDescriptor(name: "point_\($0)") }
    for minute in 0..<60 * 20 {
      let items = points.map { Reading.Item($0, .number(Double(minute) / 7)) }
      history.accept(Reading(device: meter, time: Int64(site.wall.withLock { $0 } * 1e9), items: items))
      site.pass(60)
      await history.tick()
    }
    if !whileRunning { await history.close() }
    #expect(site.bytes > 1 << 20)
    let handle = try #require(FileHandle(forUpdatingAtPath: site.file))
    // Everything but SQLite's own first line.
    try handle.seek(toOffset: 16)
    handle.write(Data(repeating: 0x5A, count: 1 << 20))
    try handle.close()
    if whileRunning { _ = try await history.rows("point_1") }
    if !whileRunning { history = site.history() }
    await fill(history, site, minutes: 30) { _ in 7 }
    #expect(site.asides.count == 1)
    #expect(try await history.rows().last?.summary == numbers(7, 8.5, 10, 4))
    #expect(history.status.problem == nil)
  }

  @Test func aFileOfALaterReleaseIsMovedAside() async throws {
    let site = try Site()
    do {
      let database = try Database(path: site.file, access: .readWrite)
      try database.execute("PRAGMA user_version = 99")
    }
    let history = site.history()
    await fill(history, site, minutes: 10) { _ in 7 }
    #expect(site.asides.count == 1)
    #expect(try await history.rows().count == 10)
  }

  @Test func aDiskThatTakesNothingKeepsTwoHoursInMemory() async throws {
    let site = try Site()
    // A folder is where the file should be.
    try FileManager.default.createDirectory(atPath: site.file, withIntermediateDirectories: false)
    let history = site.history()
    await fill(history, site, minutes: 200) { Double($0) }
    #expect(history.status.problem != nil)
    // What has not been handed over yet comes on top.
    #expect((120...125).contains(try await history.rows().count))
    try FileManager.default.removeItem(atPath: site.file)
    await fill(history, site, minutes: 10) { _ in 1 }
    #expect(history.status.problem == nil)
    await history.close()
    #expect(try await site.history().rows().count >= 120)
  }

  @Test func nothingIsKeptWhereItIsOff() async throws {
    let site = try Site(size: 0)
    let history = site.history()
    await fill(history, site, minutes: 10) { _ in 1 }
    await history.close()
    #expect(try await history.rows().isEmpty)
    #expect(!FileManager.default.fileExists(atPath: site.file))
  }

  @Test func aDeviceThatLeftKeepsItsPast() async throws {
    let site = try Site()
    let history = site.history()
    await fill(history, site, minutes: 3) { _ in 1 }
    await history.forget(meter)
    #expect(try await history.rows().count == 3)
    await history.close()
    #expect(try await site.history().rows().count == 3)
  }

  @Test func theFileIsForItsOwnerAlone() async throws {
    let site = try Site()
    let history = site.history()
    await history.tick()
    let mode = try FileManager.default.attributesOfItem(atPath: site.file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func answersAreJSON() async throws {
    let site = try Site()
    let history = site.history()
    let voltage = PointDescriptor(name: "voltage_l1", unit: "V", resolution: 0.1)
    for value in [230.1, 230.2, 230.4] {
      history.accept(reading(noon, Reading.Item(voltage, .number(value)), state("on\"off")))
    }
    let question = HistoryQuestion(device: meter, time: Int64(noon * 1000)..<Int64((noon + 60) * 1000), step: 1)
    let answer = try #require(try await history.answer(question))
    let json = try JSONValue(parsing: Array(answer.json.utf8))
    #expect(json["step"] == 60_000)
    let points = try #require(json["points"]?.array)
    #expect(points.map { $0["name"] } == ["state", "voltage_l1"])
    #expect(points.map { $0["kind"] } == ["state", "gauge"])
    #expect(points[0]["rows"] == [["ts": .integer(Int64(noon * 1000)), "value": "on\"off", "samples": 3]])
    #expect(
      points[1]["rows"] == [
        ["ts": .integer(Int64(noon * 1000)), "minimum": 230.1, "mean": 230.23, "maximum": 230.4, "samples": 3]
      ])
  }
}
