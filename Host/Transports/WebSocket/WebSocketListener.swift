// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket
internal import Synchronization

/// Accepts WebSockets on a port (RFC 6455). Who comes in is the door's business; this holds the limits.
package final class WebSocketListener: Sendable {
  private let channel: any Channel
  private let tls: Current
  /// The port in use, also where 0 was asked for.
  package let port: Int

  private init(channel: any Channel, tls: Current) {
    self.channel = channel
    self.tls = tls
    port = channel.localAddress?.port ?? 0
  }

  /// Listens from now on. `tls`: what the listener shows and asks for; nil = plain. Throws a sentence for a person.
  package static func listen(
    host: String, port: Int, tls: ServerTLSSettings?, door: any WebSocketDoor, limits: WebSocketLimits = WebSocketLimits()
  ) async throws(TransportError) -> WebSocketListener {
    let count = ConnectionCount(limits)
    let current = Current(tls)
    let turns = HandshakeTurns.All()
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 512)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.maxMessagesPerRead, value: 32)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      // A decoder keeps its last buffer, of each of thousands of connections.
      .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 1_024, maximum: 65_536))
      .childChannelInitializer { channel in
        guard let place = count.enter(channel.remoteAddress?.ipAddress ?? "") else { return channel.close() }
        channel.closeFuture.whenComplete { _ in place.leave() }
        let tls = current.settings.withLock { $0 }
        return channel.eventLoop.makeCompletedFuture {
          let attempt = Attempt()
          if tls != nil {
            let host = WebSocketRequest.host(channel.remoteAddress.map(Self.text) ?? "")
            let standing = door.standing(host)
            guard standing != .unwelcome, let turn = turns.of(channel.eventLoop).turn(standing, taken: { attempt.begin() }) else {
              return channel.close(promise: nil)
            }
            channel.closeFuture.whenComplete { _ in if attempt.isAbandoned { door.abandoned(host) } }
            try channel.pipeline.syncOperations.addHandler(turn)
          }
          try Self.prepare(channel, tls: tls, door: door, limits: limits, attempt) { place.arrived() }
        }
      }
    do {
      return WebSocketListener(channel: try await bootstrap.bind(host: host, port: port).get(), tls: current)
    } catch {
      throw TransportError(.address, "cannot listen on \(host):\(port): \(Self.reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: "another program listens there"
    case EADDRNOTAVAIL: "this machine has no such address"
    case EACCES: "the host may not use this port; those below 1024 need a right of their own"
    default: "\(error)"
    }
  }

  /// What new connections are shown from now on; those that stand keep what they have.
  package func renew(_ settings: ServerTLSSettings) { tls.settings.withLock { $0 = settings } }

  private final class Current: Sendable {
    let settings: Mutex<ServerTLSSettings?>

    init(_ settings: ServerTLSSettings?) { self.settings = Mutex(settings) }
  }

  /// No new connections any more; those that stand are the receivers' to close.
  package func stop() async { try? await channel.close().get() }

  private static func prepare(
    _ channel: any Channel, tls: ServerTLSSettings?, door: any WebSocketDoor, limits: WebSocketLimits, _ attempt: Attempt,
    arrived: @escaping @Sendable () -> Void
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    if let tls { try tls.add(to: channel) }
    // Slow handshakes are cut off, whatever they wait for.
    let cutOff = channel.eventLoop.scheduleTask(in: TimeAmount(limits.handshake)) {
      attempt.end()
      channel.close(promise: nil)
    }
    channel.closeFuture.whenComplete { _ in cutOff.cancel() }
    let answerer = WebSocketUpgrade(realm: "busbar")
    let bound = NIOLoopBound(answerer, eventLoop: channel.eventLoop)
    let admitted = NIOLoopBound(Admitted(), eventLoop: channel.eventLoop)
    let upgrader = NIOWebSocketServerUpgrader(
      maxFrameSize: limits.message, automaticErrorHandling: false,
      shouldUpgrade: { channel, head in
        let address = channel.remoteAddress.map(Self.text) ?? ""
        guard
          let request = WebSocketRequest(
            head: head, address: address, tls: tls != nil, certificate: tls == nil ? nil : Self.certificate(channel))
        else { return channel.eventLoop.makeSucceededFuture(nil) }
        attempt.end()
        let promise = channel.eventLoop.makePromise(of: WebSocketAdmission.self)
        promise.completeWithTask { await door.admit(request) }
        return promise.futureResult.map { admission -> HTTPHeaders? in
          switch admission {
          case .refuse(let refusal):
            bound.value.refusal = refusal
            return nil
          case .accept(let subprotocol, let receiver):
            admitted.value.receiver = receiver
            return subprotocol.isEmpty ? [:] : ["Sec-WebSocket-Protocol": subprotocol]
          }
        }
      },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          cutOff.cancel()
          arrived()
          guard let receiver = admitted.value.receiver else { return channel.close(promise: nil) }
          let pipeline = channel.pipeline.syncOperations
          pipeline.removeHandler(bound.value).whenFailure { _ in }
          try pipeline.addHandler(
            WebSocketConnection(channel: channel, receiver: receiver, limits: limits))
        }
      })
    var decoder = NIOHTTPDecoderLimitConfiguration()
    decoder.maxHeaderFieldSize = 8 << 10
    decoder.maxHeaderListSize = 16 << 10
    decoder.maxHeaderFieldCount = 64
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }),
      withErrorHandling: true)
    try pipeline.addHandler(answerer)
  }

  private static func text(_ address: SocketAddress) -> String {
    switch address {
    case .v4: "\(address.ipAddress ?? ""):\(address.port ?? 0)"
    case .v6: "[\(address.ipAddress ?? "")]:\(address.port ?? 0)"
    case .unixDomainSocket: ""
    }
  }

  /// What the door decided, between the answer and the finished handshake.
  private final class Admitted {
    var receiver: (any WebSocketReceiver)?
  }
}

