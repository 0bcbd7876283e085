// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CLinux
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// TLS on a connected socket, and a socket pair on whose far side a plugin reads and writes plain bytes, as if it were
/// TCP. One thread carries all tunnels of the process.
///
/// Closing the far side of the pair ends the connection, and the connection's end, by whatever cause, is the end of the
/// stream at the pair. A half that is shut is shut at the other side too.
final class TLSTunnel: Sendable {
  enum Step: Sendable {
    /// The far end's certificates wait for a verdict: `judged`.
    case certificates([[UInt8]])
    case open
    case failed(any Error)
  }

  private static let handlerName = "tls"
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private let state = Mutex(State())
  private let onEnd: @Sendable (End) -> Void

  /// How a connection ended that had been open.
  struct End: Sendable {
    /// Nil = in order.
    var error: (any Error)?
    /// The far end had sent something.
    var hasReceived: Bool
  }

  private struct State {
    var steps: [Step] = []
    /// Of who takes the steps; nobody waits any more once the connection is open.
    weak var wakeup: Wakeup?
    var verdict: EventLoopPromise<NIOSSLVerificationResult>?
    var channel: (any Channel)?
    var isOpen = false
    var hasReceived = false
    /// Its end was told.
    var isTold = false
    var isOver = false
  }

  /// `onEnd` is told once how the far end ended a connection that was open, before the pair's far side sees the end.
  init(onEnd: @escaping @Sendable (End) -> Void) { self.onEnd = onEnd }

  /// Begins the handshake, and wakes whoever has to take a step of it. The tunnel lives until its connection ends.
  func start(on socket: Descriptor, to plain: Descriptor, as side: TLSSide, wakeup: Wakeup) throws(TransportError) {
    state.withLock { $0.wakeup = wakeup }
    let outer = try Self.moved(socket)
    let inner: Int32
    do throws(TransportError) { inner = try Self.moved(plain) } catch {
      close(outer)
      throw error
    }
    let loop = Self.group.next()
    loop.execute { [self] in
      let near = NIOLoopBound(TLSRelay(), eventLoop: loop)
      let far = NIOLoopBound(TLSRelay { [self] in note($0) }, eventLoop: loop)
      TLSRelay.join(near.value, far.value)
      let bootstrap = ClientBootstrap(group: loop)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .channelOption(.writeBufferWaterMark, value: TLSRelay.waterMark)
      let plain = bootstrap.channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(near.value) }
      }.withConnectedSocket(inner)
      let secure = bootstrap.channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(try side.handler { [self] in ask($0, $1) }, name: Self.handlerName)
          try pipeline.addHandler(far.value)
        }
      }.withConnectedSocket(outer)
      secure.whenSuccess { channel in
        let late = self.state.withLock { state in
          state.channel = channel
          return state.isOver
        }
        if late { self.cut(channel) }
      }
      for end in [plain, secure] {
        end.whenFailure { error in
          self.push(.failed(error))
          self.abandon()
        }
      }
    }
  }

  /// The next step that has not been taken yet.
  func next() -> Step? {
    state.withLock { state in
      state.wakeup?.drain()
      guard !state.steps.isEmpty else { return nil }
      // Each of the others has its own look.
      if state.steps.count > 1 { state.wakeup?.wake() }
      return state.steps.removeFirst()
    }
  }

  func judged(trusted: Bool) {
    let verdict = state.withLock { state in
      defer { state.verdict = nil }
      return state.verdict
    }
    verdict?.succeed(trusted ? .certificateVerified : .failed)
  }

  /// Ends it at once, without the words that belong to an orderly end.
  func abandon() {
    let channel = state.withLock { state in
      state.isOver = true
      return state.channel
    }
    judged(trusted: false)
    if let channel { channel.eventLoop.execute { self.cut(channel) } }
  }

  private func cut(_ channel: any Channel) {
    // From the place of the TLS handler on, so that it does not wait for the far end's answer.
    let context = try? channel.pipeline.syncOperations.context(name: Self.handlerName)
    if let context { context.close(promise: nil) } else { channel.close(promise: nil) }
  }

  private func ask(_ certificates: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
    let chain = certificates.prefix(16).compactMap { try? $0.toDERBytes() }
    let over = state.withLock { state in
      if !state.isOver { state.verdict = promise }
      return state.isOver
    }
    if over { promise.succeed(.failed) } else { push(.certificates(chain)) }
  }

  private func note(_ event: TLSRelay.Event) {
    switch event {
    case .inbound(let event as TLSUserEvent):
      guard case .handshakeCompleted = event else { return }
      state.withLock { $0.isOpen = true }
      push(.open)
    case .inbound(let event):
      if event as? ChannelEvent == .inputClosed { tell(nil) }
    case .received: state.withLock { $0.hasReceived = true }
    case .error(let error):
      if state.withLock({ $0.isOpen }) { tell(error) } else { push(.failed(error)) }
    case .inactive:
      if !state.withLock({ $0.isOpen }) { push(.failed(NIOSSLError.uncleanShutdown)) }
      judged(trusted: false)
      state.withLock { $0.channel = nil }
    }
  }

  /// The first cause counts: the others follow from it.
  private func tell(_ error: (any Error)?) {
    let end = state.withLock { state -> End? in
      guard state.isOpen, !state.isTold else { return nil }
      state.isTold = true
      return End(error: error, hasReceived: state.hasReceived)
    }
    if let end { onEnd(end) }
  }

  private func push(_ step: Step) {
    state.withLock { state in
      state.steps.append(step)
      state.wakeup?.wake()
    }
  }

  /// A number of the event loop's own for what the descriptor names, beyond those that plugins can use.
  private static func moved(_ descriptor: Descriptor) throws(TransportError) -> Int32 {
    var number = busbar_dup_above(descriptor.number, StreamDialer.descriptorLimit)
    // A limit below that leaves the low ones.
    if number < 0, errno == EINVAL { number = busbar_dup_above(descriptor.number, 0) }
    guard number >= 0 else { throw TransportError(.other, "no file left for a TLS connection: \(systemError(errno))") }
    return number
  }
}
