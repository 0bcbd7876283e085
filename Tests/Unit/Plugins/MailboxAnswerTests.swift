// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarTransports
import MailboxSupport
import Synchronization
import Testing

@Suite struct MailboxTimerTests {
  private let second: Int64 = 1_000_000_000

  @Test func aTimerComesInItsTimeAndDoesNotMakeUpForWhatItMissed() throws {
    let post = Post()
    post.mailbox.timer(tag: 7, delay: second, period: second)
    let due = try #require(post.mailbox.due)
    #expect(post.next(due - 1) == nil && post.all(due) == [.timer(tag: 7)])
    #expect(post.mailbox.due == due + second)
    // Ten periods later it comes now and once more, and is on time again.
    let late = due + 10 * second
    #expect(post.all(late) == [.timer(tag: 7), .timer(tag: 7)])
    #expect(post.mailbox.due == late + second)
    post.mailbox.timer(tag: 7, delay: -1, period: 0)
    #expect(post.mailbox.due == nil && post.next(.max) == nil)
  }

  @Test func aTimerWithoutAPeriodComesOnce() {
    let post = Post()
    post.mailbox.timer(tag: 1, delay: 0, period: 0)
    #expect(post.all(.max) == [.timer(tag: 1)] && post.mailbox.due == nil)
  }

  @Test func timersAndWakesAreBounded() {
    let post = Post()
    for tag in 0..<100 {
      post.mailbox.timer(tag: UInt64(tag), delay: 0, period: 0)
      post.mailbox.wake(tag: UInt64(tag))
      // One that waits is enough.
      post.mailbox.wake(tag: UInt64(tag))
    }
    let events = post.all()
    #expect(events.count { if case .timer = $0 { true } else { false } } == 64)
    #expect(events.compactMap { if case .wake(let tag) = $0 { tag } else { nil } } == Array(UInt64(0)..<64))
  }
}

@Suite struct MailboxAnswerTests {
  private final class Outcome: Sendable {
    private let results = Mutex<[CommandResult]>([])
    var all: [CommandResult] { results.withLock { $0 } }
    func add(_ result: CommandResult) { results.withLock { $0.append(result) } }
  }

  /// Hands a command to the plugin, which ends it later; until `deadline`.
  private func begin(_ post: Post, token: UInt64 = 9, until deadline: Int64 = .max, meanwhile: () -> Void = {}) -> Outcome {
    let outcome = Outcome()
    post.mailbox.commandBegins()
    meanwhile()
    post.mailbox.commandReturned(pending: token, until: deadline) { outcome.add($0) }
    return outcome
  }

  @Test func aPendingCommandEndsOnce() {
    let post = Post()
    let outcome = begin(post)
    #expect(post.mailbox.pending == 1 && outcome.all.isEmpty)
    #expect(!post.mailbox.completed(token: 8, .accepted))
    #expect(post.mailbox.completed(token: 9, .done(.number(5))))
    #expect(!post.mailbox.completed(token: 9, .accepted))
    #expect(outcome.all == [.done(.number(5))] && post.mailbox.pending == 0)
  }

