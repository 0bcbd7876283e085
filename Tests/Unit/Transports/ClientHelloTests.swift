// SPDX-License-Identifier: Apache-2.0

import BusbarTransports
import Testing

/// As OpenSSL's client writes it.
struct ClientHelloTests {
  /// TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256 alone.
  private static let classic = bytes(
    "16030100830100007f030338a5852212daae12f9953bab69d61b6b4b340a1a5d01f5e43dc5a4de8dfe2d6e000004c02f00ff01000052000b00040300"
    + "0102000a000c000a001d0017001e00190018002300000016000000170000000d002a0028040305030603080708080809080a080b0804080508060401"
    + "05010601030303010302040205020602")
  /// The same client with ECDHE-ECDSA-AES128-GCM-SHA256 alone: the lower byte of the first cipher suite is another one.
  private static let elliptic = {
    var bytes = classic
    bytes[47] = 0x2B
    return bytes
  }()

  private static func bytes(_ digits: String) -> [UInt8] {
    let values = digits.compactMap { $0.hexDigitValue.map { UInt8($0) } }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  @Test func tellsWhatTheClientCanCheck() {
    #expect(ClientHello.read(Self.classic) == .complete(takesElliptic: false))
    #expect(ClientHello.read(Self.elliptic) == .complete(takesElliptic: true))
    // Signatures of RSA only: what the cipher suite would allow it cannot check.
    var bytes = Self.elliptic
    let list = bytes.firstRange(of: [0x00, 0x0D, 0x00, 0x2A, 0x00, 0x28])?.upperBound ?? 0
    for place in stride(from: list, to: list + 40, by: 2) { (bytes[place], bytes[place + 1]) = (0x04, 0x01) }
    #expect(ClientHello.read(bytes) == .complete(takesElliptic: false))
  }

  @Test func waitsForAllOfIt() {
    for count in 0..<Self.classic.count { #expect(ClientHello.read(Self.classic.prefix(count)) == .incomplete) }
    // In two records.
    let content = Self.classic.dropFirst(5)
    let records = [content.prefix(40), content.dropFirst(40)].flatMap { [0x16, 3, 1, 0, UInt8($0.count)] + $0 }
    #expect(ClientHello.read(records) == .complete(takesElliptic: false))
    #expect(ClientHello.read(records.dropLast()) == .incomplete)
  }

  @Test func takesNothingElse() {
    #expect(ClientHello.read(Array("GET / HTTP/1.1\r\n".utf8)) == .invalid)
    #expect(ClientHello.read([0x16, 3, 1, 0, 0]) == .invalid)
    #expect(ClientHello.read([0x16, 3, 1, 0xFF, 0xFF]) == .invalid)
    // A message that says to be longer than any, and one that never ends.
    #expect(ClientHello.read([0x16, 3, 1, 0, 4, 1, 0xFF, 0, 0]) == .invalid)
    let endless = [[UInt8]](repeating: [0x16, 3, 1, 0, 1, 1], count: 4_000).flatMap { $0 }
    #expect(ClientHello.read(endless) == .invalid)
  }

  /// Every byte with every bit turned: any answer, and no trap.
  @Test func anythingMayComeOfIt() {
    for place in Self.classic.indices {
      for bit in 0..<8 {
        var bytes = Self.classic
        bytes[place] ^= 1 << UInt8(bit)
        _ = ClientHello.read(bytes)
      }
    }
  }
}
