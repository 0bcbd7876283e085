// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import Testing

struct CommandWordsTests {
  @Test(
    arguments: [
      ("3000", .integer(3000)), ("-5", .integer(-5)), ("0.5", .number(0.5)), ("1e3", .number(1000)),
      ("true", .boolean(true)),
      ("false", .boolean(false)), ("null", .null), ("auto", .string("auto")), ("", .string("")),
      ("12:30", .string("12:30")),
      ("nan", .string("nan")), ("inf", .string("inf")), ("0x10", .string("0x10")), ("1e999", .string("1e999")),
      ("-", .string("-")), ("04A1", .string("04A1")),
    ] as [(String, JSONValue)])
  func valueHasTheTypeThatItLooksLike(text: String, value: JSONValue) {
    #expect(CommandWords.value(text) == value)
  }

  /// What is not the same when it is read as a number may be the tag of a card.
  @Test(arguments: [
    ("1", .integer(1)), ("0.5", .number(0.5)), ("-12.25", .number(-12.25)), ("true", .boolean(true)), ("04123456", .string("04123456")),
    ("1234E5", .string("1234E5")), ("+5", .string("+5")), ("00.5", .string("00.5")),
    ("12345678901234567890", .string("12345678901234567890")), ("0", .integer(0)),
  ] as [(String, JSONValue)])
  func argumentsOfActionsKeepWhatTheySay(text: String, value: JSONValue) throws {
    #expect(try CommandWords(["charge.start", "tag=\(text)"]) == .action(name: "charge.start", arguments: ["tag": value]))
  }

  @Test func pointOrAction() throws {
    #expect(try CommandWords(["power_limit=3000"]) == .set(point: "power_limit", value: .integer(3000)))
    #expect(try CommandWords(["mode=null"]) == .set(point: "mode", value: .null))
    #expect(try CommandWords(["name=a=b"]) == .set(point: "name", value: .string("a=b")))
    #expect(try CommandWords(["reset"]) == .action(name: "reset", arguments: [:]))
    #expect(
      try CommandWords(["charge.start", "connector=1", "tag=x"])
        == .action(name: "charge.start", arguments: ["connector": 1, "tag": "x"]))
  }

  @Test(arguments: [[], ["a=1", "b=2"], ["=1"], ["reset", "connector"], ["reset", "a=1", "a=2"]])
  func mistakes(words: [String]) {
    #expect(throws: CommandWords.Mistake.self) { try CommandWords(words) }
  }

  @Test func valuesAgreeAsFarAsThePointCanTell() {
    #expect(CommandWords.agree(3001, 3000, resolution: 1))
    #expect(!CommandWords.agree(3002, 3000, resolution: 1))
    #expect(CommandWords.agree(0.3, .number(0.1 + 0.2), resolution: 0))
    #expect(CommandWords.agree("auto", "auto", resolution: 0))
    #expect(!CommandWords.agree("auto", "hold", resolution: 0))
    #expect(!CommandWords.agree(1, "1", resolution: 0))
  }

  @Test func outcomeIsAFailureUnlessItWasTaken() {
    for status in CommandResponse.Status.allCases {
      let response = CommandResponse(id: "a", time: 1, status: status)
      #expect((CommandOutcome(response.json, dryRun: false).failure == nil) == (status == .done || status == .accepted))
    }
    let response = CommandResponse(
      id: "a", time: 1, status: .refused, reason: .overruled, by: "ems-1", until: 0, text: "a higher priority holds")
    #expect(
      CommandOutcome(response.json, dryRun: false).failure
        == "refused (overruled) by ems-1 until 1970-01-01T00:00:00.000Z: a higher priority holds")
  }
}
