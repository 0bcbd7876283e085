// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

extension Endpoint {
  /// Rates that Linux knows (termios.h).
  static let knownBauds = [
    300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
    1_000_000,
    1_152_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000,
  ]

  private init(scheme: Scheme, host: String = "", port: Int? = nil, path: String = "", query: String = "") {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    self.query = query
  }

  /// `mqtt:NAME`, the name of a broker of the configuration.
  static func mqtt(_ name: Substring) throws(ValueError) -> Endpoint {
    guard !name.isEmpty, name.utf8.count <= 64, Name.isValid(String(name)) else {
      throw ValueError(
        "\"mqtt:\" without the name of a broker", expected: "mqtt:NAME, with NAME from the section brokers")
    }
    var endpoint = Endpoint(scheme: .mqtt)
    endpoint.broker = String(name)
    return endpoint
  }

  /// `listener:NAME/IDENTITY`, the name of a listener of the configuration and the one under which the device comes to it.
  static func listener(_ text: Substring) throws(ValueError) -> Endpoint {
    let expected = "listener:NAME/IDENTITY, such as listener:ocpp/CP-0001, with NAME from the section listeners"
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, Name.isValid(parts[0]) else {
      throw ValueError("\"listener:\" without the name of a listener and a device", expected: expected)
    }
    guard VisitorName.isValid(parts[1]) else {
      throw ValueError(
        "\"\(YAMLNode.short(parts[1]))\" is no name that a device can come under",
        expected: "1 to 48 of A-Z a-z 0-9 * - _ = + | @ . after the name of the listener")
    }
    var endpoint = Endpoint(scheme: .listener)
    endpoint.visitor = Visitor(listener: parts[0], identity: parts[1])
    return endpoint
  }

  static func network(_ scheme: Scheme, _ text: Substring) throws(ValueError) -> Endpoint {
    let end = text.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
    let address = try HostAddress(text[..<end])
    let rest = text[end...]
    guard !rest.contains("#") else { throw ValueError("\"#\" has no meaning in an address", expected: Self.example) }
    let mark = rest.firstIndex(of: "?") ?? rest.endIndex
    let path = String(rest[..<mark])
    let query = String(rest[mark...].dropFirst())
    if scheme == .tcp || scheme == .tls {
      guard path.isEmpty || path == "/", query.isEmpty else {
        throw ValueError("something after the port", expected: "\(scheme.rawValue)://HOST:PORT and nothing more")
      }
      return Endpoint(scheme: scheme, host: address.host, port: address.port)
    }
    return Endpoint(
      scheme: scheme, host: address.host, port: address.port ?? scheme.port, path: path.isEmpty ? "/" : path,
      query: query)
  }

  /// `/dev/ttyUSB0?baud=19200&parity=even&stop=1&bits=8`.
  static func serial(_ text: Substring) throws(ValueError) -> Endpoint {
    let expected = "serial:///dev/ttyUSB0?baud=9600&parity=none&stop=1&bits=8"
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = String(parts[0])
    guard path.hasPrefix("/"), path.utf8.count > 1, !path.split(separator: "/").contains("..") else {
      throw ValueError("the path of the serial device is missing or not absolute", expected: expected)
    }
    var settings = Serial()
    var seen: Set<Substring> = []
    for pair in parts.dropFirst().first?.split(separator: "&", omittingEmptySubsequences: false) ?? [] {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = words[0]
      guard seen.insert(key).inserted else {
        throw ValueError("\"\(YAMLNode.short(String(key)))\" is there twice", expected: expected)
      }
      try settings.set(key, words.count == 2 ? words[1] : "")
    }
    var endpoint = Endpoint(scheme: .serial, path: path)
    endpoint.serial = settings
    return endpoint
  }
}

extension Endpoint.Serial {
  fileprivate mutating func set(_ key: Substring, _ value: Substring) throws(ValueError) {
    switch key {
    case "baud": baud = try number(key, value, among: Endpoint.knownBauds)
    case "stop": stop = try number(key, value, among: [1, 2])
    case "bits": bits = try number(key, value, among: [5, 6, 7, 8])
    case "parity":
      guard let known = Endpoint.Parity(rawValue: String(value)) else {
        throw ValueError("parity is \"\(YAMLNode.short(String(value)))\"", expected: "none, even or odd")
      }
      parity = known
    default:
      let names = ["baud", "parity", "stop", "bits"]
      let question = Suggestion.question(String(key), in: names)
      throw ValueError(
        "unknown setting \"\(YAMLNode.short(String(key)))\"\(question)", expected: Suggestion.list(names))
    }
  }

  private func number(_ key: Substring, _ value: Substring, among known: [Int]) throws(ValueError) -> Int {
    guard let number = Int(value), known.contains(number), !value.hasPrefix("+") else {
      throw ValueError(
        "\(key) is \"\(YAMLNode.short(String(value)))\"", expected: Suggestion.list(known.map { String($0) }, limit: 30)
      )
    }
    return number
  }
}
