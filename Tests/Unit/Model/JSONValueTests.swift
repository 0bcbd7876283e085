// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Foundation
import Testing

struct JSONValueTests {
  private static let values: [JSONValue] = [
    .null, true, false, 0, -1, .integer(.max), .integer(.min), 0.5, -1.25e-7, 1e300, "", "a\"\\\n\u{1}°", [],
    [1, [2, [3]]],
    [:], ["b": 1, "a": ["c": .null, "d": [true, "x"]]],
  ]

  @Test(arguments: values)
  func whatIsWrittenIsReadTheSame(value: JSONValue) throws {
    #expect(try JSONValue(parsing: Array(value.text.utf8)) == value)
  }

  @Test(arguments: values)
  func goesThroughCodable(value: JSONValue) throws {
    let data = try JSONEncoder().encode([value])
    #expect(try JSONDecoder().decode([JSONValue].self, from: data) == [value])
  }

  @Test func keysAreInOrder() {
    #expect((["b": 1, "a": 2, "ä": 3, "A": 4] as JSONValue).text == #"{"A":4,"a":2,"b":1,"ä":3}"#)
  }

  @Test func integerIsWholeNumbersOnly() throws {
    #expect(try JSONValue(parsing: Array("5.0".utf8)).integer == 5)
    #expect(JSONValue.number(5).integer == 5)
    #expect(JSONValue.number(5.5).integer == nil)
    #expect(JSONValue.number(1e300).integer == nil)
    #expect(JSONValue.string("5").integer == nil)
    #expect(try JSONValue(parsing: Array("18446744073709551616".utf8)) == .number(18_446_744_073_709_551_616))
  }

  @Test func flagsAndNumbersAreKeptApart() throws {
    #expect(try JSONValue(parsing: Array("[true,1,0,false]".utf8)) == [true, 1, 0, false])
    #expect(JSONValue.boolean(true).number == nil)
    #expect(JSONValue.integer(1).boolean == nil)
  }

  @Test func notANumberIsNull() {
    #expect(JSONValue.array([.number(.nan), .number(.infinity)]).text == "[null,null]")
  }

  @Test func lookUpOfWhatIsNotThereIsNil() {
    #expect((["a": 1] as JSONValue)["b"] == nil)
    #expect((["a"] as JSONValue)["a"] == nil)
  }

  @Test(
    arguments: [(.number(0.5), 0.5), (.integer(7), 7), (.boolean(true), 1), (.text("7"), nil)] as [(Value, Double?)])
  func valuesBecomeJSONAndBack(value: Value, number: Double?) {
    #expect(Value(json: value.json) == value)
    #expect(value.number == number)
    #expect(Value(json: .null) == nil)
    #expect(Value(json: [1]) == nil)
    #expect(Value(json: ["a": 1]) == nil)
  }
}
