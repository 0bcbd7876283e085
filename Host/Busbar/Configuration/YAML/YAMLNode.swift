// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// One node of a YAML file, typed by the core schema of YAML 1.2, with the place where it stands. Aliases and merge keys
/// are resolved; depth and count are bounded by the reader.
package struct YAMLNode: Sendable {
  package enum Content: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case sequence([YAMLNode])
    case mapping([YAMLMember])
  }

  package var content: Content
  package var place: Place
  /// A scalar as it was written, without quotes: `0x34` for 52. Empty for lists and maps.
  package var source: String

  package init(_ content: Content, place: Place, source: String = "") {
    self.content = content
    self.place = place
    self.source = source
  }
}

/// A key and its value. Keys are text, also where they look like numbers.
package struct YAMLMember: Sendable {
  package var key: String
  package var place: Place
  package var value: YAMLNode

  package init(key: String, place: Place, value: YAMLNode) {
    self.key = key
    self.place = place
    self.value = value
  }
}

extension YAMLNode {
  package var isNull: Bool { if case .null = content { true } else { false } }
  package var members: [YAMLMember]? { if case .mapping(let members) = content { members } else { nil } }
  package var items: [YAMLNode]? { if case .sequence(let items) = content { items } else { nil } }

  package subscript(_ key: String) -> YAMLNode? { members?.first { $0.key == key }?.value }

  /// A text, or a number as it was written: `id: 0815` is the text 0815.
  package var text: String? {
    switch content {
    case .text(let text): text
    case .integer, .number: source
    default: nil
    }
  }

  package var json: JSONValue {
    switch content {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .text(let value): .string(value)
    case .sequence(let items): .array(items.map(\.json))
    case .mapping(let members):
      .object(Dictionary(members.map { ($0.key, $0.value.json) }, uniquingKeysWith: { _, last in last }))
    }
  }

  /// The node in words, for messages. Long texts are cut.
  package var found: String {
    switch content {
    case .null: "nothing"
    case .boolean(let value): value ? "true" : "false"
    case .integer, .number: "the number \(Self.short(source))"
    case .text(let text): text.isEmpty ? "an empty text" : "the text \"\(Self.short(text))\""
    case .sequence: "a list"
    case .mapping: "a map"
    }
  }

  /// At most `limit` characters, without control characters.
  package static func short(_ text: String, limit: Int = 60) -> String {
    let scalars = text.unicodeScalars
    let clean = String(String.UnicodeScalarView(scalars.prefix(limit).map { $0.value < 0x20 ? " " : $0 }))
    return scalars.count > limit ? clean + "…" : clean
  }

  /// This map with the members of `upper` over it, key by key, also inside.
  package func overlaid(by upper: YAMLNode) -> YAMLNode {
    guard case .mapping(var members) = content, case .mapping(let others) = upper.content else { return upper }
    for other in others {
      if let index = members.firstIndex(where: { $0.key == other.key }) {
        members[index] = YAMLMember(
          key: other.key, place: other.place, value: members[index].value.overlaid(by: other.value))
      } else {
        members.append(other)
      }
    }
    return YAMLNode(.mapping(members), place: upper.place)
  }
}
