// SPDX-License-Identifier: Apache-2.0

import BusbarDiscovery
import Testing

struct NewcomersTests {
  @Test func noMoreThanTheLimitComesIn() {
    var newcomers = Newcomers()
    // None of them is in the registry yet.
    for _ in 0..<3 { #expect(newcomers.begin("a", known: 7, limit: 10) == .comes) }
    #expect(newcomers.begin("a", known: 7, limit: 10) == .waits(isNews: true))
    #expect(newcomers.begin("a", known: 7, limit: 10) == .waits(isNews: false))
    #expect(newcomers.begin("b", known: 7, limit: 10) == .comes, "each listener has its own")
    // One of them could not be taken in after all, two are in the registry.
    for _ in 0..<3 { newcomers.end("a") }
    #expect(newcomers.begin("a", known: 9, limit: 10) == .comes)
    #expect(newcomers.begin("a", known: 9, limit: 10) == .waits(isNews: false))
  }

  @Test func itIsOverOnceThereIsRoom() {
    var newcomers = Newcomers()
    for name in ["a", "b", "c"] { for _ in 0..<5 { _ = newcomers.begin(name, known: 10, limit: 10) } }
    let (full, relieved) = newcomers.settle(limits: ["a": 10, "b": 11]) { _ in 10 }
    #expect(full == ["a"])
    // The limit of b was raised; c takes in nobody any more.
    #expect(relieved.map(\.listener) == ["b", "c"] && relieved.map(\.waited) == [5, 5])
    #expect(newcomers.begin("a", known: 10, limit: 10) == .waits(isNews: false))
    #expect(newcomers.begin("b", known: 11, limit: 11) == .waits(isNews: true))
  }

  @Test func anEndTooManyDoesNoHarm() {
    var newcomers = Newcomers()
    newcomers.end("a")
    #expect(newcomers.begin("a", known: 0, limit: 1) == .comes)
    #expect(newcomers.begin("a", known: 0, limit: 1) == .waits(isNews: true))
  }
}
