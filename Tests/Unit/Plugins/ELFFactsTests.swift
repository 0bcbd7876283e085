// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Foundation
import Testing

/// What `inspect` tells, judged by binutils.
@Suite(.timeLimit(.minutes(2)))
struct ELFFactsTests {
  @Test func agreesWithBinutils() async throws {
    let libraries = ["/lib/x86_64-linux-gnu/libz.so.1", "/lib/x86_64-linux-gnu/libcrypto.so.3", "/lib/aarch64-linux-gnu/libcrypto.so.3"]
    let present = libraries.filter { FileManager.default.fileExists(atPath: $0) }
    for path in try await [Built.shared.value.lineMeter, Built.shared.value.fixture] + present {
      let facts = try ELFFacts(bytes(ofFile: path))
      let defined = try run("nm", ["-D", "--defined-only", path]).split(separator: "\n").compactMap { line in
        line.split(separator: " ").last.map { String($0.split(separator: "@").first ?? "") }
      }
      #expect(facts.exportCount >= Set(defined).count, "\(path)")
      #expect(Set(facts.exports).isSubset(of: Set(defined)), "\(path)")
      let dynamic = try run("readelf", ["-dW", path])
      #expect(facts.needed.allSatisfy { dynamic.contains("Shared library: [\($0)]") }, "\(path)")
      #expect(facts.needed.count == dynamic.split(separator: "\n").count { $0.contains("(NEEDED)") }, "\(path)")
      #expect(facts.hasTextRelocations == dynamic.contains("TEXTREL"), "\(path)")
      #expect(facts.stackIsExecutable == false, "\(path)")
      #expect(!facts.manifestIsLoaded)
    }
  }

  @Test func ofThePluginItTellsTheOneExport() async throws {
    let facts = try ELFFacts(await bytes(ofFile: Built.shared.value.lineMeter))
    #expect(facts.exports == [HostABI.entry])
    #expect(facts.exportCount == 1)
    #expect(facts.needed.contains("libc.so.6"))
  }

  /// A sentence or facts, never a crash.
  @Test func flippedBytesDoNotCrash() async throws {
    let whole = try await bytes(ofFile: Built.shared.value.lineMeter)
    var state: UInt64 = 7
    for _ in 0..<3_000 {
      var changed = whole
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 20)
      }
      _ = try? ELFFacts(changed)
    }
    for length in stride(from: 0, to: whole.count, by: 128) { _ = try? ELFFacts(Array(whole[..<length])) }
  }

  @Test func inspectionReadsWhatNoHostTakes() async throws {
    for broken in try await Built.shared.value.broken where broken.stage != "good" {
      // Directories, pipes and dangling links are no files; everything else is looked at.
      guard let inspection = try? PluginInspection(path: broken.path) else { continue }
      #expect(inspection.hash.count == 64)
      let elsewhere = ["load", "writable", "symlink"].contains { broken.stage == $0 || broken.path.contains($0) }
      #expect(elsewhere || inspection.objection != nil, "\(broken.path)")
    }
    #expect(try await !FileManager.default.fileExists(atPath: Built.shared.value.executed))
  }
}
