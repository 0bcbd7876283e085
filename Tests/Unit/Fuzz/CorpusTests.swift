// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzTargets
import Testing

/// Inputs that reached some code or once ended the process; `Tests/Fuzz/run` looks for new ones.
@Suite struct CorpusTests {
  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fuzz/Corpus").standardizedFileURL

  @Test(arguments: FuzzTarget.allCases)
  func replay(_ target: FuzzTarget) throws {
    let folder = Self.corpus.appending(path: target.rawValue)
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files.sorted(by: { $0.path < $1.path }) { target.run([UInt8](try Data(contentsOf: file))) }
  }

  /// Each input cut short and with bits turned, which needs no fuzzer.
  @Test(arguments: FuzzTarget.allCases)
  func mutations(_ target: FuzzTarget) throws {
    let folder = Self.corpus.appending(path: target.rawValue)
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      let bytes = [UInt8](try Data(contentsOf: file))
      for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 64)) {
        target.run(Array(bytes[..<position]))
        var turned = bytes
        turned[position] ^= 1 << UInt8(position % 8)
        target.run(turned)
        target.run(bytes + bytes[position...])
      }
    }
  }
}
