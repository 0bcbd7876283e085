// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct TurnstileTests {
  /// Waits; the result tells whether the thread was called.
  private static func ask(_ turnstile: Turnstile) async -> Bool {
    let called = Mutex(false)
    await turnstile.wait { called.withLock { $0 = true } }
    return called.withLock { $0 }
  }

  @Test func nobodyWaitsForAThreadThatDoesNotRun() async {
    let turnstile = Turnstile()
    #expect(await Self.ask(turnstile) == false)
    turnstile.open()
    turnstile.close()
    #expect(await Self.ask(turnstile) == false)
  }

  @Test func waitsUntilTheThreadComesBy() async {
    let turnstile = Turnstile()
    turnstile.open()
    // The call is where the thread would be woken: it comes by after the question.
    await turnstile.wait { turnstile.pass() }
  }

  @Test func theEndOfTheThreadReleasesWhoeverWaits() async {
    let turnstile = Turnstile()
    turnstile.open()
    await turnstile.wait { turnstile.close() }
  }

  @Test func anExcuseCountsUntilItsEnd() async {
    let turnstile = Turnstile()
    turnstile.open()
    turnstile.excuse(until: .max)
    #expect(await Self.ask(turnstile) == false)
    turnstile.excuse(until: 0)
    await turnstile.wait { turnstile.pass() }
  }

  @Test func anExcuseEndsWithTheNextPass() async {
    let turnstile = Turnstile()
    turnstile.open()
    turnstile.excuse(until: .max)
    turnstile.pass()
    await turnstile.wait { turnstile.pass() }
  }

  @Test func anExcuseReleasesWhoeverWaits() async {
    let turnstile = Turnstile()
    turnstile.open()
    await turnstile.wait { turnstile.excuse(until: .max) }
  }
}
