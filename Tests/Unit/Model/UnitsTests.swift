// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

struct UnitsTests {
  @Test(
    arguments: [
      ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
      ("7d", .seconds(604_800)), ("0s", .zero), ("007s", .seconds(7)),
    ] as [(String, Duration)])
  func readsDurations(text: String, duration: Duration) {
    #expect(Units.duration(text) == duration)
  }

  @Test(arguments: [
    "", "5", "s", "ms", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "1e3s", "5S", "5min", "1h30m", "٥s", "²s", "5sec",
    "99999999999999999999s", "1000000000000s",
  ])
  func refusesOtherDurations(text: String) {
    #expect(Units.duration(text) == nil)
  }

  @Test(
    arguments: [
      ("4096", 4096), ("4096B", 4096), ("64KiB", 65_536), ("64MiB", 67_108_864), ("2GiB", 2_147_483_648),
      ("1TiB", 1 << 40),
      ("0", 0),
    ] as [(String, Int64)])
  func readsSizes(text: String, size: Int64) {
    #expect(Units.size(text) == size)
  }

  @Test(arguments: ["", "MiB", "64MB", "64mib", "64 MiB", "-1", "1.5GiB", "999999999999TiB", "9999999999999"])
  func refusesOtherSizes(text: String) {
    #expect(Units.size(text) == nil)
  }

  @Test(arguments: ["500ms", "5s", "2m", "1h", "7d", "90s", "90m", "36h", "1500ms", "0ms"])
  func writesTheShortestForm(text: String) throws {
    #expect(Units.text(try #require(Units.duration(text))) == text)
  }

  @Test func writesLessThanAMillisecondAsNothing() {
    #expect(Units.text(.microseconds(999)) == "0ms")
    #expect(Units.text(.milliseconds(-1500)) == "-1500ms")
  }

  /// Whatever a person may write can be counted with.
  @Test(arguments: ["999999999999ms", "999999999999s", "999999999999m", "999999999999h", "999999999999d"])
  func theLongestDurationsDoNotOverflow(text: String) throws {
    let duration = try #require(Units.duration(text))
    #expect(duration.milliseconds > 0)
    #expect(duration.nanoseconds > 0)
    #expect(!Units.text(duration).hasPrefix("-"))
  }

  @Test func countsSaturate() {
    let year: Int64 = 365 * 86400
    #expect(Duration.seconds(10).nanoseconds == 10_000_000_000)
    #expect(Duration.nanoseconds(-1).nanoseconds == -1)
    #expect(Duration.milliseconds(-1500).milliseconds == -1500)
    #expect(Duration.seconds(year * 300).nanoseconds == .max)
    #expect(Duration.seconds(-year * 300).nanoseconds == .min)
    // The last second before the end.
    #expect((Duration.nanoseconds(Int64.max) + .nanoseconds(1)).nanoseconds == .max)
    #expect(Duration.nanoseconds(Int64.max).nanoseconds == .max)
    #expect(Duration.seconds(Int64.max).milliseconds == .max)
    #expect(Duration.seconds(Int64.min).milliseconds == .min)
  }
}
