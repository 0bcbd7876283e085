// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

/// Files that nobody means well with: refused with a sentence, in bounded time and memory.
@Suite struct HostileFileTests {
  let folder = Folder()

  private func load(_ data: Data) -> [String] {
    let file = folder.write("busbar.yaml", data)
    let (configuration, found) = ConfigurationLoader.load(
      file: file, manifests: Fixture.manifests, environment: Fixture.environment)
    #expect((configuration == nil) == found.contains { $0.severity == .error })
    return found.map { $0.description.replacing(folder.path + "/", with: "") }
  }

  private func load(_ text: String) -> [String] { load(Data(text.utf8)) }

  @Test func aFileThatIsNotThere() {
    let found = ConfigurationLoader.load(file: "/nonexistent/busbar.yaml", environment: Fixture.environment).1
    #expect(
      found.map(\.description) == [
        "/nonexistent/busbar.yaml: there is no such file; make one, such as \"devices: []\", or name another with --config FILE"
      ])
  }

  @Test func aDirectoryAndADevice() {
    for file in ["/tmp", "/dev/zero"] {
      let found = ConfigurationLoader.load(file: file, environment: Fixture.environment).1
      #expect(found.map(\.description) == ["\(file): this is not a regular file"])
    }
  }

  @Test func moreThanAMebibyte() {
    #expect(
      load(Data(repeating: 0x20, count: (1 << 20) + 1)) == [
        "busbar.yaml: the file has 1048577 bytes; expected at most 1 MiB"
      ])
    #expect(load(Data(repeating: 0x20, count: 1 << 20)) == [])
  }

  @Test func notText() {
    #expect(
      load(Data("host: {}\nx: é \u{fffe}".utf8) + [0xC3, 0x28]) == [
        "busbar.yaml:2:7: the file is not UTF-8; expected a text file in UTF-8"
      ])
    #expect(
      load(Data([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0])) == [
        "busbar.yaml:1:1: a control character (byte 127); expected readable text"
      ])
    #expect(load("host:\n  id: \u{0}") == ["busbar.yaml:2:7: a control character (byte 0); expected readable text"])
  }

  @Test func aByteOrderMarkAndOtherLineEnds() {
    #expect(load("\u{FEFF}host: { id: a }\r\nbufer: {}\r\n").map { $0.prefix(16) } == ["busbar.yaml:2:1:"])
  }

  @Test func aliasesThatMultiply() {
    var text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (name, other) in zip("bcdefghij", "abcdefghi") {
      text += "\(name): &\(name) [\(Array(repeating: "*\(other)", count: 9).joined(separator: ", "))]\n"
    }
    let found = load(text)
    #expect(
      found.count == 1
        && found[0].hasSuffix("the file holds too many values; expected at most 100000, aliases counted in full"))
  }

  @Test(arguments: [
    "? *j\n: 1\n", "{ *j : 1 }\n", "x: { [*j, *j]: 1 }\n", "? [*j]\n: 1\n", "!!map ? *j\n", "- ? *j\n",
    "x: { ?*j : 1 }\n",
  ])
  func aliasesThatMultiplyInKeys(key: String) {
    var text = "- &a [x, x, x, x, x, x, x, x, x]\n"
    for (name, other) in zip("bcdefghij", "abcdefghi") {
      text += "- &\(name) [\(Array(repeating: "*\(other)", count: 9).joined(separator: ", "))]\n"
    }
    let found = load(text + "- " + key)
    #expect(
      found.count == 1 && found[0].hasSuffix("a key that is a list, a map or an alias; expected a key that is a text"))
  }

  @Test func fewAliasesAndMergesWork() throws {
    let file = folder.write(
      "busbar.yaml",
      """
      host: { id: a }
      devices:
        - &first { id: one, adapter: line-meter, endpoint: "tcp://10.0.0.1:7000", poll: 5s }
        - { <<: *first, id: two, endpoint: "tcp://10.0.0.2:7000" }
        - { <<: [{ poll: 1s }, *first], id: three, write: false }
      """)
    let (loaded, found) = ConfigurationLoader.load(file: file, environment: Fixture.environment)
    #expect(found == [])
    let devices = try #require(loaded).devices
    #expect(devices.map { $0.key }.sorted() == ["one", "three", "two"])
    #expect(devices.first { $0.key == "two" }?.link == "line-meter-10.0.0.2-7000")
    #expect(devices.first { $0.key == "three" }?.poll.period == .seconds(1))
  }

  @Test func nesting() {
    #expect(
      load(String(repeating: "[", count: 1 << 19)) == [
        "busbar.yaml:1:101: too many brackets are open; expected at most 32 levels"
      ])
    let block = (0..<700).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(load(block).allSatisfy { $0.contains("nested too deep") })
    #expect(load(String(repeating: "- ", count: 200_000)).allSatisfy { $0.contains("nested too deep") })
    #expect(load(String(repeating: "? ", count: 200_000)).allSatisfy { $0.contains("a key that is a list") })
  }

  @Test func manyValues() {
    #expect(load("[" + String(repeating: ",a", count: 400_000) + "]").allSatisfy { $0.contains("too many entries") })
    #expect(load(String(repeating: "a\n", count: 100_000)).count == 1)
    let found = load("devices: [" + String(repeating: "1,", count: 120_000) + "]")
    #expect(found.count == 1 && found[0].contains("too many values"))
  }

  @Test func mistakesWithoutEndAreCutOff() {
    let found = load((0..<5000).map { "key\($0): 1\n" }.joined())
    #expect(found.count == 501)
    #expect(found.contains("busbar.yaml: more than 500 mistakes, the rest is not listed"))
  }

  @Test func keysThatAreManyTimesThere() {
    let found = load(String(repeating: "host: {}\n", count: 5))
    #expect(found.count == 4 && found.allSatisfy { $0.contains("host: the key is there twice, first in line 1") })
    #expect(load(String(repeating: "host: {}\n", count: 60)).count == 1)
    #expect(
      load("\"host\": {}\n'host': {}\n").first?.hasPrefix("busbar.yaml:2:1: host: the key is there twice") == true)
    #expect(load("&x host: {}\nhost: {}\n").first?.contains("host: the key is there twice") == true)
  }

  /// Random changes of a good file: any answer is good, none may end the process, and an answer is always there.
  @Test func mutations() throws {
    var random = SeededGenerator(seed: 20_261)
    let good = Array(
      try ExampleTests().text.replacing("/usr/share/busbar/templates", with: "\(Fixture.cases)/_shared/templates").utf8)
    let parts = [
      "{", "}", "[", "]", ": ", "- ", "\n", "  ", "\t", "\"", "'", "&a", "*a", "<<: ", "!!int ", "? ", "|\n", ">\n",
      "#", "~",
      "99999999999999999999", "-1", "0x", "\u{0}", "\u{FFFD}", "é", "---\n", "%", "@", "`",
    ].map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
        case 2: bytes.insert(contentsOf: parts.randomElement(using: &random) ?? [], at: place)
        case 3:
          bytes.insert(
            contentsOf: bytes[place..<min(bytes.count, place + 60)], at: Int.random(in: 0..<bytes.count, using: &random)
          )
        default: bytes[place] = bytes.randomElement(using: &random) ?? 0x20
        }
        if bytes.isEmpty { bytes = good }
      }
      let found = load(Data(bytes))
      if !found.isEmpty { refused += 1 }
      #expect(found.allSatisfy { $0.hasPrefix("busbar.yaml") || $0.contains("templates/") })
    }
    // Most changes of a strict file are mistakes; if few are found the loader looks away.
    #expect(refused > 1000)
  }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
