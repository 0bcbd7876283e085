// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

@Suite struct EndpointTests {
  @Test(arguments: [
    ("tcp://192.168.1.20:502", "tcp://192.168.1.20:502"), ("TCP://Inverter.Local", "tcp://inverter.local"),
    ("tcp://10.0.0.1:502/", "tcp://10.0.0.1:502"), ("tls://meter:802", "tls://meter:802"),
    ("tcp://[FE80:0:0:0:0:0:0:1]:502", "tcp://[fe80::1]:502"), ("tcp://[fe80::1%eth0]", "tcp://[fe80::1%eth0]"),
    ("tcp://[::ffff:10.0.0.1]:1", "tcp://[::ffff:a00:1]:1"),
    ("tcp://[2001:db8:0:1:1:1:1:1]", "tcp://[2001:db8:0:1:1:1:1:1]"),
    ("tcp://[1:0:0:2:0:0:0:3]", "tcp://[1:0:0:2::3]"), ("tcp://[::]:1", "tcp://[::]:1"),
    ("serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=9600&parity=none&stop=1&bits=8"),
    ("serial:///dev/ttyUSB0?parity=even&baud=19200", "serial:///dev/ttyUSB0?baud=19200&parity=even&stop=1&bits=8"),
    ("serial:///dev/pts/3?stop=2&bits=7", "serial:///dev/pts/3?baud=9600&parity=none&stop=2&bits=7"),
    ("http://10.0.0.5", "http://10.0.0.5:80/"), ("https://Box/api/v1?x=1", "https://box:443/api/v1?x=1"),
    ("ws://10.0.0.5:8080/ocpp", "ws://10.0.0.5:8080/ocpp"), ("wss://10.0.0.5", "wss://10.0.0.5:443/"),
    ("mqtt:home", "mqtt:home"), ("listener:ocpp/CP-0001", "listener:ocpp/CP-0001"), ("listener:a/x*-_=+|@.Z", "listener:a/x*-_=+|@.Z"),
  ])
  func canonicalText(written: String, canonical: String) throws {
    let endpoint = try Endpoint(written)
    #expect(endpoint.text == canonical)
    #expect(try Endpoint(endpoint.text) == endpoint)
  }

  @Test(arguments: [
    "", "tcp", "tcp://", "tcp://:502", "tcp://a:b", "tcp://a:", "tcp://a:65536", "tcp://a:+1", "tcp://1.2.3",
    "tcp://1.2.3.4.5",
    "tcp://01.2.3.4", "tcp://a b", "tcp://-a", "tcp://a..b", "tcp://a:1?x=1", "tcp://a#b", "tcp://user:pw@a",
    "tcp://[::1", "tcp://[1:2]:3",
    "tcp://[:::]", "tcp://[1::2::3]", "tcp://[::1]x", "serial://", "serial:///", "serial://ttyUSB0",
    "serial:///dev/../etc", "serial:///dev/t?baud",
    "serial:///dev/t?baud=1&baud=1", "serial:///dev/t?bits=9", "serial:///dev/t?stop=+1", "serial:///dev/t?",
    "mqtt://home", "mqtt:", "mqtt:a/b",
    "listener:", "listener:a", "listener:a/", "listener:/b", "listener:a/b/c", "listener:a/b:c", "listener:a b/c", "listener:a/..",
    "listener:a/\(String(repeating: "b", count: 49))",
    "ftp://a", "http://", "http://a#b", "tcp://\(String(repeating: "a", count: 600))",
  ])
  func refused(text: String) {
    #expect(throws: ValueError.self) { try Endpoint(text) }
  }

  @Test func parts() throws {
    let tcp = try Endpoint("tcp://10.0.0.1")
    #expect(tcp.scheme == .tcp && tcp.port == nil && tcp.filled(port: 502).text == "tcp://10.0.0.1:502")
    #expect(try Endpoint("tcp://10.0.0.1:1502").filled(port: 502).port == 1502)
    let serial = try Endpoint("serial:///dev/ttyS1?baud=115200&parity=odd")
    #expect(serial.path == "/dev/ttyS1" && serial.serial == .init(baud: 115200, parity: .odd))
    #expect(serial.filled(port: 502) == serial)
    #expect(try Endpoint("mqtt:home").broker == "home")
    let http = try Endpoint("http://[::1]:8080/a?b=c")
    #expect(http.host == "::1" && http.port == 8080 && http.path == "/a" && http.query == "b=c")
  }

