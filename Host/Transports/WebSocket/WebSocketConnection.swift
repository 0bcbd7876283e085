// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOWebSocket
internal import Synchronization

/// One accepted connection after its handshake: frames in, messages out, and the other way round.
///
/// Everything is bounded: a message by its size and fragments, what waits for the far end by bytes, the far end's silence by
/// pings, its haste by a budget of frames.
final class WebSocketConnection: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame

  private let limits: WebSocketLimits
  private let receiver: any WebSocketReceiver
  private let sender: WebSocketSender

  private var assembling: (text: Bool, bytes: [UInt8], fragments: Int)?
  private var ending: (code: UInt16, reason: String)?
  private var closeSent = false
  /// Bytes that are still read after our closing: what was on its way, and the far end's own closing.
  private var remainder = 64 << 10
  private var told = false
  private var heard = true
  private var pings: RepeatedTask?
  private var budget: Int

  init(channel: any Channel, receiver: any WebSocketReceiver, limits: WebSocketLimits) {
    self.limits = limits
    self.receiver = receiver
    sender = WebSocketSender(channel: channel, limit: limits.waiting)
    budget = limits.frames
  }

  func handlerAdded(context: ChannelHandlerContext) {
    receiver.opened(sender)
    let silence = TimeAmount(limits.silence)
    let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    pings = context.eventLoop.scheduleRepeatedTask(initialDelay: silence, delay: silence) { _ in
      let (connection, context) = loopBound.value
      connection.lookForLife(context)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }
  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is NIOWebSocketError, !closeSent {
      close(context, error as? NIOWebSocketError == .invalidFrameLength ? 1009 : 1002, "frame not allowed")
    } else {
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    heard = true
    budget -= 1
    guard !closeSent else {
      remainder -= frame.length
      if frame.opcode == .connectionClose { context.close(promise: nil) } else if remainder < 0 { Self.hangUp(context.channel) }
      return
    }
    guard budget >= 0 else { return close(context, 1008, "too many messages") }
    // RFC 6455 sections 5.1 and 5.2.
    guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return close(context, 1002, "frame not allowed") }
    var data = frame.unmaskedData
    let bytes = data.readBytes(length: data.readableBytes) ?? []
    switch frame.opcode {
    case .text, .binary:
      guard assembling == nil else { return close(context, 1002, "a message inside of another") }
      guard frame.fin else {
        assembling = (frame.opcode == .text, [], 0)
        return append(context, bytes, last: false)
      }
      deliver(context, text: frame.opcode == .text, bytes)
    case .continuation:
      guard assembling != nil else { return close(context, 1002, "nothing to continue") }
      append(context, bytes, last: frame.fin)
    case .ping, .pong, .connectionClose:
      guard frame.fin, bytes.count <= 125 else { return close(context, 1002, "control frame not allowed") }
      if frame.opcode == .ping { write(context, .pong, bytes) }
      if frame.opcode == .connectionClose { answerClose(context, bytes) }
    default: close(context, 1002, "unknown kind of frame")
    }
  }

  private func append(_ context: ChannelHandlerContext, _ bytes: [UInt8], last: Bool) {
    guard var message = assembling else { return }
    assembling = nil
    message.fragments += 1
    guard message.bytes.count + bytes.count <= limits.message, message.fragments <= limits.fragments else {
      return close(context, 1009, "the message is too long")
    }
    message.bytes += bytes
    guard last else { return assembling = message }
    deliver(context, text: message.text, message.bytes)
  }

  private func deliver(_ context: ChannelHandlerContext, text: Bool, _ bytes: [UInt8]) {
    guard bytes.count <= limits.message else { return close(context, 1009, "the message is too long") }
    guard text else { return receiver.received(.binary(bytes)) }
    // RFC 6455 section 8.1.
    guard String(validating: bytes, as: UTF8.self) != nil else { return close(context, 1007, "the text is not UTF-8") }
    receiver.received(.text(bytes))
  }

  /// The far end closes, or answers our closing.
  private func answerClose(_ context: ChannelHandlerContext, _ bytes: [UInt8]) {
    let said = CloseFrame(bytes)
    close(context, said.answer.code, said.answer.reason)
    ending = (said.code, said.reason)
    context.close(mode: .all, promise: nil)
  }

  /// Whoever goes on sending after our closing is no longer listened to, whatever else waits for it.
  private static func hangUp(_ channel: any Channel) {
    channel.setOption(.autoRead, value: false).whenFailure { _ in }
    channel.close(promise: nil)
  }

  /// Half of a closing handshake; whoever does not answer it is cut off.
  private func close(_ context: ChannelHandlerContext, _ code: UInt16, _ reason: String) {
    guard !closeSent else { return }
    closeSent = true
    assembling = nil
    ending = (code, reason)
    write(context, .connectionClose, CloseFrame(code: code, reason: reason).bytes)
    let channel = context.channel
    context.eventLoop.scheduleTask(in: .seconds(5)) { Self.hangUp(channel) }
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    promise?.succeed(())
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? WebSocketSender.Closing { return close(context, event.code, event.reason) }
    if let event = event as? ChannelEvent, event == .inputClosed {
      context.close(promise: nil)
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func write(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ bytes: [UInt8]) {
    let frame = WebSocketFrame(fin: true, opcode: opcode, data: context.channel.allocator.buffer(bytes: bytes))
    context.writeAndFlush(NIOAny(frame), promise: nil)
  }

  private func lookForLife(_ context: ChannelHandlerContext) {
    // An interval of ten seconds brings the whole budget back, a shorter one its share.
    budget = min(limits.frames, budget + limits.frames * max(1, Int(limits.silence.components.seconds)) / 10)
    guard heard else {
      ending = ending ?? (1006, "nothing came any more")
      context.close(promise: nil)
      return
    }
    heard = false
    write(context, .ping, [])
  }

  private func end() {
    pings?.cancel()
    pings = nil
    sender.gone()
    guard !told else { return }
    told = true
    receiver.closed(code: ending?.code ?? 1006, reason: ending?.reason ?? "")
  }
}

/// What others hold of a connection.
final class WebSocketSender: WebSocketSending {
  struct Closing: Sendable {
    var code: UInt16
    var reason: String
  }

  private let channel: any Channel
  private let limit: Int
  private let waiting = Atomic<Int>(0)
  private let open = Atomic<Bool>(true)

  init(channel: any Channel, limit: Int) {
    self.channel = channel
    self.limit = limit
  }

  func send(_ message: WebSocketMessage) -> Bool {
    let (opcode, bytes): (WebSocketOpcode, [UInt8]) =
      switch message {
      case .text(let bytes): (.text, bytes)
      case .binary(let bytes): (.binary, bytes)
      }
    let count = bytes.count
    guard open.load(ordering: .acquiring), count <= limit else { return false }
    guard waiting.add(count, ordering: .relaxed).newValue <= limit else {
      waiting.subtract(count, ordering: .relaxed)
      return false
    }
    let frame = WebSocketFrame(fin: true, opcode: opcode, data: channel.allocator.buffer(bytes: bytes))
    channel.writeAndFlush(frame).whenComplete { [waiting = self] _ in
      waiting.waiting.subtract(count, ordering: .relaxed)
    }
    return true
  }

  func close(code: UInt16, reason: String) {
    channel.pipeline.fireUserInboundEventTriggered(Closing(code: code, reason: reason))
  }

  func pauseReading(_ paused: Bool) { channel.setOption(.autoRead, value: !paused).whenFailure { _ in } }

  var isOpen: Bool { open.load(ordering: .acquiring) }

  func gone() { open.store(false, ordering: .releasing) }
}
