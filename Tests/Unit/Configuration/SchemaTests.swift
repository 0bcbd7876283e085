// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

/// The schema checker through a device's config, as adapters use it.
@Suite struct SchemaTests {
  /// The config as the adapter gets it, and what is wrong, without file and key's first part.
  private func check(_ config: String, _ schema: JSONValue) -> (JSONValue?, [String]) {
    var manifest = Fixture.modbus
    manifest.deviceSchema = schema
    manifest.templateSchema = nil
    let text =
      "host: { id: a }\ndevices:\n- id: d\n  adapter: modbus\n  endpoint: tcp://a:1\n  config:\n"
      + config.split(separator: "\n").map { "    \($0)\n" }.joined()
    let (configuration, found) = Fixture.load(text, manifests: [manifest])
    let words = found.map {
      "\($0.line - 6):\($0.column - 4) \($0.key.replacing("devices[0].config", with: "")) \($0.message)|\($0.expectation ?? "")"
    }
    return (configuration?.devices.first?.config, words)
  }

  private func object(_ properties: JSONValue, _ more: [String: JSONValue] = [:]) -> JSONValue {
    .object(["type": "object", "properties": properties].merging(more) { $1 })
  }

  @Test func scalarsAreTypedByTheCoreSchema() {
    let (value, found) = check(
      """
      a: 0x34
      b: 0o17
      c: "12"
      d: 1.5e3
      e: ~
      f: on
      g: -7
      h: 2026-11-22
      i: 1_000
      j: .5
      k: 007
      l: 5.
      m: True
      n: 12:30
      o: !!str 5
      p: '0x1'
      q: .inf
      r: 0x
      s: +
      t: 1e999
      """, ["type": "object"])
    #expect(found == [])
    #expect(
      value == [
        "a": 52, "b": 15, "c": "12", "d": 1500.0, "e": .null, "f": "on", "g": -7, "h": "2026-11-22", "i": "1_000",
        "j": 0.5, "k": 7,
        "l": 5.0, "m": true, "n": "12:30", "o": "5", "p": "0x1", "q": ".inf", "r": "0x", "s": "+", "t": "1e999",
      ])
  }

  @Test func keysStayTexts() {
    #expect(check("303: off\n0x10: x\ntrue: y", ["type": "object"]).0 == ["303": "off", "0x10": "x", "true": "y"])
  }

  @Test func defaults() {
    let schema = object([
      "unit": ["type": "integer", "default": 1], "list": ["type": "array", "default": [1, 2]],
      "inner": ["type": "object", "properties": ["x": ["default": "y"]]],
    ])
    #expect(check("inner: {}", schema).0 == ["unit": 1, "list": [1, 2], "inner": ["x": "y"]])
    #expect(check("unit: 5.0", schema).0 == ["unit": 5, "list": [1, 2]])
  }

  @Test(
    arguments: [
      ("a: 5", ["type": "string"], "1:4 .a found the number 5|a text"),
      ("a: \"5\"", ["type": "integer"], "1:4 .a found the text \"5\"|a whole number"),
      (
        "a: 5.5", ["type": "integer", "minimum": 1, "maximum": 9],
        "1:4 .a found the number 5.5|a whole number from 1 to 9"
      ),
      ("a: 0", ["type": "integer", "minimum": 1], "1:4 .a found the number 0|a whole number from 1"),
      ("a: 10.5", ["type": "number", "maximum": 10], "1:4 .a found the number 10.5|a number up to 10"),
      ("a: off", ["type": "boolean"], "1:4 .a found the text \"off\"|true or false"),
      ("a: mark", ["enum": ["none", "even", 3, "3"]], "1:4 .a found the text \"mark\"|none, even, 3 or \"3\""),
      ("a: 2", ["const": 1], "1:4 .a found the number 2|1"),
      ("a: x1", ["type": "string", "pattern": "^[0-9]+$"], "1:4 .a found the text \"x1\"|a text like ^[0-9]+$"),
      ("a: [1]", ["type": "array", "minItems": 2], "1:4 .a found a list of 1|a list of at least 2"),
      ("a: [1, 2, 3]", ["type": "array", "maxItems": 2], "1:4 .a found a list of 3|a list of at most 2"),
      ("a: [1, x]", ["type": "array", "items": ["type": "integer"]], "1:8 .a[1] found the text \"x\"|a whole number"),
      ("a: 1", ["type": ["string", "object"]], "1:4 .a found the number 1|a text or a map"),
      (
        "a: { c: 1 }", ["type": "object", "required": ["b"], "properties": ["b": ["type": "integer"]]],
        "1:4 .a.b the key is missing|a whole number"
      ),
      (
        "a: { c: 1 }", ["type": "object", "additionalProperties": ["type": "string"]],
        "1:9 .a.c found the number 1|a text"
      ),
      (
        "a: { bx: 1 }", ["type": "object", "additionalProperties": false, "patternProperties": ["^[0-9]+$": [:]]],
        "1:6 .a.bx unknown key|names like ^[0-9]+$"
      ),
      (
        "a: { 12: 1 }", ["type": "object", "patternProperties": ["^[0-9]+$": ["type": "string"]]],
        "1:10 .a.12 found the number 1|a text"
      ),
      ("a: 1", ["anyOf": [["type": "string"], ["type": "object"]]], "1:4 .a found the number 1|a text or a map"),
      (
        "a: { b: 1 }", ["anyOf": [["type": "string"], ["type": "object", "properties": ["b": ["type": "string"]]]]],
        "1:9 .a.b found the number 1|a text"
      ),
      ("a: hunter2", ["type": "integer", "x-secret": true], "1:4 .a the value has the wrong type|a whole number"),
      ("a: hunter2", ["enum": ["x"], "x-secret": true], "1:4 .a the value does not fit|x"),
      ("a: 1", false, "1:4 .a nothing may stand here|"),
    ] as [(String, JSONValue, String)])
  func mistakes(config: String, schema: JSONValue, expected: String) {
    #expect(check(config, object(["a": schema])).1 == [expected])
  }

  @Test func choicesThatFit() {
    let schema = object([
      "a": ["anyOf": [["type": "string"], ["type": "object", "properties": ["b": ["default": 7]]]]]
    ])
    #expect(check("a: x", schema).0 == ["a": "x"])
    #expect(check("a: {}", schema).0 == ["a": ["b": 7]])
  }

  @Test func everyMistakeIsFound() {
    let schema = object(
      ["a": ["type": "integer"], "b": ["type": "string"]], ["additionalProperties": false, "required": ["c"]])
    #expect(check("a: x\nb: 1\nd: 1", schema).1.count == 4)
  }

  @Test func aSchemaThatIsNonsenseDoesNoHarm() {
    var deep: JSONValue = ["type": "string"]
    for _ in 0..<100 { deep = ["anyOf": [deep, deep]] }
    #expect(check("a: 1", object(["a": deep])).1.count == 1)
    for schema: JSONValue in [
      ["type": 5], ["type": []], ["enum": "x"], ["properties": 1], ["required": [1]], ["pattern": "("], ["anyOf": []],
      7, .null,
    ] { #expect(check("a: 1", schema).0 != nil) }
    let (value, found) = check("a: x", object(["a": ["pattern": "(x"]]))
    #expect(
      value == ["a": "x"] && found == ["1:4 .a the adapter's pattern for this value cannot be used, it is not checked|"]
    )
  }

  @Test(arguments: [
    ("^a+$", "aaa", true), ("^a+$", "aab", false), ("b", "abc", true), ("^(?:ab|cd)*$", "abcdab", true),
    ("^(ab|cd)?$", "abcd", false),
    ("^[^0-9]{2,3}$", "abcd", false), ("^[^0-9]{2,3}$", "abc", true), ("^\\d{3}-\\w+\\.x$", "123-ab_9.x", true),
    ("^a{2,}$", "a", false),
    ("^a{2}$", "aa", true), ("^a.c$", "a\nc", false), ("^[a\\-z]+$", "-az", true), ("^[\\d.]+$", "1.2", true),
    ("^$", "", true), ("", "x", true),
    ("^[A-Fa-f0-9]{8}$", "0aF91234", true), ("^a*?b$", "aab", true), ("x|^y$", "zy", false), ("^é$", "é", true),
    ("^[]a]$", "a", false),
  ])
  func patterns(pattern: String, text: String, fits: Bool) throws {
    let config = "a: \"\(text.replacing("\n", with: "\\n"))\""
    #expect(check(config, object(["a": ["type": "string", "pattern": .string(pattern)]])).1.isEmpty == fits)
    // The standard library's engine is the judge.
    if pattern != "^[]a]$" { #expect((try Regex(pattern).firstMatch(in: text) != nil) == fits) }
  }

  @Test(arguments: [
    "(", ")", "a**", "[a", "[b-a]", "a{3,1}", "a{x", "\\", "(?=a)", "\\1", "*a", "((((a{99}){99}){99}){99})",
    "((){9999}){9999}",
    String(repeating: "a", count: 300), String(repeating: "(", count: 100) + String(repeating: ")", count: 100),
  ])
  func patternsThatCannotBeUsed(pattern: String) {
    #expect(
      check("a: x", object(["a": ["pattern": .string(pattern)]])).1.map { $0.contains("cannot be used") } == [true])
  }

  @Test func aPatternThatExplodesElsewhereIsQuick() {
    let text = String(repeating: "a", count: 3000) + "!"
    #expect(check("a: \(text)", object(["a": ["pattern": "^(a+)+$"]])).1.count == 1)
    #expect(
      check("a: \(text)", object(["a": ["pattern": .string("^" + String(repeating: "a*", count: 100) + "$")]])).1.count
        == 1)
  }
}
