// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// Where a charger of 2.0.1 finds its central system (NetworkConnectionProfileType; part 2, B09). A charger that takes a wrong one
/// is lost to whoever is not at its side, so what can be seen to be wrong is refused.
package struct NetworkProfile: Equatable, Sendable {
  package static let interfaces = [
    "Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3",
  ]

  package let slot: Int64
  package let url: String
  /// 1 and 2: a password; 3: a certificate; 2 and 3 over TLS. Profile 0 is none of the standard's.
  package let security: Int64
  /// OCPPInterfaceEnumType.
  package let interface: String
  /// Seconds that the charger waits for answers.
  package let timeout: Int64

  package init(slot: Int64, url: String, security: Int64, interface: String, timeout: Int64) throws(Refusal) {
    guard (0...1_000).contains(slot) else { throw Refusal(text: "\"slot\" is \(slot); expected 0 to 1000") }
    guard (1...3).contains(security) else { throw Refusal(text: "\"security\" is \(security); expected 1, 2 or 3") }
    let scheme = security == 1 ? "ws://" : "wss://"
    // The whole address, without the charger's own name at its end (part 2, NetworkConnectionProfileType).
    guard url.hasPrefix(scheme), url.utf8.count > scheme.utf8.count, url.utf8.count <= 512,
      url.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), !url.contains("@")
    else {
      throw Refusal(text: "\"url\" is not \(scheme)HOST with at most 512 characters and no password, which security profile \(security) has")
    }
    guard Self.interfaces.contains(interface) else {
      throw Refusal(text: "\"interface\" is \(interface.cut(to: 40)); expected one of \(Self.interfaces.joined(separator: ", "))")
    }
    guard (1...3_600).contains(timeout) else { throw Refusal(text: "\"timeout\" is \(timeout); expected 1 to 3600 seconds") }
    self.slot = slot
    self.url = url
    self.security = security
    self.interface = interface
    self.timeout = timeout
  }

  var json: JSON {
    [
      "configurationSlot": .integer(slot),
      "connectionData": [
        "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": .string(url), "messageTimeout": .integer(timeout),
        "securityProfile": .integer(security), "ocppInterface": .string(interface),
      ],
    ]
  }
}
