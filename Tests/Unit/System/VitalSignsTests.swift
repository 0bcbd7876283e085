// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Synchronization
import Testing

/// Which parts have answered between two looks.
struct VitalSignsTests {
  @Test func theFirstLookKnowsNothingYet() {
    var signs = VitalSigns(count: 2)
    #expect(signs.look() == VitalSigns.Look(isAlive: false, ask: [0, 1]))
  }

  @Test func aliveWhenEveryPartHasAnswered() {
    var signs = VitalSigns(count: 2)
    _ = signs.look()
    signs.answered(1)
    signs.answered(0)
    #expect(signs.look() == VitalSigns.Look(isAlive: true, ask: [0, 1]))
  }

  @Test func onePartThatIsSilentIsEnoughAndIsToldOfOnce() {
    var signs = VitalSigns(count: 3)
    _ = signs.look()
    signs.answered(0)
    signs.answered(2)
    #expect(signs.look() == VitalSigns.Look(isAlive: false, ask: [0, 2], silent: [1]))
    signs.answered(0)
    signs.answered(2)
    // It was asked and is not asked again before it answers.
    #expect(signs.look() == VitalSigns.Look(isAlive: false, ask: [0, 2]))
  }

  @Test func aliveAgainWithTheAnswer() {
    var signs = VitalSigns(count: 1)
    _ = signs.look()
    #expect(signs.look().silent == [0])
    signs.answered(0)
    #expect(signs.look() == VitalSigns.Look(isAlive: true, ask: [0], back: [0]))
    signs.answered(0)
    #expect(signs.look() == VitalSigns.Look(isAlive: true, ask: [0]))
  }
}

/// The same with parts that run.
struct VitalWatchTests {
  /// A part whose answers the test gives.
  private final class Slow: Sendable {
    private let turnstile = Turnstile()

    init() { turnstile.open() }

    func turn() async { await turnstile.wait {} }
    func comeBy() { turnstile.pass() }
  }

  private static func watch(_ parts: [VitalPart]) -> (AsyncStream<VitalWatch.Event>, Task<Void, Never>) {
    let (events, sink) = AsyncStream.makeStream(of: VitalWatch.Event.self)
    let task = Task { await VitalWatch(parts).run(every: .milliseconds(5)) { sink.yield($0) } }
    return (events, task)
  }

  @Test(.timeLimit(.minutes(1))) func aliveWhileAllAnswer() async {
    let (events, task) = Self.watch([VitalPart("a") {}, VitalPart("b") {}])
    var seen = 0
    for await event in events {
      if event == .alive { seen += 1 }
      if seen == 3 { break }
    }
    task.cancel()
    await task.value
  }

  @Test(.timeLimit(.minutes(1))) func notAliveWhileOneHangsAndNamesIt() async {
    let slow = Slow()
    let (events, task) = Self.watch([VitalPart("quick") {}, VitalPart("slow") { await slow.turn() }])
    // On a busy machine the quick one may be late as well, and come back.
    var iterator = events.makeAsyncIterator()
    while let event = await iterator.next() {
      #expect(event != .alive)
      if event == .silent("slow") { break }
    }
    let answering = Task {
      while !Task.isCancelled {
        slow.comeBy()
        await Task.yield()
      }
    }
    var isBack = false
    while let event = await iterator.next() {
      if event == .back("slow") { isBack = true }
      if event == .alive { break }
    }
    #expect(isBack)
    answering.cancel()
    task.cancel()
    await task.value
    slow.comeBy()
  }

  @Test(.timeLimit(.minutes(1))) func endsWhileAPartHangs() async {
    let slow = Slow()
    let (events, task) = Self.watch([VitalPart("slow") { await slow.turn() }])
    for await event in events where event == .silent("slow") { break }
    task.cancel()
    await task.value
    slow.comeBy()
  }
}
