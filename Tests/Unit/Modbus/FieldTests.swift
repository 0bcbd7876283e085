// SPDX-License-Identifier: Apache-2.0

import ModbusCodec
import Testing

@Suite struct FieldTests {
  struct Example: CustomTestStringConvertible, Sendable {
    var type: ValueType
    /// High register first; worked out with Python's struct.
    var words: [UInt16]
    var value: Double
    var testDescription: String { "\(type.rawValue) \(value)" }
  }

  static let examples: [Example] = [
    Example(type: .int16, words: [0x8000], value: -32_768),
    Example(type: .int16, words: [0xFFD1], value: -47),
    Example(type: .uint16, words: [0xFFFF], value: 65_535),
    Example(type: .int32, words: [0x8000, 0x0000], value: -2_147_483_648),
    Example(type: .int32, words: [0x0001, 0x86A0], value: 100_000),
    Example(type: .uint32, words: [0xB2D0, 0x5E00], value: 3_000_000_000),
    Example(type: .int64, words: [0xFFFF, 0xFFE3, 0x4166, 0xE5EC], value: -123_456_789_012),
    Example(type: .uint64, words: [0x0000, 0x7048, 0x860D, 0xDF79], value: 123_456_789_012_345),
    Example(type: .float32, words: [0xC367, 0x4000], value: -231.25),
    Example(type: .float32, words: [0x0000, 0x0000], value: 0),
    Example(type: .float64, words: [0x406C, 0xE666, 0x6666, 0x6666], value: 231.2),
  ]

  @Test(arguments: examples, WordOrder.allCases) func bothWays(example: Example, order: WordOrder) {
    let words = order == .highFirst ? example.words : example.words.reversed()
    let field = Field(Address(.holding, 0), example.type, order: order)
    #expect(field.count == example.words.count)
    #expect(field.decode(words[...]) == .number(example.value))
    #expect(field.encode(example.value) == words)
  }

  @Test(arguments: examples, WordOrder.allCases) func patternsWithoutValue(example: Example, order: WordOrder) {
    let words = order == .highFirst ? example.words : example.words.reversed()
    let bits = example.words.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    let field = Field(Address(.holding, 0), example.type, order: order, nan: [0x1234, bits])
    #expect(field.decode(words[...]) == .none)
    #expect(field.code(words[...]) == nil)
  }

  @Test(arguments: [
    (ValueType.float32, [0x7FC0, 0] as [UInt16]), (.float32, [0x7F80, 0]), (.float32, [0xFF80, 0]),
    (.float32, [0xFFFF, 0xFFFF]),
    (.float64, [0x7FF8, 0, 0, 0]), (.float64, [0xFFF0, 0, 0, 0]),
  ]) func floatsThatAreNoNumber(type: ValueType, words: [UInt16]) {
    #expect(Field(Address(.input, 0), type).decode(words[...]) == .none)
  }

  /// The nearest double to the decimal number, not one beside it.
  @Test(arguments: [
    (0.1, 2_312.0, 231.2), (0.01, 5_001, 50.01), (0.001, -998, -0.998), (0.001, 10_612, 10.612),
    (0.0001, 123_457, 12.3457),
    (-0.1, 40, -4), (10, 1_250_123, 12_501_230), (0.06, 500, 30), (0.5, 7, 3.5), (-1, -25, 25),
    (1_000_000, 41, 41_000_000),
  ]) func scales(scale: Double, raw: Double, value: Double) {
    let scale = Scale(scale)
    #expect(scale.apply(raw) == value)
    #expect(scale.undo(value).rounded() == raw)
  }

  @Test func offset() {
    let field = Field(Address(.holding, 0), .int16, scale: 0.1, offset: -40)
    #expect(field.decode([610]) == .number(21))
    #expect(field.encode(21) == [610])
  }

  @Test(arguments: [
    (ValueType.int16, 32_768.0), (.int16, -32_769), (.uint16, -1), (.uint16, 65_536), (.int32, 2_147_483_648),
    (.uint32, -1),
    (.uint32, 4_294_967_296), (.int64, 1e19), (.uint64, -1), (.uint64, 1e20), (.float32, 1e39), (.float64, .infinity),
    (.int16, .nan), (.string, 1),
  ]) func whatDoesNotFit(type: ValueType, value: Double) {
    #expect(Field(Address(.holding, 0), type, count: 2).encode(value) == nil)
  }

  @Test func codes() {
    var field = Field(Address(.holding, 0), .uint16)
    field.mask = 0x0F00
    #expect(field.code([0xA2C3]) == 0x0200)
    #expect(Field(Address(.holding, 0), .int16).code([0xFFFF]) == -1)
    #expect(Field(Address(.holding, 0), .uint32).code([0x8000, 1]) == 0x8000_0001)
  }

  @Test(arguments: [
    ([0x5600, 0x4141] as [UInt16], "V"), ([0x2041, 0x4220], "AB"), ([0x4142, 0x4344], "ABCD"),
    ([0x410A, 0x4200], "A B"),
    ([0x4142, 0xFFFF], "AB"),
  ]) func texts(words: [UInt16], text: String) {
    #expect(Field(Address(.holding, 0), .string, count: 2).decode(words[...]) == .text(text))
  }

  @Test(arguments: [[0, 0], [0x2020, 0x2020], [0xFFFF, 0xFFFF]] as [[UInt16]]) func emptyTexts(words: [UInt16]) {
    #expect(Field(Address(.holding, 0), .string, count: 2).decode(words[...]) == .none)
  }

  @Test func textsAreCutToTheirRegisters() {
    let field = Field(Address(.holding, 0), .string, count: 2)
    #expect(field.encode(text: "ABCDEF") == [0x4142, 0x4344])
    #expect(field.encode(text: "A") == [0x4100, 0])
  }

  @Test func identities() {
    #expect(Field(Address(.holding, 0), .uint32).identity([0xB2E3, 0x3487], [:]) == "3001234567")
    #expect(Field(Address(.holding, 0), .uint16).identity([390], [390: "WPM3"]) == "WPM3")
    #expect(Field(Address(.holding, 0), .uint16, nan: [0xFFFF]).identity([0xFFFF], [:]) == "")
  }

  @Test func randomRegisters() {
    var random = SplitMix(state: 7)
    for _ in 0..<200_000 {
      let type = ValueType.allCases[Int(random.next() % 9)]
      let field = Field(
        Address(.holding, 0), type, count: 3, order: random.next() % 2 == 0 ? .highFirst : .lowFirst, scale: 0.1)
      let words = (0..<field.count).map { _ in UInt16(truncatingIfNeeded: random.next()) }
      if case .number(let number) = field.decode(words[...]) { #expect(number.isFinite) }
      _ = field.code(words[...])
    }
  }
}
