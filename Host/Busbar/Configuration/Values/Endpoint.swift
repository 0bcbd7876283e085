// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Where a device or bus is reached (interfaces 1): `tcp://` `tls://` `serial://` `ws://` `wss://` `http://` `https://` `mqtt:`, or
/// where it comes in by itself: `listener:`.
/// Equal endpoints are one connection.
package struct Endpoint: Hashable, Sendable {
  package enum Scheme: String, Sendable, Codable, CaseIterable {
    case tcp, tls, serial, ws, wss, http, https, mqtt, listener

    /// The port that goes without saying; for tcp and tls that is the adapter's or template's business.
    package var port: Int? {
      switch self {
      case .ws, .http: 80
      case .wss, .https: 443
      case .tcp, .tls, .serial, .mqtt, .listener: nil
      }
    }

    package var isEncrypted: Bool { self == .tls || self == .wss || self == .https }
  }

  package enum Parity: String, Sendable, Codable, CaseIterable { case none, even, odd }

  /// How a serial line is set; 9600 8N1 where the address does not say.
  package struct Serial: Hashable, Sendable {
    package var baud: Int
    package var parity: Parity
    /// 1 or 2.
    package var stop: Int
    /// 5 to 8.
    package var bits: Int

    package init(baud: Int = 9600, parity: Parity = .none, stop: Int = 1, bits: Int = 8) {
      self.baud = baud
      self.parity = parity
      self.stop = stop
      self.bits = bits
    }
  }

  package var scheme: Scheme
  /// In lower case; IPv6 without brackets. Empty for serial and mqtt.
  package var host: String
  /// Nil where none is given and the scheme has none of its own.
  package var port: Int?
  /// The device file of a serial line; the path of a URL, "/" at least. Empty for tcp, tls and mqtt.
  package var path: String
  /// What stands after "?" in ws, wss, http and https, without it.
  package var query: String
  package var serial: Serial?
  /// The name of the local broker, for mqtt.
  package var broker: String?
  /// The name of the host's listener and the name under which the device comes to it, for listener.
  package var visitor: Visitor?

  package struct Visitor: Hashable, Sendable {
    package var listener: String
    package var identity: String
  }

  /// Throws a `ValueError` that says what is wrong and what an address looks like.
  package init(_ text: String) throws(ValueError) {
    guard text.utf8.count <= 512, text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
      throw ValueError("a blank, a control character or more than 512 bytes in the address", expected: Self.example)
    }
    if text.hasPrefix("mqtt:") {
      self = try Self.mqtt(text.dropFirst(5))
      return
    }
    if VisitorName.isEndpoint(text) {
      self = try Self.listener(text.dropFirst(VisitorName.scheme.count))
      return
    }
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw ValueError("the address has no scheme", expected: Self.example) }
    let name = parts[0].lowercased()
    guard let scheme = Scheme(rawValue: name) else {
      let question = Suggestion.question(name, in: Scheme.allCases.map(\.rawValue))
      throw ValueError("unknown scheme \"\(YAMLNode.short(name))\"\(question)", expected: Self.example)
    }
    self = try scheme == .serial ? Self.serial(parts[1]) : Self.network(scheme, parts[1])
  }

  /// The same endpoint always has the same text, however it was written.
  package var text: String {
    switch scheme {
    case .mqtt: return "mqtt:\(broker ?? "")"
    case .listener: return VisitorName.endpoint(visitor?.listener ?? "", visitor?.identity ?? "")
    case .serial:
      let serial = serial ?? Serial()
      return
        "serial://\(path)?baud=\(serial.baud)&parity=\(serial.parity.rawValue)&stop=\(serial.stop)&bits=\(serial.bits)"
    default:
      let name = host.contains(":") ? "[\(host)]" : host
      return "\(scheme.rawValue)://\(name)\(port.map { ":\($0)" } ?? "")\(path)\(query.isEmpty ? "" : "?" + query)"
    }
  }

  /// This endpoint with a port, where it has none and needs one.
  package func filled(port: Int?) -> Endpoint {
    guard self.port == nil, ![.serial, .mqtt, .listener].contains(scheme) else { return self }
    var filled = self
    filled.port = port
    return filled
  }

  static let example = "an address such as tcp://192.168.1.20:502 or serial:///dev/ttyUSB0?baud=9600&parity=none"
}

extension Endpoint: CustomStringConvertible {
  package var description: String { text }
}
