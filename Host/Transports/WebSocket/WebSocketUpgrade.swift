// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket

/// The HTTP side of a connection until it is a WebSocket: reads one request, asks the door, answers.
final class WebSocketUpgrade: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// Filled by the upgrader where it refused; answered here, because the upgrader itself answers nothing.
  var refusal: WebSocketAdmission.Refusal?
  private var answered = false
  private let realm: String

  init(realm: String) { self.realm = realm }

  /// What reaches this handler is no request to become a WebSocket, or a refused one.
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data), !answered else { return }
    answered = true
    let asked = head.headers.contains(name: "upgrade")
    let refusal = refusal ?? .badRequest
    var headers = HTTPHeaders([("Connection", "close"), ("Content-Type", "text/plain; charset=utf-8")])
    if refusal == .unauthorized { headers.add(name: "WWW-Authenticate", value: "Basic realm=\"\(realm)\", charset=\"UTF-8\"") }
    if refusal == .tooManyRequests || refusal == .unavailable { headers.add(name: "Retry-After", value: "60") }
    let text = asked ? refusal.sentence : "This is a WebSocket server."
    headers.add(name: "Content-Length", value: "\(text.utf8.count)")
    let status: HTTPResponseStatus =
      asked ? HTTPResponseStatus(statusCode: Int(refusal.rawValue)) : .upgradeRequired
    if !asked { headers.add(name: "Upgrade", value: "websocket") }
    context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: text)))), promise: nil)
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A refused upgrade comes as an error first, and then as the request that is answered above.
    guard !(error is NIOWebSocketUpgradeError), !(error is HTTPServerUpgradeErrors) else { return }
    context.close(promise: nil)
  }
}

extension WebSocketAdmission.Refusal {
  var sentence: String {
    switch self {
    case .badRequest: "This is no WebSocket handshake, or it offers no subprotocol that is spoken here."
    case .unauthorized: "User or password is wrong."
    case .forbidden: "Not allowed."
    case .notFound: "There is nothing at this path."
    case .tooManyRequests: "Too many attempts; try again later."
    case .unavailable: "The server is busy; try again later."
    }
  }
}

extension WebSocketRequest {
  /// Nil where the path cannot be decoded or the header fields contradict each other.
  init?(head: HTTPRequestHead, address: String, tls: Bool, certificate: PeerCertificate?) {
    let raw = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? ""
    guard raw.utf8.count <= 1024, let path = Self.decoded(raw) else { return nil }
    let offers = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
    guard offers.count <= 16 else { return nil }
    let authorizations = head.headers["authorization"]
    guard authorizations.count <= 1 else { return nil }
    self.init(
      path: path, subprotocols: offers, login: authorizations.first.flatMap(Login.init(header:)), address: address, tls: tls,
      certificate: certificate)
  }

  private static func decoded(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
      rest = rest.dropFirst(2)
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension WebSocketRequest.Login {
  /// RFC 7617. Nil where it is of another scheme or no Base64.
  init?(header: String) {
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic", header.utf8.count <= 1024,
      let bytes = Self.decoded(parts[1].trimmingBlanks), let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    self.init(user: String(decoding: bytes[..<colon], as: UTF8.self), password: Array(bytes[(colon + 1)...]))
  }

  /// RFC 4648 section 4, padded or not.
  private static func decoded(_ text: Substring) -> [UInt8]? {
    let bare = text.prefix { $0 != "=" }
    let padding = text[bare.endIndex...]
    guard padding.utf8.count <= 2, padding.allSatisfy({ $0 == "=" }) else { return nil }
    let padded = bare + String(repeating: "=", count: (4 - bare.utf8.count % 4) % 4)
    return Data(base64Encoded: String(padded)).map { Array($0) }
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring { drop { $0 == " " }.prefix { $0 != " " } }
}
