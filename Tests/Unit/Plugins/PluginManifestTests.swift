// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import Testing

struct PluginManifestTests {
  private static let good = """
    {"id": "org.example.line", "version": "1.0.0", "abi": {"major": 0, "minor": 1}, "title": "Line",
     "requires": ["busbar.stream/1"], "permissions": ["endpoint:tcp"], "something": {"new": [1]},
     "adapters": [{"id": "line-meter", "title": "Line meter", "endpoints": {"device": ["tcp", "serial"]},
                   "config": {"type": "object"}, "link": {"type": "object", "properties": {}}},
                  {"id": "other"}]}
    """

  private func mistake(_ text: [UInt8]) -> String? {
    do throws(PluginManifest.Failure) {
      _ = try PluginManifest(text)
      return nil
    } catch {
      return error.message
    }
  }

  @Test func readsAllThatItNeeds() throws {
    let manifest = try PluginManifest(Array(Self.good.utf8))
    #expect(manifest.id == "org.example.line")
    #expect(manifest.version == "1.0.0")
    #expect((manifest.major, manifest.minor) == (0, 1))
    #expect(manifest.requires == ["busbar.stream/1"])
    #expect(manifest.permissions == ["endpoint:tcp"])
    #expect(manifest.adapters.map(\.id) == ["line-meter", "other"])
    #expect(manifest.adapters.map(\.title) == ["Line meter", "other"])
    #expect(manifest.adapters[0].endpoints == ["device": ["tcp", "serial"]])
    #expect(manifest.adapters[0].deviceSchema == ["type": "object"])
    #expect(manifest.adapters[0].linkSchema == ["type": "object", "properties": [:]])
    #expect(manifest.adapters[0].templateSchema == nil)
    #expect(manifest.adapters[1].endpoints == [:])
  }

  @Test func fillingAfterTheTextIsLeftOut() throws {
    #expect(try PluginManifest(Array(Self.good.utf8) + [0, 0, 0xFF]).id == "org.example.line")
  }

  /// Each mistake with the word that the sentence has to have.
  @Test(
    arguments: [
      ("", "manifest"), ("{", "JSON"), ("[]", #""id""#), ("null", #""id""#),
      (#""id": "org.example.line""#, "JSON"),
      (Self.good.replacing("org.example.line", with: ""), #""id""#),
      (Self.good.replacing("org.example.line", with: "../../etc/passwd"), #""id""#),
      (Self.good.replacing("org.example.line", with: "org.exämple"), #""id""#),
      (Self.good.replacing("org.example.line", with: String(repeating: "x", count: 129)), #""id""#),
      (Self.good.replacing(#""org.example.line""#, with: "7"), #""id""#),
      (Self.good.replacing("1.0.0", with: ""), #""version""#),
      (Self.good.replacing("1.0.0", with: String(repeating: "1", count: 65)), #""version""#),
      (Self.good.replacing(#""1.0.0""#, with: "1.0"), #""version""#),
      (Self.good.replacing(#"{"major": 0, "minor": 1}"#, with: #""0.1""#), #""abi""#),
      (Self.good.replacing(#""minor": 1"#, with: #""minor": 1.5"#), #""abi""#),
      (Self.good.replacing(#""minor": 1"#, with: #""minor": "1""#), #""abi""#),
      (Self.good.replacing(#""id": "other""#, with: #""id": "line-meter""#), "twice"),
      (Self.good.replacing(#""id": "other""#, with: #""id": "a/b""#), "adapter"),
      (Self.good.replacing(#"{"id": "other"}"#, with: "7"), "adapter"),
      (Self.good.replacing("adapters", with: "adaptors"), "adapters"),
    ])
  func namesTheMistake(text: String, word: String) throws {
    let message = try #require(mistake(Array(text.utf8)))
    #expect(message.contains(word), "\(message)")
  }

  @Test func takesNoMoreThan64Adapters() {
    func manifest(_ count: Int) -> [UInt8] {
      let adapters = (0..<count).map { #"{"id": "a\#($0)"}"# }.joined(separator: ",")
      return Array(#"{"id": "x", "version": "1", "abi": {"major": 0, "minor": 1}, "adapters": [\#(adapters)]}"#.utf8)
    }
    #expect(mistake(manifest(64)) == nil)
    #expect(mistake(manifest(65)) != nil)
    #expect(mistake(manifest(0)) != nil)
  }

  @Test func deepNestingIsRefusedBeforeItIsParsed() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(mistake(Array(deep.utf8)) != nil)
    let closed = Self.good.replacing(#"{"type": "object"}"#, with: deep + String(repeating: "]", count: 100_000))
    #expect(mistake(Array(closed.utf8))?.contains("nested") == true)
  }

  @Test func textThatIsNoUTF8IsRefused() {
    #expect(mistake(Array(#"{"id": "x"#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)) != nil)
  }
}