  @Test func anAddressWithAPasswordIsNotRepeated() {
    for text in ["tcp://gw:hunter2@10.0.0.1", "http://gw:hunter2@10.0.0.1/", "mqtts://gw:hunter2@broker"] {
      #expect(throws: ValueError.self) { try Endpoint(text) }
      do { _ = try Endpoint(text) } catch { #expect(!error.description.contains("hunter2")) }
    }
  }

  @Test func otherAddresses() throws {
    #expect(try BrokerAddress("mqtt://Broker") == BrokerAddress("mqtt://broker:1883/"))
    #expect(try BrokerAddress("mqtts://[::1]").description == "mqtts://[::1]:8883")
    #expect(throws: ValueError.self) { try BrokerAddress("tcp://broker") }
    #expect(throws: ValueError.self) { try BrokerAddress("mqtt://broker/x") }
    #expect(try ListenAddress("[::]:80").description == "[::]:80")
    #expect(throws: ValueError.self) { try ListenAddress("0.0.0.0") }
    #expect(try Subnet("10.1.0.0/16").description == "10.1.0.0/16")
    #expect(throws: ValueError.self) { try Subnet("10.1.0.0/15") }
  }
}

@Suite struct SecretTests {
  let folder = Folder()

  @Test func sources() throws {
    #expect(try Secret.value("hunter2").resolve(environment: [:]) == "hunter2")
    #expect(try Secret.environment("P").resolve(environment: ["P": "hunter2"]) == "hunter2")
    #expect(throws: SecretError.self) { try Secret.environment("P").resolve(environment: [:]) }
    #expect(try Secret.file(folder.write("a", "hunter2\r\n")).resolve(environment: [:]) == "hunter2")
    #expect(
      try Secret.file(folder.write("b", " two words \n\n", mode: 0o600)).resolve(environment: [:]) == " two words \n")
  }

  @Test func filesThatAreNoSecret() {
    func failure(_ path: String) -> String {
      do {
        return "got " + (try Secret.file(path).resolve(environment: [:]))
      } catch {
        return error.description.replacing(folder.path + "/", with: "")
      }
    }
    #expect(
      failure(folder.write("open", "hunter2", mode: 0o644))
        == "open is open to every user (mode 644); expected chmod 0640 or 0600")
    #expect(
      failure(folder.write("writable", "hunter2", mode: 0o602))
        == "writable is open to every user (mode 602); expected chmod 0640 or 0600")
    #expect(failure(folder.write("empty", "\n")) == "empty is empty; expected a file with the secret")
    #expect(
      failure(folder.write("binary", Data([0xFF, 0xFE]))) == "binary is not UTF-8; expected a file with the secret")
    #expect(failure(folder.path + "/none") == "none: there is no such file; expected a file with the secret")
    #expect(failure(folder.path).hasSuffix("this is not a regular file; expected a file with the secret"))
  }

  @Test func neverShown() throws {
    let secret = Secret.value("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    dump(Secret.environment("hunter3"), to: &dumped)
    let texts = ["\(secret)", String(reflecting: secret), String(describing: Optional(secret)), "\([secret])", dumped]
    #expect(texts.allSatisfy { !$0.contains("hunter2") })
    let (loaded, found) = Fixture.load(
      "host: { id: a }\nuplink: { url: mqtts://b, username: u, password: { value: hunter2 } }\nbuffer: { commit: x }\n")
    #expect(loaded == nil && found.count == 1)
    let (good, _) = Fixture.load(
      "host: { id: a }\nuplink: { url: mqtts://b, username: u, password: { value: hunter2 } }\n")
    var whole = ""
    dump(try #require(good), to: &whole)
    #expect(!whole.contains("hunter2") && !"\(good as Any)".contains("hunter2"))
  }

  @Test func aSecretThatOthersCanReadIsAMistakeOfTheConfiguration() {
    folder.write("mqtt", "hunter2", mode: 0o644)
    let (_, found) = Fixture.load(
      "host: { id: a }\nuplink:\n  url: mqtts://b\n  username: u\n  password: { file: mqtt }\n", in: folder)
    #expect(
      found.map { $0.description.replacing(folder.path + "/", with: "") } == [
        "busbar.yaml:5:21: uplink.password.file: mqtt is open to every user (mode 644); expected chmod 0640 or 0600"
      ])
  }
}
