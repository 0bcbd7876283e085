// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import BusbarTransports
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamExchangeTests {
  private static let answer = bytes("hello\nrest")
  private static let single = answer.map { [$0] }

  @Test(arguments: Wire.Kind.allCases)
  func readsExactlyTheLengthFromFragments(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    let sent = Background { wire.send(Self.single) }
    #expect(await exchange(wire, until: .length(7)) == Outcome(reply: bytes("hello\nr")))
    #expect(await exchange(wire, until: .length(3)) == Outcome(reply: bytes("est")))
    await sent.end()
  }

  @Test(arguments: Wire.Kind.allCases)
  func stopsBehindTheByte(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    let sent = Background { wire.send([Array(Self.answer[..<2]), Array(Self.answer[2...])]) }
    #expect(await exchange(wire, until: .byte(0x0A)) == Outcome(reply: bytes("hello\n")))
    // What follows belongs to the next answer.
    #expect(await exchange(wire, until: .length(4)) == Outcome(reply: bytes("rest")))
    await sent.end()
  }

  @Test(arguments: Wire.Kind.allCases)
  func takesWhatIsThere(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    wire.write(bytes("abc"))
    let first = await exchange(wire, until: .some)
    #expect(first.failure == nil)
    #expect(!first.reply.isEmpty)
    let rest = await exchange(wire, until: .length(3 - first.reply.count))
    #expect(first.reply + rest.reply == bytes("abc"))
  }

  @Test(arguments: Wire.Kind.allCases)
  func readsUntilItIsQuiet(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    let sent = Background { wire.send(Self.single) }
    #expect(await exchange(wire, until: .quiet(2000)) == Outcome(reply: Self.answer))
    await sent.end()
    #expect(await exchange(wire, until: .quiet(1)) == Outcome(reply: []))
  }

  @Test func quietThatTheDeadlineEndsIsATimeout() async throws {
    let wire = try Wire.make(.tcp)
    let outcome = await exchange(wire, until: .quiet(60_000), deadline: after(milliseconds: 50))
    #expect(outcome.failure?.cause == .timeout)
  }

  @Test(arguments: Wire.Kind.allCases)
  func sendsTheRequestFirst(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    async let asked = blocking {
      let request = wire.receive(4)
      wire.write(request.reversed())
      return request
    }
    #expect(await exchange(wire, bytes("ping"), until: .length(4)) == Outcome(reply: bytes("gnip")))
    #expect(await asked == bytes("ping"))
  }

  @Test func aLongRequestIsSentAsTheDeviceTakesIt() async throws {
    let wire = try Wire.make(.tcp)
    // More than both socket buffers hold.
    let request = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    async let outcome = exchange(wire, request, until: .length(1))
    let received = await blocking { wire.receive(request.count) }
    #expect(received == request)
    wire.write([7])
    #expect(await outcome == Outcome(reply: [7]))
  }

  @Test func aRequestThatNobodyTakesEndsAtTheDeadline() async throws {
    let wire = try Wire.make(.tcp)
    let request = [UInt8](repeating: 0, count: 16 << 20)
    let outcome = await exchange(wire, request, until: .length(1), deadline: after(milliseconds: 100))
    #expect(outcome == Outcome(reply: [], failure: TransportError(.timeout, "the request could not be sent in time")))
  }

  @Test(arguments: Wire.Kind.allCases)
  func silenceEndsAtTheDeadline(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    for until in [StreamExchange.Until.length(1), .byte(0), .some] {
      let outcome = await exchange(wire, until: until, deadline: after(milliseconds: 20))
      #expect(outcome == Outcome(reply: [], failure: TransportError(.timeout, "no answer in time")))
    }
    #expect(await exchange(wire, until: .some, deadline: after(milliseconds: -1)).failure?.cause == .timeout)
  }

  @Test(arguments: Wire.Kind.allCases)
  func aPartOfTheAnswerIsHandedOverWithTheTimeout(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    wire.write(bytes("abc"))
    let outcome = await exchange(wire, until: .length(9), deadline: after(milliseconds: 200))
    #expect(outcome.reply == bytes("abc"))
    #expect(outcome.failure == TransportError(.timeout, "only 3 bytes of the answer came in time"))
  }

  @Test(arguments: Wire.Kind.allCases)
  func anotherThreadCancels(kind: Wire.Kind) async throws {
    let wire = try Wire.make(kind)
    let stop = CallSignal()
    async let cancelled: Void = blocking {
      // The request is there: the call waits for the answer, or is about to.
      _ = wire.receive(1)
      stop.set()
    }
    let outcome = await exchange(wire, [1], until: .length(1), stop: stop)
    #expect(outcome == Outcome(reply: [], failure: TransportError(.cancelled, "the call was cancelled")))
    await cancelled
    // The signal is ready for the next call.
    stop.clear()
    wire.write([5])
    #expect(await exchange(wire, until: .length(1), stop: stop) == Outcome(reply: [5]))
  }

  @Test func anAnswerThatIsThereCountsMoreThanACancellation() async throws {
    let wire = try Wire.make(.tcp)
    wire.write([9])
    let stop = CallSignal()
    stop.set()
    // In case the byte is still on its way.
    _ = Poll.wait([(wire.ours.number, .read)], until: later())
    #expect(await exchange(wire, until: .length(1), stop: stop) == Outcome(reply: [9]))
    #expect(await exchange(wire, until: .length(1), stop: stop).failure?.cause == .cancelled)
  }

  @Test(arguments: Wire.Kind.allCases)
  func theFarEndCloses(kind: Wire.Kind) async throws {
    var wire: Wire? = try Wire.make(kind)
    let ours = try #require(wire?.ours)
    if kind == .tcp { wire?.write(bytes("ab")) }
    wire = nil
    let half = Wire(ours: ours, device: ours)
    let outcome = await exchange(half, until: .length(3))
    #expect(outcome.reply == (kind == .tcp ? bytes("ab") : []))
    #expect(outcome.failure == TransportError(.closed, "the far end closed the connection"))
    // And stays closed, for reading and for writing: no signal ends the process.
    for _ in 0..<3 { #expect(await exchange(half, [1], until: .some).failure?.cause == .closed) }
  }

  @Test func whatDoesNotFitIsAFailure() async throws {
    let wire = try Wire.make(.tcp)
    wire.write([UInt8](repeating: 1, count: 100))
    #expect(await exchange(wire, until: .length(11), capacity: 10).failure?.cause == .noSpace)
    let byte = await exchange(wire, until: .byte(0), capacity: 10)
    #expect(
      byte
        == Outcome(
          reply: .init(repeating: 1, count: 10), failure: TransportError(.noSpace, "the answer is longer than 10 bytes")
        ))
    let quiet = await exchange(wire, until: .quiet(1000), capacity: 10)
    #expect(quiet.failure?.cause == .noSpace)
    #expect(quiet.reply.count == 10)
    // `some` takes as much as fits; the rest stays for the next one.
    #expect(await exchange(wire, until: .some, capacity: 10) == Outcome(reply: .init(repeating: 1, count: 10)))
    #expect(await exchange(wire, until: .length(70)) == Outcome(reply: .init(repeating: 1, count: 70)))
  }

  @Test func anEndlessAnswerEndsAtTheCapacity() async throws {
    let wire = try Wire.make(.tcp)
    let stop = CallSignal()
    async let flood: Void = blocking {
      while !stop.isSet {
        if case .wouldBlock = wire.device.write([UInt8](repeating: 0x39, count: 4096)[...]) {
          _ = Poll.wait([(wire.device.number, .write), (stop.descriptor, .read)], until: later())
        }
      }
    }
    for until in [StreamExchange.Until.byte(0x0A), .quiet(1000)] {
      let outcome = await exchange(wire, until: until, capacity: 65_536)
      #expect(outcome.reply.count == 65_536)
      #expect(outcome.failure?.cause == .noSpace)
    }
    stop.set()
    await flood
  }

  @Test func pauses() async {
    let stop = CallSignal()
    #expect(await blocking { StreamExchange.pause(milliseconds: 1, deadline: later(), stop: stop) })
    #expect(
      await blocking { !StreamExchange.pause(milliseconds: 60_000, deadline: after(milliseconds: 10), stop: stop) })
    async let whole = blocking { StreamExchange.pause(milliseconds: 60_000, deadline: later(), stop: stop) }
    stop.set()
    #expect(await whole == false)
    // A length that no clock has.
    #expect(await blocking { !StreamExchange.pause(milliseconds: Int(UInt32.max), deadline: .max, stop: stop) })
  }
}