  @Test func aCommandMayEndBeforeItsCallHasReturned() {
    let post = Post()
    let outcome = begin(post) { #expect(post.mailbox.completed(token: 9, .refused("no"))) }
    #expect(outcome.all == [.refused("no")] && post.mailbox.pending == 0)
    // What was said of another one is forgotten with the call.
    let other = begin(post, token: 10) { #expect(post.mailbox.completed(token: 11, .accepted)) }
    #expect(other.all.isEmpty && begin(post, token: 11).all.isEmpty)
  }

  @Test func aCommandThatTakesTooLongIsAbandoned() {
    let post = Post()
    let outcome = begin(post, until: 100)
    #expect(post.mailbox.due == 100 && post.next(99) == nil)
    #expect(post.next(100) == .abandoned(token: 9))
    #expect(outcome.all == [.unknown("the device did not answer in time")] && post.mailbox.due == nil)
    #expect(!post.mailbox.completed(token: 9, .accepted))
  }

  @Test func theEndOfTheLinkEndsCommands() {
    let post = Post()
    let outcome = begin(post)
    let late = begin(post, token: 10) { post.mailbox.setOpen(false) }
    let unknown = [CommandResult.unknown("the link was closed before the device answered")]
    #expect(outcome.all == unknown && late.all == unknown && post.mailbox.pending == 0)
  }

  @Test func anAnswerOfAnEarlierLifeIsNobodys() {
    let post = Post()
    post.mailbox.ask(device: 1, ticket: 5, tag: "CARD", kind: "ISO14443")
    post.mailbox.setOpen(false)
    post.mailbox.prepare()
    post.mailbox.setOpen(true)
    post.desk.answer(.accepted)
    #expect(post.all().isEmpty)
  }

  @Test func questionsAreBoundedAndAnswered() {
    let post = Post()
    for ticket in 0..<66 { post.mailbox.ask(device: 1, ticket: UInt64(ticket), tag: "T", kind: "") }
    #expect(post.all() == [.verdict(ticket: 64, .undecided), .verdict(ticket: 65, .undecided)])
    post.desk.answer(.accepted)
    #expect(post.all() == (0..<64).map { LinkEvent.verdict(ticket: UInt64($0), .accepted) })
    post.mailbox.ask(device: 1, ticket: 66, tag: "T", kind: "")
    #expect(post.next() == nil)
  }

  @Test func aListThatChangesTwiceIsToldOnce() {
    let post = Post()
    post.mailbox.put(.listChanged)
    post.mailbox.put(.listChanged)
    #expect(post.all() == [.listChanged])
  }
}

@Suite struct MailboxTraceTests {
  @Test func aTraceShowsMessagesWithoutSecrets() {
    let trace = LinkTrace()
    let post = Post(trace)
    post.mailbox.connect {}
    let receiver = post.connect(FakeSocket())
    receiver.received(.text(Array("hello".utf8)))
    _ = post.all()
    _ = post.mailbox.send(text: true, Array(#"{"password":"x"}"#.utf8))
    receiver.closed(code: 1000, reason: "")
    #expect(
      trace.kept.map(\.content) == [
        .event(.opened), .received(Array("hello".utf8)), .sent(Array("(a message with a secret, left out)".utf8)), .event(.closed),
      ])
  }

  /// The guard is told once of all that comes; the trace of each.
  @Test func aTraceShowsTheEndOfEachConnectionOnce() {
    let trace = LinkTrace()
    let post = Post(trace)
    post.mailbox.connect {}
    // One that ends right behind its message, before anybody has looked.
    let hasty = post.connect(FakeSocket())
    hasty.received(.text([1]))
    hasty.closed(code: 1000, reason: "")
    // One whose place is taken, and one that the end of the link ends.
    let (old, last) = (post.connect(FakeSocket()), post.connect(FakeSocket()))
    last.received(.text([2]))
    old.closed(code: 1000, reason: "")
    post.mailbox.setOpen(false)
    last.closed(code: 1012, reason: "")
    post.mailbox.setOpen(false)
    #expect(
      trace.kept.map(\.content) == [
        .event(.opened), .received([1]), .event(.closed), .event(.opened), .event(.closed), .event(.opened), .received([2]), .event(.closed),
      ])
  }

  @Test(arguments: [
    (#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"61"}]"#, true),
    (#"[2,"1","SetNetworkProfile",{"connectionData":{"apn":{"apnPassword":"x"}}}]"#, true),
    (#"[2,"1","GetDiagnostics",{"location":"ftp://user:word@host/x"}]"#, true),
    (#"[2,"1","GetDiagnostics",{"location":"ftp:\/\/user:word@host\/x"}]"#, true),
    (#"[2,"1","GetDiagnostics",{"location":"ftp://host/x@y"}]"#, false), (#"[2,"1","DataTransfer",{"data":"a@b http://c"}]"#, false),
  ])
  func secretsStayOutOfTraces(_ message: String, _ isSecret: Bool) {
    #expect(SecretNames.appear(in: Array(message.utf8)) == isSecret)
  }
}
