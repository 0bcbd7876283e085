// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ELFFileTests {
  private func plugin() async throws -> [UInt8] { try await bytes(ofFile: Built.shared.value.lineMeter) }

  private func read(_ bytes: [UInt8]) -> Result<ELFFile, ELFFile.Failure> {
    do throws(ELFFile.Failure) { return .success(try ELFFile(bytes)) } catch { return .failure(error) }
  }

  @Test func readsAPluginThatACompilerBuilt() async throws {
    let file = try ELFFile(await plugin())
    #expect(file.entries == [HostABI.entry])
    let manifest = try #require(file.manifest)
    #expect(try PluginManifest(manifest).id == "org.example.line")
  }

  @Test func readsALibraryThatIsNoPlugin() throws {
    let libraries = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"]
    let path = try #require(libraries.first { FileManager.default.fileExists(atPath: $0) })
    let file = try ELFFile(bytes(ofFile: path))
    #expect(file.manifest == nil)
    #expect(file.entries == [])
  }

  /// The section table is the last thing in the file, so every cut is found out.
  @Test func everyTruncationIsRefused() async throws {
    let whole = try await plugin()
    for length in stride(from: 0, to: whole.count, by: 64) {
      guard case .failure(let failure) = read(Array(whole[..<length])) else {
        Issue.record("\(length) of \(whole.count) bytes were taken for a plugin")
        continue
      }
      #expect(!failure.message.isEmpty)
    }
    #expect((try? read(Array(whole.dropLast(1))).get()) == nil)
  }

  /// Whatever stands in the headers, the answer is a plugin or a sentence, never a crash.
  @Test func flippedHeadersDoNotCrash() async throws {
    let whole = try await plugin()
    let table = Int(whole[40..<48].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let count = Int(whole[60]) | Int(whole[61]) << 8
    let places = Array(0..<64) + Array(table..<table + count * 64)
    var random = SplitMix(seed: 20_000)
    var outcomes: [Bool: Int] = [:]
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0..<(1 + Int(random.next() % 3)) {
        let place = places[Int(random.next() % UInt64(places.count))]
        bytes[place] ^= UInt8(truncatingIfNeeded: 1 + random.next() % 255)
      }
      outcomes[(try? read(bytes).get()) != nil, default: 0] += 1
    }
    // Both happen, or the flips were none.
    #expect(outcomes[true, default: 0] > 100)
    #expect(outcomes[false, default: 0] > 100)
  }

  /// Every 32- and 64-bit number of every section header at its extremes.
  @Test func extremeSectionHeadersDoNotCrash() async throws {
    let whole = try await plugin()
    let table = Int(whole[40..<48].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let count = Int(whole[60]) | Int(whole[61]) << 8
    let extremes: [UInt64] = [
      0, 1, .max, .max >> 1, 1 << 63, UInt64(whole.count), UInt64(whole.count) - 1, 0xFFFF_FFFF,
    ]
    for section in 0..<count {
      for (offset, width) in [(0, 4), (4, 4), (24, 8), (32, 8), (40, 4)] {
        for extreme in extremes {
          var bytes = whole
          for index in 0..<width {
            bytes[table + section * 64 + offset + index] = UInt8(truncatingIfNeeded: extreme >> (8 * UInt64(index)))
          }
          _ = read(bytes)
        }
      }
    }
  }

  /// 8,192 headers that all name the same large table of symbols would keep the host busy for minutes.
  @Test func manySymbolTablesAreRefused() async throws {
    var file = try await plugin()
    let table = Int(file[40..<48].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let symbols = stride(from: table, to: file.count, by: 64).first { file[$0 + 4] == 11 }
    let header = Array(file[try #require(symbols)..<(try #require(symbols)) + 64])
    func set(_ place: Int, _ value: UInt64, _ width: Int, in bytes: inout [UInt8]) {
      for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
    }
    let names = Int(file[62]) | Int(file[63]) << 8
    var large = header
    set(24, UInt64(file.count), 8, in: &large)
    set(32, 24 * 100_000, 8, in: &large)
    set(40, UInt64(names), 4, in: &large)
    let newTable = file.count + 24 * 100_000
    let nameHeader = Array(file[(table + names * 64)..<(table + names * 64 + 64)])
    // Exported symbols with empty names.
    file += (0..<24 * 100_000).map { $0 % 24 == 6 ? 1 : 0 }
    for index in 0..<8192 { file += index == names ? nameHeader : large }
    set(40, UInt64(newTable), 8, in: &file)
    set(60, 8192, 2, in: &file)
    guard case .failure(let failure) = read(file) else {
      Issue.record("8,191 tables of symbols were read")
      return
    }
    #expect(failure.message.contains("symbols"))
  }

  @Test(
    arguments: [[], [0x7F], Array("#!/bin/sh\n".utf8), .init(repeating: 0, count: 100_000), Array("\u{7F}ELF".utf8)]
      as [[UInt8]])
  func refusesWhatIsNoLibrary(bytes: [UInt8]) {
    guard case .failure(let failure) = read(bytes) else {
      Issue.record("this was taken for a library")
      return
    }
    #expect(failure.message.contains(bytes.isEmpty ? "empty" : "shared library"))
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
