// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOWebSocket

/// The content of a frame that closes a connection (RFC 6455 sections 5.5.1 and 7.4).
package struct CloseFrame: Sendable, Equatable {
  /// 1005 where it says none; 1002 and 1007 where it was none that can be.
  package var code: UInt16
  /// Without characters of control.
  package var reason: String

  package init(code: UInt16, reason: String) {
    self.code = code
    self.reason = reason
  }

  /// As it came from the far end.
  package init(_ bytes: [UInt8]) {
    let code = bytes.count >= 2 ? UInt16(bytes[0]) << 8 | UInt16(bytes[1]) : 1005
    if bytes.isEmpty {
      (self.code, reason) = (1005, "")
    } else if bytes.count < 2 || !Self.isAllowed(code) {
      (self.code, reason) = (1002, "no code that can be sent")
    } else if let text = String(validating: bytes.dropFirst(2), as: UTF8.self) {
      (self.code, reason) = (code, String(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
    } else {
      (self.code, reason) = (1007, "the reason is not UTF-8")
    }
  }

  /// What may stand in a frame: 1000 to 1014 without those that only say how a connection ended (1004 to 1006), and those for
  /// libraries and applications. The rest of 1000 to 2999 is reserved for later versions of the protocol.
  private static func isAllowed(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// What it is answered with: its own code, or what was wrong with it.
  var answer: CloseFrame { code == 1002 || code == 1007 ? self : CloseFrame(code: code, reason: "") }

  var bytes: [UInt8] { code == 1005 ? [] : [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.utf8.prefix(123) }
}

extension WebSocketFrame {
  /// On the wire, about.
  var length: Int { data.readableBytes + 8 }
}
