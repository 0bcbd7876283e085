// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import Testing

/// Requests and certificates as OpenSSL writes them.
struct PublicKeyInfoTests {
  private static let request = """
    -----BEGIN CERTIFICATE REQUEST-----
    MIHKMHECAQAwDzENMAsGA1UEAwwEQ1AtMTBZMBMGByqGSM49AgEGCCqGSM49AwEH
    A0IABDF9QnNtuoygXFK4+xpFjZVedFI88gH0QLFAn15ctpUU3PTVFFbupcQvyRB2
    YbGAFvTwtz3QaGNlTr3NMfeJBcqgADAKBggqhkjOPQQDAgNJADBGAiEAzPTEylDc
    XtYOgnOwRO2vMQdvhh+HB5XLaSomzRCyx+kCIQCKAr8mDgvsXwDdmfu85V2zICRS
    266RijFfioWdT7OxiQ==
    -----END CERTIFICATE REQUEST-----
    """
  private static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBdTCCARugAwIBAgIUbMbg1aujOIIwrAimy4bzariIVSUwCgYIKoZIzj0EAwIw
    DzENMAsGA1UEAwwEQ1AtMTAgFw0yNjExMjkxMTMwMDdaGA8yMTI2MTEwNTExMzAw
    N1owDzENMAsGA1UEAwwEQ1AtMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDF9
    QnNtuoygXFK4+xpFjZVedFI88gH0QLFAn15ctpUU3PTVFFbupcQvyRB2YbGAFvTw
    tz3QaGNlTr3NMfeJBcqjUzBRMB0GA1UdDgQWBBQTXDF5OECuBGUEKUvMJyjvvmOD
    6DAfBgNVHSMEGDAWgBQTXDF5OECuBGUEKUvMJyjvvmOD6DAPBgNVHRMBAf8EBTAD
    AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDxL+YO9ncbHCT4uzvKRs9NwbEGZz2UC7TO
    5Fm2jKvaTQIgMaLJnF0EtbYgsGd2sP1ZUTtfSLDjsP4ygeJfXPj2UDI=
    -----END CERTIFICATE-----
    """
  /// Of another key, for the same name.
  private static let other = """
    -----BEGIN CERTIFICATE-----
    MIIBdTCCARugAwIBAgIUBK/S2+HY0KcJ1st3agUudcXO81MwCgYIKoZIzj0EAwIw
    DzENMAsGA1UEAwwEQ1AtMTAgFw0yNjExMjkxMTMwMDhaGA8yMTI2MTEwNTExMzAw
    OFowDzENMAsGA1UEAwwEQ1AtMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPIy
    mlgdqERDPTQOLqeEze2QcF+hBbjTn/8d3cp31Qb2rzi3q9G3A+WYXltJB4QQx5yt
    koVUdQ6Lhl415kqkUIWjUzBRMB0GA1UdDgQWBBT7fIbVZDIzvs3xDC8+aneh+Wnx
    lzAfBgNVHSMEGDAWgBT7fIbVZDIzvs3xDC8+aneh+WnxlzAPBgNVHRMBAf8EBTAD
    AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCQRM4RCZLGNEODnkp6g8zOL1pREcwbNxiZ
    0PbFtSdELwIgNstnTiAVsjeM5WPr/mr57JNXAChLOcgu8leXC6ZDLbE=
    -----END CERTIFICATE-----
    """

  @Test func aCertificateIsForTheKeyOfItsRequest() throws {
    let asked = try #require(PublicKeyInfo(request: Self.request))
    #expect(PublicKeyInfo(certificate: Self.certificate) == asked)
    #expect(try #require(PublicKeyInfo(certificate: Self.other)) != asked)
    // Of a chain the first one counts.
    #expect(PublicKeyInfo(certificate: Self.certificate + "\n" + Self.other) == asked)
  }

  @Test func whatIsNoneHasNoKey() {
    for text in ["", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "nonsense"] {
      #expect(PublicKeyInfo(certificate: text) == nil)
      #expect(PublicKeyInfo(request: text) == nil)
    }
  }

  /// Cut anywhere, and each letter another one: any answer, and no trap.
  @Test func anythingMayComeOfIt() {
    let letters = Array(Self.certificate)
    for place in letters.indices {
      _ = PublicKeyInfo(certificate: String(letters[..<place]))
      for letter in ["A", "/", "8"] as [Character] {
        var changed = letters
        changed[place] = letter
        _ = PublicKeyInfo(certificate: String(changed))
        _ = PublicKeyInfo(request: String(changed))
      }
    }
  }
}
