// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import BusbarTransports
import MailboxSupport
import Synchronization
import Testing

private func text(_ bytes: [UInt8]) -> LinkEvent { .message(text: true, bytes) }

@Suite struct MailboxTests {
  @Test func whatHappensIsToldInItsOrder() {
    let post = Post()
    let socket = FakeSocket()
    let receiver = post.connect(socket)
    receiver.received(.text([1]))
    #expect(post.mailbox.progress == (0, 2) && post.mailbox.due == 0 && post.mailbox.isAwaiting && !post.mailbox.isConnected)
    #expect(post.mailbox.send(text: true, [0]) == .closed)
    #expect(post.next() == .opened(post.peer))
    #expect(post.mailbox.isConnected && post.mailbox.send(text: true, [3]) == .taken)
    receiver.received(.binary([2]))
    receiver.closed(code: 1001, reason: "bye")
    #expect(post.all() == [text([1]), .message(text: false, [2]), .closed(code: 1001, reason: "bye")])
    #expect(post.mailbox.send(text: true, [4]) == .closed && post.mailbox.due == nil)
    #expect(socket.events == [.sent(.text([3]))])
  }

  @Test func aNewerConnectionTakesThePlaceOfAnOlderOneWithItsFirstMessage() {
    let post = Post()
    let (first, second) = (FakeSocket(), FakeSocket())
    let old = post.connect(first)
    #expect(post.all() == [.opened(post.peer)])
    let new = post.connect(second)
    #expect(post.next() == nil && first.events.isEmpty)
    new.received(.text([2]))
    // What the old one still says counts no more.
    old.received(.text([1]))
    old.closed(code: 1001, reason: "")
    #expect(post.all() == [.closed(code: 1006, reason: "a newer connection takes its place"), .opened(post.peer), text([2])])
    #expect(first.events == [.closed(1000)] && second.events.isEmpty)
  }

  @Test func whatThePluginHasNeverHeardOfItNeedNotHearOf() {
    let post = Post()
    let receiver = post.connect(FakeSocket())
    receiver.received(.text([1]))
    receiver.closed(code: 1001, reason: "")
    #expect(post.next() == nil && !post.mailbox.isAwaiting)
  }

  @Test func whoeverLooksIsCalledOnceForAllThatComes() {
    let post = Post()
    let calls = Mutex(0)
    post.mailbox.connect { calls.withLock { $0 += 1 } }
    for tag in 0..<3 { post.mailbox.wake(tag: UInt64(tag)) }
    #expect(calls.withLock { $0 } == 1)
    _ = post.next()
    post.mailbox.wake(tag: 9)
    #expect(calls.withLock { $0 } == 2)
  }

  @Test func nothingIsKeptWhereTheLinkIsNotOpen() {
    let post = Post()
    let (socket, late) = (FakeSocket(), FakeSocket())
    _ = post.connect(socket)
    post.mailbox.wake(tag: 1)
    post.mailbox.timer(tag: 1, delay: 0, period: 0)
    post.mailbox.setOpen(false)
    post.mailbox.wake(tag: 2)
    post.mailbox.timer(tag: 2, delay: 0, period: 0)
    post.mailbox.put(.listChanged)
    _ = post.connect(late)
    #expect(socket.events == [.closed(1012)] && late.events == [.closed(1012)])
    #expect(post.next() == nil && post.mailbox.due == nil && post.mailbox.progress.taken == post.mailbox.progress.all)
  }
}

@Suite struct MailboxPauseTests {
  @Test func whoSendsMoreThanThePluginTakesHasToWait() {
    let post = Post()
    let socket = FakeSocket()
    let receiver = post.connect(socket)
    // With the connection itself sixteen wait.
    for number in 0..<15 { receiver.received(.text([UInt8(number)])) }
    #expect(socket.events.isEmpty)
    receiver.received(.text([15]))
    #expect(socket.events == [.paused(true)])
    for _ in 0..<12 { _ = post.next() }
    #expect(socket.events == [.paused(true)])
    #expect(post.next() == text([11]) && socket.events == [.paused(true), .paused(false)])
  }

  @Test func whoSendsLongMessagesHasToWaitSooner() {
    let post = Post()
    let socket = FakeSocket()
    let receiver = post.connect(socket)
    let half = [UInt8](repeating: 0x41, count: 128 << 10)
    receiver.received(.text(half))
    receiver.received(.text(half))
    #expect(socket.events.isEmpty)
    receiver.received(.text([0x42]))
    #expect(socket.events == [.paused(true)])
    #expect(post.next() == .opened(post.peer) && post.next() == text(half))
    #expect(socket.events == [.paused(true)])
    #expect(post.next() == text(half) && socket.events == [.paused(true), .paused(false)])
    // What is in the plugin's hands waits no more.
    receiver.received(.text(half))
    #expect(socket.events.count == 2)
  }

  /// A far end may send what was on its way, and no more.
  @Test func whoGoesOnAllTheSameLosesItsConnection() {
    let post = Post()
    let socket = FakeSocket()
    let receiver = post.connect(socket)
    for _ in 1..<LinkMailbox.limit { receiver.received(.text([1])) }
    #expect(socket.events == [.paused(true)])
    receiver.received(.text([2]))
    #expect(socket.events == [.paused(true), .closed(1008)])
    #expect(post.all().count == LinkMailbox.limit)
  }

  @Test func bytesOfAConnectionThatIsForgottenAreForgotten() {
    let post = Post()
    let receiver = post.connect(FakeSocket())
    receiver.received(.text([UInt8](repeating: 0x41, count: 256 << 10)))
    receiver.closed(code: 1001, reason: "")
    let socket = FakeSocket()
    post.connect(socket).received(.text([0x41]))
    #expect(socket.events.isEmpty && post.mailbox.progress.all - post.mailbox.progress.taken == 2)
  }
}
