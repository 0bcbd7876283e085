// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import BusbarSystem
import Foundation
import Synchronization
import Testing

/// With the real ticker, several devices that accept at once, and a consumer on a thread of its own that now and then
/// loses its connection.
@Suite struct ConcurrencyTests {
  @Test(.timeLimit(.minutes(2))) func severalThreadsLoseNothing() async throws {
    let rig = try Rig()
    rig.close()
    let database = try StateDatabase(directory: rig.directory.path + "/live", logger: rig.logger)
    let outbox = try Outbox(
      database: database, encoder: RecordingEncoder(),
      limits: BufferLimits(size: 1 << 30, age: .seconds(86400), commit: .milliseconds(20)), acknowledge: .broker,
      logger: rig.logger)
    outbox.start()
    let devices = 4
    let each = 3000
    for device in 0..<devices {
      WorkThread.start(name: "device") {
        for number in 1...each {
          let time = Clock.unix()
          if number % 500 == 0 {
            outbox.accept(Alarm(device: "met_\(device)".id, name: "Test", active: true, text: "", time: time))
          }
          outbox.accept(Reading(device: "met_\(device)".id, time: time, items: [], durable: number % 700 == 0))
        }
      }
    }
    let expected = devices * (each + each / 500)
    let seen = await withCheckedContinuation { (done: CheckedContinuation<Set<String>, Never>) in
      WorkThread.start(name: "consumer") {
        done.resume(returning: Self.consume(outbox, until: expected))
      }
    }
    #expect(seen.count == expected)
    outbox.close()
    #expect(outbox.status.messages == 0)
    #expect(outbox.status.problem == nil)
  }

  /// A closure that is wrapped once more at every call overflows the stack when it is let go.
  @Test func callingTheConsumerLeavesNothingBehind() throws {
    let rig = try Rig()
    let calls = ManualClock()
    rig.outbox.onWork { calls.advance(.nanoseconds(1)) }
    for _ in 0..<300_000 { rig.outbox.connectionLost() }
    #expect(calls.boot == 300_000)
    rig.close()
  }

  private static func consume(_ outbox: Outbox, until expected: Int) -> Set<String> {
    let work = Wakeup()
    outbox.onWork { work.wake() }
    var seen: Set<String> = []
    var random = Seeded(state: 7)
    var underWay: [OutboundMessage] = []
    while seen.count < expected {
      while underWay.count < 50, let message = outbox.next(late: 20) { underWay.append(message) }
      if underWay.isEmpty {
        _ = Poll.wait([(work.descriptor.number, .read)], until: nil)
        work.drain()
      }
      if Int.random(in: 0..<200, using: &random) == 0 {
        outbox.connectionLost()
        underWay = []
      }
      for message in underWay {
        guard let received = try? Received(message), let seq = received.seq else { continue }
        seen.insert("\(message.device) \(message.stream) \(seq)")
        outbox.acknowledged(message.ticket)
      }
      underWay = []
    }
    return seen
  }
}
