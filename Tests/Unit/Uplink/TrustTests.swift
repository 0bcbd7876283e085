// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarMosquitto
import BusbarUplink
import Foundation
import Testing

/// Certificates made by openssl: two authorities, a broker for `localhost`, one client.
struct TestAuthority {
  let scratch: Scratch

  static func make() async throws -> TestAuthority {
    let scratch = try Scratch()
    try scratch.write("host.ext", "subjectAltName=DNS:localhost\n")
    try scratch.write("client.ext", "extendedKeyUsage=clientAuth\n")
    let script = """
      set -e
      cd \(scratch.path)
      key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
      for name in ca other; do
        openssl req -x509 $key -keyout $name.key -out $name.pem -days 2 -subj "/CN=$name authority"
      done
      for name in host client; do
        openssl req $key -keyout $name.key -out $name.csr -subj "/CN=$name"
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $name.ext -out $name.pem
      done
      openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -days -1 -extfile host.ext -out expired.pem
      openssl req $key -keyout stranger.key -out stranger.csr -subj /CN=stranger
      openssl x509 -req -in stranger.csr -CA other.pem -CAkey other.key -CAcreateserial -days 2 -out stranger.pem
      chmod 644 *.key
      """
    try await Program.run("/bin/sh", ["-c", script])
    return TestAuthority(scratch: scratch)
  }

  func file(_ name: String) -> String { "\(scratch.path)/\(name)" }

  func broker(_ certificate: String = "host.pem", clients: Bool = false) async throws -> Broker {
    var settings = ["allow_anonymous true", "certfile DIR/\(certificate)", "keyfile DIR/host.key", "cafile DIR/ca.pem"]
    if clients { settings.append("require_certificate true") }
    return try await Broker.start(settings, scratch: scratch)
  }

  func fixture(_ broker: Broker, host: String = "localhost", _ tls: UplinkSettings.TLS) -> UplinkFixture {
    UplinkFixture(port: broker.port, host: host) { $0.tls = tls }
  }
}

@Suite(.serialized, .timeLimit(.minutes(3)))
struct TrustTests {
  private func warning(_ fixture: UplinkFixture) async throws -> String {
    var line = ""
    try await fixture.run {
      line = try await fixture.logged("warning")
      #expect(fixture.uplink.status.version == nil)
      #expect(fixture.queue.state.value.acknowledged.isEmpty)
    }
    return line
  }

  @Test func `TLS with the right authority and name`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let fixture = authority.fixture(broker, .init(ca: authority.file("ca.pem")))
    try await fixture.run {
      fixture.queue.add(1...500)
      try await fixture.queue.acknowledged(count: 500)
      // Many small messages share one record of TLS: all of them are read, although the socket is silent.
      try await broker.logged("Sending SUBACK to busbar-gw-1")
      let lines = (1...300).map { #"{"id":"\#($0)","ts":1,"action":"a"}"# }.joined(separator: "\n")
      let file = try broker.scratch.write("lines", lines + "\n")
      let place = "-h localhost -p \(broker.port) --cafile \(authority.file("ca.pem")) -V mqttv5 -q 1"
      let topic = "devices/sol_test_1/commands/request"
      try await Program.run("/bin/sh", ["-c", "exec mosquitto_pub \(place) -t \(topic) -l < \(file)"])
      let requests = try await fixture.handler.requests(300)
      #expect(requests.map(\.id) == (1...300).map(String.init))
    }
  }

