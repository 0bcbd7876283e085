// SPDX-License-Identifier: Apache-2.0

import PluginJSON
import Testing

@Suite struct PluginJSONTests {
  private func parse(_ text: String) -> JSON? { try? JSON(parsing: Array(text.utf8)) }

  @Test func values() {
    #expect(parse("null") == .null)
    #expect(parse(" [ true , false ] ") == [true, false])
    #expect(parse("-0") == 0)
    #expect(parse("9223372036854775807") == .integer(.max))
    #expect(parse("9223372036854775808") == .number(9223372036854775808))
    #expect(parse("1.5e3") == .number(1500))
    #expect(parse("\u{FEFF}{}") == [:])
    #expect(parse(#""\u00e9\ud83d\udd0c\/\b\f\n\r\t\"\\""#) == .string("é🔌/\u{8}\u{C}\n\r\t\"\\"))
    #expect(parse(#""\ud83dx\udd0c""#) == "\u{FFFD}x\u{FFFD}")
    #expect(parse(#""\ud83d\u0041""#) == "\u{FFFD}A")
  }

  @Test(arguments: [
    "", " ", "tru", "nul", "01", "-", "+1", "1.", ".5", "1e", "1e400", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}",
    "{\"a\":1,}", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "[", "]", "[[]", "{}{}", "1 1", "NaN", "Infinity",
    "'a'", "[1]x",
  ])
  func noJSON(_ text: String) {
    #expect(parse(text) == nil)
  }

  @Test func lastOfTheSameNameCounts() {
    #expect(parse(#"{"a":1,"a":2}"#)?["a"] == 2)
    var object: JSON = ["a": 1]
    object["b"] = "x"
    object["a"] = nil
    #expect(object == ["b": "x"])
  }

  @Test func writing() {
    #expect(JSON.number(5).text == "5")
    #expect(JSON.number(0.1).text == "0.1")
    #expect(JSON.number(1e300).text == "1e+300")
    #expect(JSON.number(.infinity).text == "null")
    #expect(JSON.object([JSON.Member("a\u{1}", "\u{7F}\n")]).text == #"{"a\u0001":"\u007f\n"}"#)
    #expect(JSON.object(["a": 1, "b": nil]).text == #"{"a":1}"#)
  }

  @Test func placesOfErrors() {
    #expect(throws: JSON.SyntaxError(kind: .unexpected, offset: 4)) { try JSON(parsing: Array("[1, x]".utf8)) }
    #expect(throws: JSON.SyntaxError(kind: .ended, offset: 2)) { try JSON(parsing: Array("[1".utf8)) }
    #expect(throws: JSON.SyntaxError(kind: .trailing, offset: 2)) { try JSON(parsing: Array("[]]".utf8)) }
  }
}
