// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// One half of a tunnel: what comes in here goes out at its partner, no faster than the partner's far end takes it. At
/// most the high-water mark and one read wait in between.
final class TLSRelay: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Bytes that wait for a far end, about; then no more is read for it.
  static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32_768, high: 65_536)

  private var partner: TLSRelay?
  private var context: ChannelHandlerContext?
  /// The channel wants to read and has to wait for the partner.
  private var wantsToRead = false
  private var hasReceived = false
  private let onEvent: (Event) -> Void

  enum Event {
    case inbound(Any)
    case error(any Error)
    /// The first bytes of the far end's.
    case received
    /// The connection is over, in whatever way.
    case inactive
  }

  /// `onEvent` is called on the channel's own thread.
  init(onEvent: @escaping (Event) -> Void = { _ in }) { self.onEvent = onEvent }

  static func join(_ one: TLSRelay, _ other: TLSRelay) {
    one.partner = other
    other.partner = one
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    partner = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !hasReceived {
      hasReceived = true
      onEvent(.received)
    }
    let partner = partner?.context
    partner?.write(Self.wrapOutboundOut(Self.unwrapInboundIn(data)), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { partner?.resume() }
  }

  func read(context: ChannelHandlerContext) {
    if partner?.context?.channel.isWritable == false {
      wantsToRead = true
    } else {
      context.read()
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    onEvent(.inbound(event))
    // The far end has said all that it wanted; it may still listen.
    if event as? ChannelEvent == .inputClosed { partner?.context?.close(mode: .output, promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    onEvent(.error(error))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    onEvent(.inactive)
    partner?.finish()
    partner = nil
  }

  private func resume() {
    guard wantsToRead else { return }
    wantsToRead = false
    context?.read()
  }

  /// Closes once what waits is sent.
  private func finish() {
    guard let context else { return }
    partner = nil
    context.writeAndFlush(Self.wrapOutboundOut(context.channel.allocator.buffer(capacity: 0))).assumeIsolated().whenComplete { _ in
      self.context?.close(promise: nil)
    }
  }
}
