// SPDX-License-Identifier: Apache-2.0

/// The id of a device in topics, tables and commands: `[A-Za-z0-9_-]`, 1 to 64 characters (interfaces 4).
package struct DeviceID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible, Comparable {
  package let rawValue: String

  /// Nil where the text is not an id.
  package init?(rawValue: String) {
    guard (1...64).contains(rawValue.utf8.count), rawValue.utf8.allSatisfy(Self.allowed) else { return nil }
    self.rawValue = rawValue
  }

  package var description: String { rawValue }

  package static func < (left: DeviceID, right: DeviceID) -> Bool { left.rawValue < right.rawValue }

  private static func allowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// The id made of kind, vendor and serial number or MAC address: `{prefix}_{vendor}_{serial}` in lower case, other
  /// characters as `-`, cut to 64 characters with 8 hex digits of an FNV-1a hash where it is longer (interfaces 4).
  package static func derived(kind: DeviceKind, vendor: String, serial: String) -> DeviceID? {
    guard !serial.isEmpty else { return nil }
    let short = Vendor.shortName(of: vendor)
    let text = "\(kind.prefix)_\(slug(short.isEmpty ? "unknown" : short))_\(slug(serial))"
    guard text.utf8.count > 64 else { return DeviceID(rawValue: text) }
    let digits = String(StableHash.of(text), radix: 16)
    return DeviceID(rawValue: String(text.prefix(55)) + "-" + String(repeating: "0", count: 8 - digits.count) + digits)
  }

  /// True where this id was made of that serial number.
  package func names(serial: String) -> Bool { rawValue.hasSuffix("_" + Self.slug(serial)) }

  private static func slug(_ text: String) -> String {
    String(
      text.lowercased().map { character in
        switch character {
        case "a"..."z", "0"..."9", "_", "-": character.isASCII ? character : "-"
        default: "-"
        }
      })
  }
}
