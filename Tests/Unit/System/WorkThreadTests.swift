// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Foundation
import Testing

/// Not with ThreadSanitizer (`Tests/Sanitize/run thread`): the memory that is mapped beside its stacks has other lengths.
@Suite(.timeLimit(.minutes(1)), .enabled(if: ProcessInfo.processInfo.environment["TSAN_OPTIONS"] == nil))
struct WorkThreadTests {
  /// Of nobody else, so that the stacks can be told apart; a multiple of every page size.
  private static let stack = 19 * 65_536

  /// Readable and writable memory of just that length, from /proc/PID/maps (proc(5)).
  private static func stacks() throws -> Int {
    let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
    let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").count { line in
      let fields = line.split(separator: " ")
      let ends = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
      return fields[1].hasPrefix("rw") && ends.count == 2 && ends[1] - ends[0] == stack
    }
  }

  private static func oneMore() async {
    await withCheckedContinuation { done in WorkThread.start(name: "one more", stack: stack) { done.resume() } }
  }

  /// In a process of its own, where nobody else starts threads.
  @Test func threadsThatEndedKeepNoStacks() async {
    await #expect(processExitsWith: .success) {
      let gate = BlockingQueue<Void>()
      let count = 30
      for _ in 0..<count {
        await withCheckedContinuation { started in
          WorkThread.start(name: "crowd", stack: Self.stack) {
            started.resume()
            _ = gate.next()
          }
        }
      }
      // One that adjoins other memory is not seen.
      #expect(try Self.stacks() > count / 2)
      gate.close()
      // The last one that ended is there until the next one ends.
      var passes = 0
      while try Self.stacks() > 2, passes < 200 {
        await Self.oneMore()
        passes += 1
      }
      #expect(try Self.stacks() <= 2)
    }
  }
}
