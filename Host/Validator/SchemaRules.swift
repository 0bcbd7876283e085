// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarModel

/// The subset of JSON Schema that hosts understand (SPEC.md 2.3), and settings by it.
enum SchemaRules {
  private static let words: Set = [
    "type", "enum", "const", "minimum", "maximum", "pattern", "default", "title", "description", "properties", "required",
    "items", "additionalProperties", "patternProperties", "minItems", "maxItems", "anyOf", "$schema", "$comment", "examples",
  ]
  private static let depth = 40

  /// A sentence about the first word that is not understood.
  static func unknownWord(_ schema: JSONValue, _ path: String, level: Int = 0) -> String? {
    guard let object = schema.object else { return nil }
    guard level < depth else { return "\(path) is nested too deeply" }
    for word in object.keys.sorted() where !words.contains(word) && !word.hasPrefix("x-") {
      return "\(path) uses \"\(word)\", which no host understands"
    }
    for (name, inner) in children(schema) {
      if let found = unknownWord(inner, "\(path)/\(name)", level: level + 1) { return found }
    }
    return nil
  }

  /// A sentence about the first default that its own schema forbids.
  static func badDefault(_ schema: JSONValue, _ path: String, level: Int = 0) -> String? {
    guard level < depth else { return nil }
    if let value = schema["default"] {
      let (_, found) = SchemaChecker.check(node(value), schema: schema, key: "default")
      if let first = found.first(where: { $0.severity == .error }) {
        return "\(path): its default \(value.text) does not obey it: \(first.expectation ?? first.message)"
      }
    }
    for (name, inner) in children(schema) {
      if let found = badDefault(inner, "\(path)/\(name)", level: level + 1) { return found }
    }
    return nil
  }

  /// Settings with what the schema has by default, and what is wrong with them.
  static func filled(_ settings: JSONValue, _ schema: JSONValue?) -> (JSONValue, [String]) {
    guard let schema else { return (settings, []) }
    let (value, found) = SchemaChecker.check(node(settings), schema: schema, key: "config")
    return (value, found.filter { $0.severity == .error }.map { "\($0.key): \($0.message)" })
  }

  private static func children(_ schema: JSONValue) -> [(String, JSONValue)] {
    var children: [(String, JSONValue)] = []
    for word in ["properties", "patternProperties"] {
      children += (schema[word]?.object ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    for word in ["items", "additionalProperties"] {
      if let inner = schema[word], inner.object != nil { children.append((word, inner)) }
    }
    children += (schema["anyOf"]?.array ?? []).enumerated().map { ("anyOf[\($0)]", $1) }
    return children
  }

  private static func node(_ json: JSONValue) -> YAMLNode {
    let place = Place(file: "manifest")
    let content: YAMLNode.Content =
      switch json {
      case .null: .null
      case .boolean(let value): .boolean(value)
      case .integer(let value): .integer(value)
      case .number(let value): .number(value)
      case .string(let text): .text(text)
      case .array(let items): .sequence(items.map(node))
      case .object(let members):
        .mapping(members.sorted { $0.key < $1.key }.map { YAMLMember(key: $0.key, place: place, value: node($0.value)) })
      }
    return YAMLNode(content, place: place, source: json.string ?? json.text)
  }
}
