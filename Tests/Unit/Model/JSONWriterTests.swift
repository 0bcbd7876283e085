// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Foundation
import Testing

struct JSONWriterNumberTests {
  @Test(
    arguments: [
      (230.149, 0.1, "230.1"), (230.15, 0.1, "230.2"), (-230.149, 0.1, "-230.1"), (230, 0.1, "230"), (0.3, 0.1, "0.3"),
      (0.1 + 0.2, 0.1, "0.3"), (21.26, 0.5, "21.5"), (21.2, 0.5, "21"), (-0.3, 0.5, "-0.5"), (1.25, 0.25, "1.25"),
      (1.0006, 0.001, "1.001"), (-1.2344, 0.001, "-1.234"), (0.0004, 0.001, "0"), (4213, 10, "4210"),
      (4215, 10, "4220"),
      (-4213, 10, "-4210"), (7, 100, "0"), (4210.4, 1, "4210"), (6.2, 2.5, "5"), (6.3, 2.5, "7.5"),
      (123_456_789.123456, 0.000001, "123456789.123456"),
    ] as [(Double, Double, String)])
  func isRoundedToTheResolution(value: Double, resolution: Double, text: String) {
    #expect(JSONWriter.text(value, resolution: resolution) == text)
  }

  @Test(arguments: [0.1, 0.5, 0.001, 10, 0])
  func hasNoMinusZero(resolution: Double) {
    #expect(JSONWriter.text(-0.0, resolution: resolution) == "0")
    #expect(JSONWriter.text(-resolution / 4, resolution: resolution) == "0")
  }

  @Test(arguments: [0, 0.1, 10, -1, .nan, .infinity, 1e-300] as [Double])
  func whatIsNotFiniteIsNull(resolution: Double) {
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(JSONWriter.text(value, resolution: resolution) == "null")
      var writer = JSONWriter()
      writer.number(value, resolution: resolution)
      #expect(writer.text == "null")
    }
  }

  @Test(
    arguments: [
      1e300, -1e300, 1e16, 9.1e15, -9.1e15, .leastNonzeroMagnitude, 1.7976931348623157e308, 0.1, 1.0 / 3, 1e-7,
      123_456.789,
    ]
      as [Double])
  func withoutAResolutionItReadsBackTheSame(value: Double) throws {
    let text = JSONWriter.text(value, resolution: 0)
    // Foundation judges what JSON is, not our own reader.
    let parsed = try JSONSerialization.jsonObject(with: Data("[\(text)]".utf8)) as? [Double]
    #expect(parsed == [value])
  }

  @Test func wholeNumbersHaveNoFraction() {
    #expect(JSONWriter.text(5, resolution: 0) == "5")
    #expect(JSONWriter.text(-8_999_999_999_999_999, resolution: 0) == "-8999999999999999")
  }

  /// A number that the resolution cannot be applied to is written as it is, and is JSON.
  @Test(
    arguments: [1e300, -1e300, 1e18, 1.5e308] as [Double],
    [0.1, 0.5, 0.001, 10, 1e-10, 1e300, .infinity, .nan, -0.1] as [Double])
  func anyResolutionGivesJSON(value: Double, resolution: Double) throws {
    let text = JSONWriter.text(value, resolution: resolution)
    let parsed = try #require(try JSONSerialization.jsonObject(with: Data("[\(text)]".utf8)) as? [Double])
    #expect(abs(parsed[0] - value) <= abs(value) / 1e6 || resolution > abs(value))
  }

  /// Against arithmetic on decimal fractions, which knows no binary rounding.
  @Test(arguments: [0.1, 0.01, 0.001, 1, 10, 0.5, 0.25, 5])
  func agreesWithDecimalArithmetic(resolution: Double) throws {
    var random = SplitMix(seed: 7)
    let step = try #require(Decimal(string: "\(resolution)"))
    for _ in 0..<2000 {
      let units = Int64(random.next() % 2_000_001) - 1_000_000
      let exact = Decimal(units) * step
      // Anywhere well within half a step of the exact value.
      let offset = (Double(random.next() % 1000) / 1000 - 0.5) * 0.9 * resolution
      let value = Double(units) * resolution + offset
      #expect(JSONWriter.text(value, resolution: resolution) == "\(exact)", "\(value)")
    }
  }
}

struct JSONWriterTextTests {
  @Test(
    arguments: [
      ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("line\nnext", #""line\nnext""#),
      ("\r\t\u{0}\u{1F}", #""\u000d\u0009\u0000\u001f""#), ("Wärme °C m³ 電 🔌", #""Wärme °C m³ 電 🔌""#),
      ("\u{7F}\u{2028}", "\"\u{7F}\u{2028}\""), ("a/b", #""a/b""#),
    ])
  func escapes(text: String, json: String) throws {
    var writer = JSONWriter()
    writer.string(text)
    #expect(writer.text == json)
    let parsed = try JSONSerialization.jsonObject(with: Data("[\(writer.text)]".utf8)) as? [String]
    #expect(parsed?.first.map { Array($0.utf8) } == Array(text.utf8))
  }

  @Test func everyControlCharacterIsReadBackByFoundation() throws {
    let all = String(String.UnicodeScalarView((0..<0x250).compactMap(Unicode.Scalar.init)))
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(all)
    writer.string(all)
    writer.endObject()
    let parsed = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: String]
    #expect(parsed == [all: all])
  }

  @Test func putsCommas() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("a")
    writer.beginArray()
    writer.integer(.min)
    writer.boolean(false)
    writer.null()
    writer.beginArray()
    writer.endArray()
    writer.beginObject()
    writer.endObject()
    writer.endArray()
    writer.key("b")
    writer.value(.text("x"))
    writer.key("c")
    writer.value(.number(1.26), resolution: 0.1)
    writer.key("d")
    writer.raw("[1]")
    writer.endObject()
    #expect(writer.text == #"{"a":[-9223372036854775808,false,null,[],{}],"b":"x","c":1.3,"d":[1]}"#)
    writer.reset()
    writer.integer(1)
    #expect(writer.text == "1")
  }
}

/// The same numbers in every run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
