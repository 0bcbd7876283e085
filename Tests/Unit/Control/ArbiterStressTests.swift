// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import Testing

/// A full disk, and more requests than can be carried out at a time.
@Suite struct ArbiterStressTests {
  @Test func nothingIsSentWithoutARecordButWhatIsSafe() async {
    let site = await Site()
    _ = await site.arbiter.submit(site.set("1", .number(10)))
    site.journal.setFull(true)
    let response = await site.arbiter.submit(site.set("2", .number(20)))
    #expect(response.status == .failed)
    #expect(response.text?.contains("full") == true)
    #expect(await site.arbiter.submit(site.act("3", "unlock")).status == .failed)
    #expect(site.written() == [.number(10)])
    #expect(await site.arbiter.submit(site.set("4", nil)).status == .done)
    #expect(site.written() == [.number(10), .number(6)])
    #expect(site.log.all.filter { $0.hasPrefix("error") }.count == 1)
    site.journal.setFull(false)
    await site.advance(60)
    #expect(site.journal.open.isEmpty)
    #expect(await site.arbiter.submit(site.set("2", .number(20))).status == .done)
    #expect(site.log.all.filter { $0.hasPrefix("notice") }.count == 1)
  }

  @Test func anEndThatCouldNotBeRecordedIsAnsweredAgainFromMemory() async {
    let site = await Site()
    site.writer.answer { [journal = site.journal] _ in
      journal.setFull(true)
      return .done(nil)
    }
    let first = await site.arbiter.submit(site.set("1", .number(10)))
    #expect(first.status == .done)
    site.journal.setFull(false)
    #expect(await site.arbiter.submit(site.set("1", .number(10))) == first)
    #expect(site.writer.writes.count == 1)
  }

  @Test func writesToOnePointWaitForEachOtherOtherPointsDoNot() async {
    let site = await Site()
    site.writer.hold()
    async let first = site.arbiter.submit(site.set("1", .number(10)))
    await site.writer.arrived(1)
    async let second = site.arbiter.submit(site.set("2", .number(11)))
    async let other = site.arbiter.submit(site.set("3", battery, "power_setpoint", .number(5)))
    await site.writer.arrived(2)
    #expect(site.writer.writes.map(\.device) == [wallbox, battery])
    site.writer.resume()
    #expect(await [first, second, other].map(\.status) == [.done, .done, .done])
    #expect(site.written() == [.number(10), .number(11)])
  }

  @Test func aRequestWhoseTimePassedInTheQueueIsExpired() async {
    let site = await Site()
    site.writer.hold()
    async let first = site.arbiter.submit(site.set("1", .number(10), for: 600))
    await site.writer.arrived(1)
    async let second = site.arbiter.submit(site.set("2", .number(11), for: 5))
    while !site.journal.ids.contains("2") { await Task.yield() }
    site.time.advance(5)
    site.writer.resume()
    #expect(await first.status == .done)
    #expect(await second.status == .expired)
    #expect(site.written() == [.number(10)])
  }

  @Test func tooManyRequestsForOnePointFailInsteadOfFillingTheMemory() async {
    let site = await Site()
    site.writer.hold()
    let answers = await withTaskGroup { group in
      for number in 0..<100 { group.addTask { await site.arbiter.submit(site.set("\(number)", .number(10))) } }
      var answers: [CommandResponse.Status] = []
      // One is being written and 64 wait: 35 are answered although nothing moves.
      for _ in 0..<35 { answers.append(await group.next()!.status) }
      site.writer.resume()
      for await answer in group { answers.append(answer.status) }
      return answers
    }
    #expect(answers.prefix(35).allSatisfy { $0 == .failed })
    #expect(answers.dropFirst(35).allSatisfy { $0 == .done })
  }
}
