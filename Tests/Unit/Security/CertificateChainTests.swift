// SPDX-License-Identifier: Apache-2.0

import BusbarOpenSSL
import BusbarSecurity
import Testing

private let now: Int64 = 1_800_000_000
private let year: Int64 = 365 * 86400

private func own(_ key: PrivateKey, from: Int64 = now - 1, until: Int64 = now + year) throws -> Certificate {
  try key.selfSigned(subject: [NamePart("CN", "gw-test")], names: ["gw-test", "10.0.0.7"], from: from, until: until)
}

struct CertificateTests {
  @Test func saysWhatItWasMadeOf() throws {
    let key = try PrivateKey.makeP256()
    let certificate = try own(key)
    #expect(certificate.subject == "CN=gw-test")
    #expect(certificate.names == ["gw-test", "10.0.0.7"])
    #expect(certificate.notBefore == now - 1)
    #expect(certificate.notAfter == now + year)
    #expect(certificate.isSelfSigned)
    #expect(certificate.fits(key))
    #expect(try !certificate.fits(PrivateKey.makeP256()))
    #expect(certificate.keyIdentifier.count == 20)
    #expect(try Certificate(der: certificate.der) == certificate)
    #expect(try Certificate.all(pem: certificate.pem + Array("words\n".utf8) + certificate.pem) == [certificate, certificate])
  }

  @Test func datesBeyond2049() throws {
    let far: Int64 = 4_000_000_000
    #expect(try own(PrivateKey.makeP256(), until: far).notAfter == far)
  }

  @Test func keysSurviveTheirText() throws {
    let key = try PrivateKey.makeP256()
    #expect(try own(key).fits(PrivateKey(pem: key.pem())))
  }

  @Test(arguments: ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----"])
  func whatIsNeither(text: String) {
    #expect(throws: OpenSSLError.self) { try Certificate.all(pem: Array(text.utf8)) }
    #expect(throws: OpenSSLError.self) { try PrivateKey(pem: Array(text.utf8)) }
    #expect(throws: OpenSSLError.self) { try Certificate(der: Array(text.utf8)) }
  }

  /// Nothing of a key is in what an error says.
  @Test func errorsDoNotQuote() throws {
    var pem = try PrivateKey.makeP256().pem()
    let secret = String(decoding: pem, as: UTF8.self).split(separator: "\n")[1].prefix(20)
    pem[60] = UInt8(ascii: "!")
    #expect {
      try PrivateKey(pem: pem)
    } throws: { !"\($0)".contains(secret) }
  }
}

struct TrustTests {
  @Test func verdicts() throws {
    let key = try PrivateKey.makeP256()
    let certificate = try own(key, from: 0, until: 4_000_000_000)
    let store = try TrustStore([certificate])
    #expect(store.judge([certificate], as: .server(name: "gw-test")) == .trusted)
    #expect(store.judge([certificate], as: .server(name: "GW-TEST")) == .trusted)
    #expect(store.judge([certificate], as: .server(name: "10.0.0.7")) == .trusted)
    #expect(store.judge([certificate], as: .client) == .trusted)
    #expect(store.judge([certificate], as: .server(name: "other")) == .wrongName)
    #expect(store.judge([certificate], as: .server(name: "10.0.0.8")) == .wrongName)
    #expect(store.judge([certificate], as: .server(name: "")) == .wrongName)
    #expect(store.judge([], as: .client) != .trusted)
    let stranger = try own(PrivateKey.makeP256(), from: 0, until: 4_000_000_000)
    #expect(store.judge([stranger], as: .server(name: "gw-test")) == .unknownAuthority)
    // A known one behind it does not help.
    #expect(store.judge([stranger, certificate], as: .server(name: "gw-test")) == .unknownAuthority)
    let old = try own(key, from: 0, until: 1)
    #expect(try TrustStore([old]).judge([old], as: .server(name: "gw-test")) == .expired)
    let young = try own(key, from: 4_000_000_000, until: 4_000_000_001)
    #expect(try TrustStore([young]).judge([young], as: .server(name: "gw-test")) == .notYetValid)
  }

  @Test func pinsLookAtTheCertificateAlone() throws {
    let certificate = try own(PrivateKey.makeP256(), from: 0, until: 1)
    #expect(PeerTrust.fingerprint(certificate.fingerprint).objection(to: [certificate]) == nil)
    let other = try own(PrivateKey.makeP256())
    #expect(PeerTrust.fingerprint(certificate.fingerprint).objection(to: [other, certificate])?.contains("tls.fingerprint") == true)
    #expect(PeerTrust.fingerprint(certificate.fingerprint).objection(to: []) != nil)
    #expect(PeerTrust.fingerprint([]).objection(to: [other]) != nil)
  }
}

struct CertificateChainTests {
  @Test func ownAlone() throws {
    let key = try PrivateKey.makeP256()
    let certificate = try own(key)
    #expect(try CertificateChain.order([certificate], for: key, now: now) == [certificate])
    #expect(try CertificateChain.order([certificate, certificate], for: key, now: now) == [certificate])
  }

  @Test func strangersAreRefused() throws {
    let key = try PrivateKey.makeP256()
    let stranger = try own(PrivateKey.makeP256())
    #expect(throws: SecurityError.self) { try CertificateChain.order([stranger], for: key, now: now) }
    #expect(throws: SecurityError.self) { try CertificateChain.order([own(key), stranger], for: key, now: now) }
    // Two for one key: which one is meant?
    #expect(throws: SecurityError.self) { try CertificateChain.order([own(key), own(key)], for: key, now: now) }
  }

  @Test(arguments: [(now, now + 1, true), (now + 1, now + 2, false), (now - 2, now, false)])
  func dates(from: Int64, until: Int64, good: Bool) throws {
    let key = try PrivateKey.makeP256()
    let certificate = try own(key, from: from, until: until)
    #expect((try? CertificateChain.order([certificate], for: key, now: now)) == (good ? [certificate] : nil))
  }
}

struct ExpiryWatchTests {
  @Test func tellsOnceOfEachStep() {
    var watch = ExpiryWatch()
    let end = now + 100 * 86400
    #expect(watch.note("it", until: end, now: now) == nil)
    #expect(watch.note("it", until: end, now: end - ExpiryWatch.notice - 1) == nil)
    #expect(watch.note("it", until: end, now: end - ExpiryWatch.notice)?.state == .expiring)
    #expect(watch.note("it", until: end, now: end - 1) == nil)
    #expect(watch.note("it", until: end, now: end)?.state == .expired)
    #expect(watch.note("it", until: end, now: end + year) == nil)
    // Renewed; and a clock that was wrong.
    #expect(watch.note("it", until: end + 10 * year, now: end)?.state == .good)
    #expect(watch.note("other", until: end, now: end)?.state == .expired)
  }
}
