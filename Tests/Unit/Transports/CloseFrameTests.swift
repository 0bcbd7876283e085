// SPDX-License-Identifier: Apache-2.0

import BusbarTransports
import Testing

/// RFC 6455 section 7.4.
struct CloseFrameTests {
  private static func bytes(_ code: UInt16, _ reason: String = "") -> [UInt8] { [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.utf8 }

  @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] as [UInt16])
  func codesThatMayBeSentAre(_ code: UInt16) {
    #expect(CloseFrame(Self.bytes(code, "why")) == CloseFrame(code: code, reason: "why"))
  }

  @Test(arguments: [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
  func othersAreAMistakeOfTheFarEnd(_ code: UInt16) {
    #expect(CloseFrame(Self.bytes(code)).code == 1002)
  }

  @Test func whatIsNoneIsSaidToBeNone() {
    #expect(CloseFrame([]) == CloseFrame(code: 1005, reason: ""))
    #expect(CloseFrame([3]).code == 1002)
    #expect(CloseFrame(Self.bytes(1000) + [0xFF, 0xFE]).code == 1007)
    #expect(CloseFrame(Self.bytes(1000, "a\u{1B}[2J\nb")).reason == "a[2Jb")
  }
}
