// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// Waits for the first message of a TLS handshake, and chooses the certificate that the client can use. Afterwards it is gone.
final class CertificateChoice: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let elliptic: NIOSSLContext
  private let classic: NIOSSLContext
  private var received = ByteBuffer()

  init(elliptic: NIOSSLContext, classic: NIOSSLContext) {
    self.elliptic = elliptic
    self.classic = classic
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    let hello = ClientHello.read(received.readableBytesView)
    if case .incomplete = hello { return }
    // What is no such message is for the library to refuse.
    let chosen = if case .complete(let takesElliptic) = hello, !takesElliptic { classic } else { elliptic }
    do {
      try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: chosen), position: .after(self))
    } catch {
      return context.close(promise: nil)
    }
    context.fireChannelRead(wrapInboundOut(received))
    context.fireChannelReadComplete()
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}

/// The first message of a client (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2), as far as it says which signatures the client
/// can check.
package enum ClientHello: Equatable {
  case incomplete
  case complete(takesElliptic: Bool)
  case invalid

  /// Longest that is waited for; all in one record in practice.
  private static let longest = 16 << 10

  package static func read(_ bytes: some RandomAccessCollection<UInt8>) -> ClientHello {
    var message: [UInt8] = []
    var rest = Array(bytes.prefix(longest + 512))[...]
    // Records of a handshake, whose contents follow each other.
    while true {
      // Also records that are all but empty end somewhere: what is not complete is kept.
      guard rest.count >= 5 else { return rest.first ?? 22 == 22 && bytes.count <= longest ? .incomplete : .invalid }
      let length = Int(rest[rest.startIndex + 3]) << 8 | Int(rest[rest.startIndex + 4])
      guard rest[rest.startIndex] == 22, length > 0, length <= longest else { return .invalid }
      guard rest.count >= 5 + length else { return bytes.count > longest ? .invalid : .incomplete }
      message += rest.dropFirst(5).prefix(length)
      rest = rest.dropFirst(5 + length)
      guard message.count >= 4 else { continue }
      let whole = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
      guard message[0] == 1, whole <= longest else { return .invalid }
      if message.count >= 4 + whole { return body(message[4..<(4 + whole)]) }
    }
  }

  private static func body(_ bytes: ArraySlice<UInt8>) -> ClientHello {
    var reader = Reader(bytes)
    // Version, random, session.
    guard reader.skip(34), reader.vector(1) != nil, let suites = reader.vector(2), reader.vector(1) != nil else { return .invalid }
    let numbers = suites.pairs
    var schemes: [Int]?
    if let extensions = reader.vector(2) {
      var list = Reader(extensions)
      while let kind = list.number(2), let content = list.vector(2) {
        var inner = Reader(content)
        if kind == 13 { schemes = inner.vector(2)?.pairs }
      }
    }
    let suitable = numbers.contains { (0x1301...0x1305).contains($0) || Self.elliptic.contains($0) }
    let checks = schemes.map { $0.contains { $0 & 0xFF == 3 || (0x081A...0x081C).contains($0) } } ?? true
    return .complete(takesElliptic: suitable && checks)
  }

  /// TLS_ECDHE_ECDSA_… of TLS 1.2 (RFC 8422, 5289, 7905, 7251).
  private static let elliptic: Set<Int> = [
    0xC009, 0xC00A, 0xC023, 0xC024, 0xC02B, 0xC02C, 0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF, 0xCCA9,
  ]

  private struct Reader {
    var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func skip(_ count: Int) -> Bool {
      guard rest.count >= count else { return false }
      rest = rest.dropFirst(count)
      return true
    }

    mutating func number(_ count: Int) -> Int? {
      guard rest.count >= count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }

    /// A list with its length before it.
    mutating func vector(_ width: Int) -> ArraySlice<UInt8>? {
      guard let length = number(width), rest.count >= length else { return nil }
      defer { rest = rest.dropFirst(length) }
      return rest.prefix(length)
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var pairs: [Int] {
    stride(from: startIndex, to: endIndex - 1, by: 2).map { Int(self[$0]) << 8 | Int(self[$0 + 1]) }
  }
}
