// SPDX-License-Identifier: Apache-2.0

/// Where to search, as a person writes it: an endpoint, or a range of addresses with or without a port.
package enum SearchTarget: Equatable, Sendable {
  case endpoint(Endpoint)
  case range(Subnet, port: Int?)

  static let example = "tcp://192.168.1.20:502, 192.168.1.0/24, 192.168.1.0/24:1502 or serial:///dev/ttyUSB0?baud=9600"

  /// `tcp://192.168.1.20`, `192.168.1.20:502`, `192.168.1.0/24`, `tcp://192.168.1.0/24:1502`, `/dev/ttyUSB0`.
  package init(_ text: String) throws(ValueError) {
    let address = text.hasPrefix("tcp://") ? text.dropFirst(6) : text[...]
    if address.hasPrefix("/dev/") {
      self = .endpoint(try Self.endpoint("serial://\(address)"))
    } else if let slash = address.firstIndex(of: "/"), !address.contains("://"), slash != address.startIndex {
      self = try Self.range(address, slash)
    } else {
      self = .endpoint(try Self.endpoint(text.contains("://") || text.hasPrefix("mqtt:") ? text : "tcp://\(text)"))
    }
  }

  private static func endpoint(_ text: String) throws(ValueError) -> Endpoint {
    let endpoint = try Endpoint(text)
    guard [.tcp, .serial].contains(endpoint.scheme) else {
      throw ValueError("nothing can be searched behind \(endpoint.scheme.rawValue)", expected: example)
    }
    return endpoint
  }

  private static func range(_ text: Substring, _ slash: Substring.Index) throws(ValueError) -> SearchTarget {
    guard let colon = text[slash...].firstIndex(of: ":") else { return .range(try Subnet(String(text)), port: nil) }
    let digits = text[text.index(after: colon)...]
    guard let port = Int(digits), (1...65535).contains(port), !digits.hasPrefix("+") else {
      throw ValueError("\"\(YAMLNode.short(String(digits)))\" is no port", expected: "a port from 1 to 65535")
    }
    return .range(try Subnet(String(text[..<colon])), port: port)
  }

  /// The same target always has the same text.
  package var text: String {
    switch self {
    case .endpoint(let endpoint): endpoint.text
    case .range(let subnet, let port): subnet.description + (port.map { ":\($0)" } ?? "")
    }
  }
}

extension Subnet {
  /// Where devices may be: without the address of the network itself and the one for all, where there are such.
  package var addresses: [String] {
    if let first = IPv4(address[...]) {
      let count = UInt32(1) << UInt32(32 - prefix)
      let hosts = prefix >= 31 ? 0..<count : 1..<(count - 1)
      return hosts.map { IPv4(value: first.value + $0).text }
    }
    guard var first = IPv6(address[...]) else { return [] }
    let low = first.groups[7]
    return (0..<(UInt32(1) << UInt32(128 - prefix))).map { offset in
      first.groups[7] = low | UInt16(truncatingIfNeeded: offset)
      return first.text
    }
  }
}
