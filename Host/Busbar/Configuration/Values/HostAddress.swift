// SPDX-License-Identifier: Apache-2.0

/// A host name or address and a port, as they stand in a URL.
struct HostAddress: Equatable {
  /// In lower case; IPv6 without brackets, in its shortest form.
  var host: String
  var port: Int?

  /// `host`, `host:502`, `192.168.1.20:502`, `[fe80::1%eth0]:502`.
  init(_ text: Substring) throws(ValueError) {
    guard !text.contains("@") else {
      throw ValueError(
        "a user name or password stands in the address", expected: "host:port, and the password as a secret of its own")
    }
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), let address = IPv6(text[text.index(after: text.startIndex)..<end])
      else {
        throw ValueError("\"\(YAMLNode.short(String(text)))\" is no IPv6 address", expected: "[fd00::20]:502")
      }
      host = address.text
      port = try Self.port(text[text.index(after: end)...])
    } else {
      let colon = text.firstIndex(of: ":") ?? text.endIndex
      guard !text[colon...].dropFirst().contains(":") else {
        throw ValueError("an IPv6 address without brackets", expected: "[ADDRESS]:PORT, such as [fd00::20]:502")
      }
      host = try Self.name(text[..<colon])
      port = try Self.port(text[colon...])
    }
  }

  var text: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(name):\($0)" } ?? name
  }

  private static func port(_ text: Substring) throws(ValueError) -> Int? {
    guard !text.isEmpty else { return nil }
    let digits = text.dropFirst()
    guard text.first == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.utf8.count <= 5,
      let port = Int(digits), (1...65535).contains(port)
    else { throw ValueError("\"\(YAMLNode.short(String(digits)))\" is no port", expected: "a port from 1 to 65535") }
    return port
  }

  /// A DNS name or an IPv4 address.
  static func name(_ text: Substring) throws(ValueError) -> String {
    let expected = "a host name or an address, such as inverter.local or 192.168.1.20"
    guard !text.isEmpty else { throw ValueError("the host is missing", expected: expected) }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    if labels.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) {
      guard let address = IPv4(text) else {
        throw ValueError(
          "\"\(YAMLNode.short(String(text)))\" is no IPv4 address", expected: "four numbers from 0 to 255")
      }
      return address.text
    }
    let good =
      text.utf8.count <= 253
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
          && label.utf8.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
          }
      }
    guard good else { throw ValueError("\"\(YAMLNode.short(String(text)))\" is no host", expected: expected) }
    return text.lowercased()
  }
}

struct IPv4: Equatable {
  var value: UInt32

  init(value: UInt32) { self.value = value }

  init?(_ text: Substring) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    value = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let byte = UInt8(part), part == "0" || !part.hasPrefix("0")
      else { return nil }
      value = value << 8 | UInt32(byte)
    }
  }

  var text: String { "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)" }
}

struct IPv6: Equatable {
  var groups: [UInt16]
  /// The interface of a link-local address, `eth0`.
  var zone: String?

  init?(_ text: Substring) {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first, !address.contains(":::") else { return nil }
    if parts.count == 2 {
      let name = parts[1]
      guard (1...15).contains(name.utf8.count),
        name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x5D })
      else { return nil }
      zone = String(name)
    }
    guard let gap = Self.gap(address) else {
      guard let all = Self.groups(address), all.count == 8 else { return nil }
      groups = all
      return
    }
    guard let head = Self.groups(address[..<gap.lowerBound]), let tail = Self.groups(address[gap.upperBound...]),
      head.count + tail.count < 8
    else { return nil }
    groups = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
  }

  /// The form of RFC 5952: lower case, the longest run of zeros as `::`.
  var text: String {
    var best = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index - start > max(1, best.count) { best = start..<index }
      start = index + 1
    }
    let words = groups.map { String($0, radix: 16) }
    let body =
      best.isEmpty
      ? words.joined(separator: ":")
      : words[..<best.lowerBound].joined(separator: ":") + "::" + words[best.upperBound...].joined(separator: ":")
    return body + (zone.map { "%\($0)" } ?? "")
  }

  private static func gap(_ text: Substring) -> Range<Substring.Index>? {
    var index = text.startIndex
    while index < text.endIndex {
      let next = text.index(after: index)
      if text[index] == ":", next < text.endIndex, text[next] == ":" { return index..<text.index(after: next) }
      index = next
    }
    return nil
  }

  private static func groups(_ text: Substring) -> [UInt16]? {
    if text.isEmpty { return [] }
    var groups: [UInt16] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains("."), let address = IPv4(part) {
        groups += [UInt16(address.value >> 16), UInt16(address.value & 0xFFFF)]
      } else {
        guard (1...4).contains(part.utf8.count), part.first != "+", part.first != "-",
          let group = UInt16(part, radix: 16)
        else { return nil }
        groups.append(group)
      }
    }
    return groups
  }
}
