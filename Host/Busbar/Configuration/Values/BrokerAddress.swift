// SPDX-License-Identifier: Apache-2.0

/// The address of an MQTT broker: `mqtt://host:1883` or `mqtts://host:8883`.
package struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  /// 1883, with TLS 8883, where the text does not say.
  package var port: Int
  package var tls: Bool

  package init(_ text: String) throws(ValueError) {
    let expected = "mqtt://HOST:1883 or mqtts://HOST:8883"
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= 300 else {
      throw ValueError("the address has no scheme", expected: expected)
    }
    switch parts[0].lowercased() {
    case "mqtt": tls = false
    case "mqtts": tls = true
    case let scheme: throw ValueError("unknown scheme \"\(YAMLNode.short(scheme))\"", expected: expected)
    }
    let rest = parts[1].hasSuffix("/") ? parts[1].dropLast() : parts[1]
    guard !rest.contains("/"), !rest.contains("?"), !rest.contains("#") else {
      throw ValueError("something after the port", expected: expected)
    }
    let address = try HostAddress(rest)
    host = address.host
    port = address.port ?? (tls ? 8883 : 1883)
  }

  package var description: String {
    "\(tls ? "mqtts" : "mqtt")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}

/// Where the host listens: `127.0.0.1:8480`, `[::]:8443`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  package var port: Int

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  package init(_ text: String) throws(ValueError) {
    let address = try HostAddress(text[...])
    guard let port = address.port else {
      throw ValueError("the port is missing", expected: "ADDRESS:PORT, such as 127.0.0.1:8480")
    }
    host = address.host
    self.port = port
  }

  package var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  /// Only this machine can reach it (RFC 5735, RFC 4291).
  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || IPv4(host[...]).map { $0.value >> 24 == 127 } ?? false
  }
}

/// A range of addresses to scan: `192.168.1.0/24`.
package struct Subnet: Hashable, Sendable, CustomStringConvertible {
  /// The first address, as text.
  package var address: String
  package var prefix: Int

  package init(_ text: String) throws(ValueError) {
    let expected = "a range such as 192.168.1.0/24, of at most 65,536 addresses"
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let prefix = Int(parts[1]), !parts[1].hasPrefix("+") else {
      throw ValueError("\"\(YAMLNode.short(text))\" is no range of addresses", expected: expected)
    }
    if let four = IPv4(parts[0]) {
      guard (16...32).contains(prefix) else {
        throw ValueError("/\(prefix) is too wide or not possible", expected: expected)
      }
      guard prefix == 32 || four.value << prefix == 0 else {
        throw ValueError("\(four.text) is not the first address of a /\(prefix)", expected: expected)
      }
      address = four.text
    } else if let six = IPv6(parts[0]) {
      guard (112...128).contains(prefix) else {
        throw ValueError("/\(prefix) is too wide or not possible", expected: expected)
      }
      address = six.text
    } else {
      throw ValueError("\"\(YAMLNode.short(text))\" is no range of addresses", expected: expected)
    }
    self.prefix = prefix
  }

  package var description: String { "\(address)/\(prefix)" }
}