  @Test func `another authority is refused`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let line = try await warning(authority.fixture(broker, .init(ca: authority.file("other.pem"))))
    #expect(line.contains("was not issued by an authority in \(authority.file("other.pem")) (uplink.tls.ca)"))
  }

  @Test func `the system's authorities do not know it either`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let line = try await warning(authority.fixture(broker, .init()))
    #expect(line.contains("was not issued by an authority in the system's list"))
  }

  @Test func `a certificate for another host is refused`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let line = try await warning(authority.fixture(broker, host: "127.0.0.1", .init(ca: authority.file("ca.pem"))))
    #expect(line.contains("is for another host"))
    #expect(line.contains("not '127.0.0.1'"))
  }

  @Test func `a certificate that has expired is refused`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker("expired.pem")
    let line = try await warning(authority.fixture(broker, .init(ca: authority.file("ca.pem"))))
    #expect(line.contains("is not valid now (certificate has expired)"))
  }

  @Test func `a client certificate lets in`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker(clients: true)
    let tls = UplinkSettings.TLS(
      ca: authority.file("ca.pem"), certificate: authority.file("client.pem"), key: authority.file("client.key"))
    let fixture = authority.fixture(broker, tls)
    try await fixture.run {
      fixture.queue.add(1...3)
      try await fixture.queue.acknowledged(count: 3)
    }
  }

  @Test func `without a client certificate, or with a stranger's, the sentence says what is wanted`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker(clients: true)
    let without = try await warning(authority.fixture(broker, .init(ca: authority.file("ca.pem"))))
    #expect(without.contains("a client certificate"), "\(without)")
    let tls = UplinkSettings.TLS(
      ca: authority.file("ca.pem"), certificate: authority.file("stranger.pem"), key: authority.file("stranger.key"))
    let stranger = try await warning(authority.fixture(broker, tls))
    #expect(stranger.contains("stranger.pem (uplink.tls.certificate)"), "\(stranger)")
  }

  @Test func `files that are missing, empty or do not fit are named`() async throws {
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let ca = authority.file("ca.pem")
    let empty = try authority.scratch.write("empty.pem", "")
    let certificate = authority.file("client.pem")
    let cases: [(UplinkSettings.TLS, String)] = [
      (.init(ca: authority.file("absent.pem")), "uplink.tls.ca: \(authority.file("absent.pem")) cannot be read (No such file"),
      (.init(ca: empty), "\(empty) (uplink.tls.ca) holds no usable certificate"),
      (.init(ca: ca, certificate: empty, key: authority.file("client.key")), "\(empty) (uplink.tls.certificate) holds no"),
      (.init(ca: ca, certificate: certificate, key: empty), "\(empty) (uplink.tls.key) holds no usable key"),
      (.init(ca: ca, certificate: certificate, key: authority.file("stranger.key")), "does not belong to \(certificate)"),
    ]
    for (tls, sentence) in cases {
      let line = try await warning(authority.fixture(broker, tls))
      #expect(line.contains(sentence), "\(line)")
    }
  }

  @Test func `TLS against a plain port, and plain against a TLS port`() async throws {
    let plain = try await Broker.start()
    let line = try await warning(UplinkFixture(port: plain.port) { $0.tls = .init() })
    #expect(line.contains("127.0.0.1:\(plain.port)"))
    let authority = try await TestAuthority.make()
    let broker = try await authority.broker()
    let other = try await warning(UplinkFixture(port: broker.port))
    #expect(other.contains("mqtt:// or mqtts://"))
  }

  @Test func `a wrong password is told, without the password, and not tried all the time`() async throws {
    let scratch = try Scratch()
    let passwords = "\(scratch.path)/passwords"
    try await Program.run("/usr/bin/mosquitto_passwd", ["-c", "-b", passwords, "gw", "right"])
    try await Program.run("/bin/chmod", ["644", passwords])
    let broker = try await Broker.start(["allow_anonymous false", "password_file DIR/passwords"], scratch: scratch)
    let wrong = UplinkFixture(port: broker.port) { settings in
      settings.username = "gw"
      settings.password = "geheim"
      settings.longestPause = .seconds(600)
    }
    try await wrong.run {
      let line = try await wrong.logged("refused user 'gw'")
      #expect(line.contains("check uplink.username and uplink.password"))
      #expect(wrong.uplink.status.state == .disconnected)
      #expect(wrong.uplink.status.reason?.contains("refused user 'gw'") == true)
      #expect(!wrong.log.value.contains { $0.contains("geheim") })

      let right = UplinkFixture(port: broker.port) { settings in
        settings.clientID = "right"
        settings.username = "gw"
        settings.password = "right"
      }
      try await right.run {
        right.queue.add(1...100)
        try await right.queue.acknowledged(count: 100)
      }
      #expect(wrong.uplink.status.state == .disconnected, "it waits for a person")
    }
  }

  @Test func `nobody there, no such name`() async throws {
    let nobody = try await warning(UplinkFixture(port: 1))
    #expect(nobody.contains("no connection to mqtt://127.0.0.1:1 (Connection refused)"))
    let nameless = try await warning(UplinkFixture(port: 1883, host: "no-such-host.invalid"))
    #expect(nameless.contains("'no-such-host.invalid' in uplink.url has no address"))
  }

  @Test func `a second host with the same id is told apart from a bad network`() async throws {
    let broker = try await Broker.start()
    let first = UplinkFixture(port: broker.port)
    try await first.run {
      try await first.connected()
      let second = UplinkFixture(port: broker.port)
      try await second.run {
        try await first.logged("does another client use the id 'busbar-gw-1'?")
      }
    }
  }
}
