// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// TLS handshakes of one event loop, one after the other: between two of them the connections that stand have their say.
///
/// A signature costs as much processor as dozens of messages, and handshakes come in crowds: after a power cut, or from whoever means
/// harm. Each pays with a pause as long as itself; those of doubtful origin wait for all others, and take a tenth of the time at most.
/// Confined to its loop.
final class HandshakeTurns {
  /// Doubtful ones that may wait; beyond, newer ones have to come again.
  private static let mostDoubtful = 256
  /// Waiting that costs less than looking at the clock.
  private static let leastPause = TimeAmount.microseconds(200)

  private let loop: any EventLoop
  private var waiting: CircularBuffer<HandshakeTurn> = []
  private var doubtful: CircularBuffer<HandshakeTurn> = []
  private var isUnderWay = false
  /// Before this time no doubtful one has its turn.
  private var doubtfulFrom = NIODeadline.uptimeNanoseconds(0)

  init(_ loop: any EventLoop) { self.loop = loop }

  /// Nil where there is no room for one more. `taken` is called when it has its turn.
  func turn(_ standing: WebSocketStanding, taken: @escaping () -> Void) -> HandshakeTurn? {
    guard standing == .welcome || doubtful.count < Self.mostDoubtful else { return nil }
    return HandshakeTurn(self, isDoubtful: standing != .welcome, taken)
  }

  fileprivate func wait(_ turn: HandshakeTurn) {
    if turn.isDoubtful { doubtful.append(turn) } else { waiting.append(turn) }
    guard !isUnderWay else { return }
    isUnderWay = true
    carryOn(in: .zero)
  }

  private func carryOn(in pause: TimeAmount) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.scheduleTask(in: pause) { bound.value.next() }
  }

  private func next() {
    let start = NIODeadline.now()
    guard let turn = take(start) else {
      guard !doubtful.isEmpty else { return isUnderWay = false }
      return carryOn(in: max(Self.leastPause, min(doubtfulFrom - start, .milliseconds(5))))
    }
    turn.go()
    let spent = NIODeadline.now() - start
    if turn.isDoubtful { doubtfulFrom = start + TimeAmount.nanoseconds(spent.nanoseconds * 10) }
    carryOn(in: max(Self.leastPause, spent))
  }

  /// Of those that still stand.
  private func take(_ now: NIODeadline) -> HandshakeTurn? {
    while let turn = waiting.popFirst() { if turn.isWaiting { return turn } }
    while now >= doubtfulFrom, let turn = doubtful.popFirst() { if turn.isWaiting { return turn } }
    return nil
  }

  /// Those of all loops.
  final class All: Sendable {
    private let byLoop = Mutex<[ObjectIdentifier: NIOLoopBound<HandshakeTurns>]>([:])

    /// On this loop.
    func of(_ loop: any EventLoop) -> HandshakeTurns {
      byLoop.withLock { all in
        let key = ObjectIdentifier(loop)
        if let found = all[key] { return found.value }
        let made = NIOLoopBound(HandshakeTurns(loop), eventLoop: loop)
        all[key] = made
        return made.value
      }
    }
  }
}

/// Holds back the beginning of a handshake until it has its turn. Afterwards it is gone.
final class HandshakeTurn: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// The first message of a client is shorter; what follows waits for an answer.
  private static let most = 16 << 10

  let isDoubtful: Bool
  private(set) var isWaiting = false
  private let turns: HandshakeTurns
  private let taken: () -> Void
  private var received = ByteBuffer()
  private var context: ChannelHandlerContext?

  fileprivate init(_ turns: HandshakeTurns, isDoubtful: Bool, _ taken: @escaping () -> Void) {
    self.turns = turns
    self.taken = taken
    self.isDoubtful = isDoubtful
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    guard received.readableBytes <= Self.most else { return context.close(promise: nil) }
    guard !isWaiting else { return }
    (isWaiting, self.context) = (true, context)
    turns.wait(self)
  }

  func channelReadComplete(context: ChannelHandlerContext) {}

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  private func leave() { (isWaiting, context) = (false, nil) }

  fileprivate func go() {
    guard let context else { return }
    leave()
    taken()
    context.fireChannelRead(wrapInboundOut(received))
    context.fireChannelReadComplete()
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
