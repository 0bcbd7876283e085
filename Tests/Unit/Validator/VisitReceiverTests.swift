// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import BusbarSystem
import BusbarTransports
import BusbarValidator
import MailboxSupport
import Synchronization
import Testing

/// A program that connects to a link of the check.
@Suite struct VisitReceiverTests {
  private let post = Post()
  private let socket = FakeSocket()
  private let farewells = Farewells()

  private final class Farewells: Sendable {
    private let count = Mutex(0)
    var all: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  private func invited() -> VisitReceiver { VisitReceiver(post.mailbox, post.peer, nil) { [farewells] in farewells.add() } }

  /// Connected, and the plugin has heard of it.
  private func arrived() -> VisitReceiver {
    let visitor = invited()
    visitor.opened(socket)
    #expect(post.all() == [.opened(post.peer)])
    return visitor
  }

  @Test func whoWasInvitedIsExpectedUntilHeArrives() {
    let before = Clock.boot()
    let visitor = invited()
    #expect(visitor.isExpected(since: before - 1))
    #expect(!visitor.isExpected(since: Clock.boot()))
    visitor.opened(socket)
    #expect(!visitor.isExpected(since: before - 1))
  }

  @Test func whatTheProgramSaysAndItsEndComeInTheirOrder() {
    let visitor = arrived()
    visitor.received(.text([1]))
    visitor.received(.binary([2]))
    visitor.closed(code: 1001, reason: "bye")
    #expect(post.all() == [.message(text: true, [1]), .message(text: false, [2]), .closed(code: 1001, reason: "bye")])
    #expect(farewells.all == 1 && socket.events.isEmpty)
  }

  @Test func aConnectionIsCutWithoutAWord() {
    let visitor = arrived()
    visitor.cut()
    #expect(post.all() == [.closed(code: 1006, reason: "")])
    #expect(socket.events == [.closed(1001)] && farewells.all == 1)
    // The program's own end comes after it, and is nothing new.
    visitor.closed(code: 1001, reason: "")
    #expect(post.next() == nil)
  }

  @Test func whoTakesAnothersPlaceIsTheSameProgram() {
    let visitor = arrived()
    visitor.replace()
    #expect(post.all() == [.closed(code: 1006, reason: "a newer connection takes its place"), .opened(post.peer)])
    // Only the link's old line has ended, not the program's connection; what it had to wait for is over.
    #expect(socket.events == [.paused(false)])
    visitor.received(.text([3]))
    #expect(post.all() == [.message(text: true, [3])])
    #expect(post.mailbox.send(text: true, [4]) == .taken)
    #expect(socket.events.last == .sent(.text([4])))
    visitor.closed(code: 1000, reason: "")
    #expect(post.all() == [.closed(code: 1000, reason: "")])
  }

  @Test func whoHasGoneIsNotReplaced() {
    let visitor = arrived()
    visitor.closed(code: 1001, reason: "")
    #expect(post.all() == [.closed(code: 1001, reason: "")])
    visitor.replace()
    #expect(post.next() == nil && !post.mailbox.isConnected && !post.mailbox.isAwaiting)
  }

  @Test func theConnectionIsClosedForThePlugin() {
    let visitor = arrived()
    post.mailbox.setOpen(false)
    #expect(socket.events == [.closed(1012)])
    visitor.closed(code: 1012, reason: "")
    #expect(post.next() == nil && farewells.all == 1)
  }
}
