// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import Foundation
import Testing

struct FormatTests {
  /// Judged by date(1).
  @Test(arguments: [0, 1, 951_782_400_000, 1_709_164_799_999, 1_795_378_158_674, 4_102_444_800_005, -1] as [Int64])
  func timeIsWhatDateSays(milliseconds: Int64) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/date")
    let seconds = (milliseconds - (milliseconds % 1000 + 1000) % 1000) / 1000
    process.arguments = ["-u", "-d", "@\(seconds)", "+%Y-%m-%dT%H:%M:%S"]
    process.standardOutput = output
    try process.run()
    let data = try #require(try output.fileHandleForReading.readToEnd())
    process.waitUntilExit()
    let expected = String(decoding: data, as: UTF8.self).dropLast()
    let fraction = String(1000 + milliseconds - seconds * 1000).dropFirst()
    #expect(Format.time(milliseconds) == "\(expected).\(fraction)Z")
  }

  @Test func agesAndSizesArePlain() {
    #expect(
      [-5, 0, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000 * 3].map { Format.age($0) }
        == ["0s", "0s", "59s", "1m", "59m", "1h", "23h", "3d"])
    #expect(
      [0, 1023, 1024, 1536, 1 << 20, 3 << 29, 1 << 50].map { Format.size($0) }
        == ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.5 GiB", "1024.0 TiB"])
  }

  @Test func valuesAreAsTheyAre() {
    #expect(Format.value(nil) == "-")
    #expect(Format.value(.null) == "-")
    #expect(Format.value(.number(0.1)) == "0.1")
    #expect(Format.value(.integer(-7)) == "-7")
    #expect(Format.value(.boolean(true)) == "true")
    #expect(Format.value(.string("running")) == "running")
    #expect(Format.value(.array(["a", 1])) == "a, 1")
  }
}