/// How far a connection came that has not been let in: whoever makes the host begin TLS for nothing is known by it.
final class Attempt: Sendable {
  private enum State: Int, AtomicRepresentable { case new, begun, ended }

  private let state = Atomic<State>(.new)

  func begin() { _ = state.compareExchange(expected: .new, desired: .begun, ordering: .relaxed) }

  /// The door has judged it, or it was too slow, of which the host may be the cause.
  func end() { state.store(.ended, ordering: .relaxed) }

  var isAbandoned: Bool { state.load(ordering: .relaxed) == .begun }
}

/// How many connections a listener has, and how many of them are still shaking hands.
final class ConnectionCount: Sendable {
  private struct State {
    var open = 0
    var shaking = 0
    var byAddress: [String: Int] = [:]
  }

  private let state = Mutex(State())
  private let limits: WebSocketLimits

  init(_ limits: WebSocketLimits) { self.limits = limits }

  /// Nil where there is no room for one more.
  func enter(_ address: String) -> Place? {
    let admitted = state.withLock { state in
      guard state.open < limits.connections, state.shaking < limits.handshakes,
        state.byAddress[address, default: 0] < limits.handshakesOfOne
      else { return false }
      state.open += 1
      state.shaking += 1
      state.byAddress[address, default: 0] += 1
      return true
    }
    return admitted ? Place(self, address) : nil
  }

  fileprivate func change(_ address: String, arrived: Bool, left: Bool) {
    state.withLock { state in
      if left { state.open -= 1 }
      guard arrived else { return }
      state.shaking -= 1
      let count = state.byAddress[address, default: 1] - 1
      state.byAddress[address] = count > 0 ? count : nil
    }
  }

  /// Of one connection.
  final class Place: Sendable {
    private let count: ConnectionCount
    private let address: String
    private let shaking = Atomic<Bool>(true)

    fileprivate init(_ count: ConnectionCount, _ address: String) {
      self.count = count
      self.address = address
    }

    func arrived() { count.change(address, arrived: shaking.exchange(false, ordering: .relaxed), left: false) }
    func leave() { count.change(address, arrived: shaking.exchange(false, ordering: .relaxed), left: true) }
  }
}
