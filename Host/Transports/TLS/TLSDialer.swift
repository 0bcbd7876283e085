// SPDX-License-Identifier: Apache-2.0

internal import BusbarOpenSSL
internal import BusbarSecurity
internal import BusbarSystem
internal import Glibc
internal import Synchronization

/// Makes a connected socket a TLS connection whose plain bytes a plugin gets.
enum TLSDialer {
  /// Why the last connection to an endpoint ended, where TLS knows more than that it did: with TLS 1.3 a server judges the
  /// host's certificate when the host takes the connection for made.
  private static let endings = Mutex<[StreamEndpoint: String]>([:])
  private static let endingsLimit = 1024

  static func ending(_ endpoint: StreamEndpoint) -> String? { endings.withLock { $0[endpoint] } }

  /// `connect` makes the TCP connection. Blocks for the handshake, until the deadline at most.
  static func open(
    _ endpoint: StreamEndpoint, host: String, port: UInt16, _ settings: TLSSettings, deadline: Int64, stop: CallSignal,
    connect: () throws(TransportError) -> Descriptor
  ) throws(TransportError) -> Descriptor {
    // Files first: what is wrong with them is wrong without the device too.
    let client = try TLSContexts.shared.client(settings, host: host)
    let name = "\(host):\(port)"
    let socket = try connect()
    let (plugin, inner) = try pair()
    let hasCertificate = settings.certificate != nil
    endings.withLock { $0[endpoint] = nil }
    let tunnel = TLSTunnel { end in
      guard let sentence = TLSFailure.sentence(end, name, hasCertificate: hasCertificate) else { return }
      endings.withLock { endings in
        if endings.count >= endingsLimit { endings.removeAll() }
        endings[endpoint] = sentence
      }
    }
    let serverName = settings.name ?? host
    let wakeup = Wakeup()
    let side = TLSSide.client(client.context, name: isAddress(serverName) ? nil : serverName)
    try tunnel.start(on: socket, to: inner, as: side, wakeup: wakeup)
    try finish(tunnel, wakeup, trust: client.trust, name, hasCertificate: hasCertificate, deadline, stop)
    return plugin
  }

  /// The server's side of the handshake on a connection that was accepted. Blocks as `open` does; files are read again
  /// when they have changed. What comes back carries the plain bytes.
  static func accept(
    _ connection: Descriptor, _ settings: TLSServerSettings, deadline: Int64, stop: CallSignal
  ) throws(TransportError) -> Descriptor {
    let server = try TLSContexts.shared.server(settings)
    let (plain, inner) = try pair()
    let tunnel = TLSTunnel { _ in }
    let wakeup = Wakeup()
    try tunnel.start(on: connection, to: inner, as: .server(server.context, asks: server.trust != nil), wakeup: wakeup)
    try finish(tunnel, wakeup, trust: server.trust, "a client", hasCertificate: true, deadline, stop)
    return plain
  }

  /// Returns when the handshake is done.
  private static func finish(
    _ tunnel: TLSTunnel, _ wakeup: Wakeup, trust: PeerTrust?, _ name: String, hasCertificate: Bool, _ deadline: Int64,
    _ stop: CallSignal
  ) throws(TransportError) {
    var objection: String?
    while true {
      _ = Poll.wait([(wakeup.descriptor.number, .read), (stop.descriptor, .read)], until: deadline)
      switch tunnel.next() {
      case .certificates(let chain):
        objection = trust?.objection(to: chain.compactMap { try? Certificate(der: $0) })
        tunnel.judged(trusted: trust != nil && objection == nil)
      case .open: return
      case .failed(let error):
        if let objection { throw TransportError(.untrusted, "\(name) \(objection)") }
        throw TransportError(.refused, TLSFailure.sentence(error, name, hasCertificate: hasCertificate))
      case nil:
        if stop.isSet {
          tunnel.abandon()
          throw TransportError(.cancelled, "connecting to \(name) was cancelled")
        }
        guard Clock.boot() >= deadline else { continue }
        tunnel.abandon()
        throw TransportError(
          .timeout, "\(name) takes the connection and does not finish the TLS handshake: is it a TLS port, and is the device busy?")
      }
    }
  }

  private static func pair() throws(TransportError) -> (plugin: Descriptor, inner: Descriptor) {
    var numbers: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &numbers) == 0 else {
      throw TransportError(.other, "no file left for a TLS connection: \(systemError(errno))")
    }
    return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
  }

  /// An address has no place in the server name of a ClientHello (RFC 6066, 3).
  private static func isAddress(_ name: String) -> Bool {
    var bytes: [UInt8] = Array(repeating: 0, count: 16)
    return unsafe inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1
  }
}
