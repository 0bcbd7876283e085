// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import BusbarTransports
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AddressSweepTests {
  private func knock(
    _ addresses: [(host: String, port: UInt16)], atOnce: Int = 32, patience: Int64 = 30_000_000_000,
    stop: CallSignal = CallSignal()
  ) async -> [Int: Bool] {
    await blocking {
      var answers: [Int: Bool] = [:]
      AddressSweep.knock(addresses, atOnce: atOnce, patience: patience, stop: stop) { index, isOpen in
        #expect(answers[index] == nil)
        answers[index] = isOpen
      }
      return answers
    }
  }

  @Test func whoListensAndWhoDoesNot() async throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    var closed: StreamListener? = try StreamListener(host: "127.0.0.1", port: 0)
    let port = try #require(closed?.port)
    closed = nil
    let answers = await knock([("127.0.0.1", listener.port), ("127.0.0.1", port), ("no.such.host.example", 1), ("::1", 1)])
    #expect(answers == [0: true, 1: false, 2: false, 3: false])
  }

  @Test func eachAddressIsToldOnceHoweverFewGoAtATime() async throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    let addresses = (0..<100).map { index in (host: "127.0.0.\(index % 2 + 1)", port: listener.port) }
    let answers = await knock(addresses, atOnce: 3)
    #expect(answers.count == 100)
    #expect(answers.allSatisfy { $0.value == ($0.key % 2 == 0) })
  }

  @Test func aStoppedSweepEnds() async throws {
    let stop = CallSignal()
    stop.set()
    #expect(await knock([("127.0.0.1", 1)], stop: stop).isEmpty)
  }

  @Test func addressesOfANameAndOfALiteral() async {
    #expect(await blocking { AddressSweep.numeric("192.168.1.20") } == ["192.168.1.20"])
    #expect(await blocking { AddressSweep.numeric("localhost") }.contains { $0 == "127.0.0.1" || $0 == "::1" })
    #expect(await blocking { AddressSweep.numeric("no such host") }.isEmpty)
  }
}
