// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

struct JSONParsingTests {
  private func parse(_ text: String, depth: Int = 16) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), depth: depth)
  }

  @Test(
    arguments: [
      ("null", .null), ("true", .boolean(true)), ("7", .integer(7)), ("-9223372036854775808", .integer(.min)),
      ("0.5", .number(0.5)), ("1e3", .integer(1000)), (#""a\"[{\u00e9""#, .string("a\"[{é")), ("[]", .array([])),
      (#"{"a":[1,{"b":null}]}"#, .object(["a": .array([1, .object(["b": .null])])])),
    ] as [(String, JSONValue)])
  func readsWhatIsJSON(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "", " ", "{", "[1", "{\"a\":}", "nul", "01", "1e999", "-1e999", "\"a", "[1] x", "{'a':1}", "NaN", "Infinity",
    "\u{1}", "]", "]]]]][[[[[",
  ])
  func refusesWhatIsNot(text: String) {
    #expect(throws: JSONSyntaxError.self) { try parse(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0xFE, 0x22]) }
  }

  @Test func depthIsLimitedBeforeAnythingIsParsed() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(try parse(nested(16)) != .null)
    #expect(throws: JSONSyntaxError(description: "the JSON is nested deeper than 16 levels")) { try parse(nested(17)) }
    #expect(throws: JSONSyntaxError.self) { try parse(nested(1_000_000)) }
    #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    // Brackets in a text are none.
    #expect(try parse(#"["[[[[\"[[[[", 1]"#, depth: 1) == .array(["[[[[\"[[[[", 1]))
  }
}
