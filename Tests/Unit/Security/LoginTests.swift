// SPDX-License-Identifier: Apache-2.0

import BusbarOpenSSL
import BusbarSecurity
import Testing

private let second: Int64 = 1_000_000_000

struct LoginTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func aPasswordIsJudgedAndNotKept() throws {
    let record = try PasswordRecord(bytes("correct-horse"))
    #expect(try PasswordRecord(bytes("correct-horse")) != record, "each has its own salt")
    #expect(PasswordRecord(bytes: record.bytes) == record)
    #expect("\(record)" == "a password")
    let desk = try LoginDesk()
    #expect(desk.judge(bytes("correct-horse"), of: record, name: "a", address: "x") == .right)
    #expect(desk.judge(bytes("correct-horse"), of: record, name: "a", address: "x") == .right)
    #expect(desk.judge(bytes("correct-hors"), of: record, name: "a", address: "x") == .wrong(1))
    #expect(desk.judge(bytes("Correct-horse"), of: record, name: "a", address: "x") == .wrong(2))
    #expect(desk.judge(bytes("correct-horse"), of: record, name: "a", address: "x") == .right)
  }

  @Test func aChangedRecordCountsAtOnce() throws {
    let (old, new) = (try PasswordRecord(bytes("password-one")), try PasswordRecord(bytes("password-two")))
    let desk = try LoginDesk()
    #expect(desk.judge(bytes("password-one"), of: old, name: "a", address: "x") == .right)
    #expect(desk.judge(bytes("password-one"), of: new, name: "a", address: "x") == .wrong(1))
    #expect(desk.judge(bytes("password-two"), of: new, name: "a", address: "x") == .right)
  }

  @Test func lengthsAreBounded() {
    for count in [0, 7, 129] {
      #expect(throws: SecurityError.self) { try PasswordRecord([UInt8](repeating: 0x61, count: count)) }
    }
    for rubbish in [[], [1], [UInt8](repeating: 1, count: 48), [UInt8](repeating: 0, count: 49)] {
      #expect(PasswordRecord(bytes: rubbish) == nil)
    }
  }

  @Test func whoGuessesIsNotLookedAtForLongerAndLonger() throws {
    let desk = try LoginDesk()
    let record = try PasswordRecord(bytes("correct-horse"))
    // Each wrong one that is looked at makes the pause longer, so that one comes into it at last, however slow the machine is.
    let verdicts = (0..<40).map { _ in desk.judge(bytes("wrong-horse-x"), of: record, name: "a", address: "x") }
    #expect(verdicts.prefix(AttemptLimit.free).elementsEqual((1...AttemptLimit.free).map { .wrong($0) }))
    #expect(verdicts.contains(.tooMany))
    #expect(desk.judge(bytes("correct-horse"), of: record, name: "b", address: "y") == .right)

    var limit = AttemptLimit()
    for _ in 0..<AttemptLimit.free { limit.wrong("a", now: 0) }
    #expect(limit.admits("a", now: 0))
    limit.wrong("a", now: 0)
    #expect(!limit.admits("a", now: second - 1) && limit.admits("a", now: second))
    limit.wrong("a", now: second)
    #expect(!limit.admits("a", now: 3 * second - 1) && limit.admits("a", now: 3 * second))
    for _ in 0..<40 { limit.wrong("a", now: 3 * second) }
    #expect(limit.admits("a", now: (3 + AttemptLimit.longestPause) * second))
    limit.right("a")
    #expect(limit.admits("a", now: 0))
  }

  @Test func namesThatAreRememberedAreBounded() {
    var limit = AttemptLimit()
    for _ in 0...AttemptLimit.free { limit.wrong("first", now: 0) }
    for number in 0..<AttemptLimit.names { limit.wrong("\(number)", now: 1) }
    #expect(limit.admits("first", now: 1))
  }
}
