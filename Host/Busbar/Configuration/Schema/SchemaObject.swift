// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The part of the checker that looks at maps.
struct SchemaObject {
  let checker: SchemaChecker
  let schema: JSONValue
  let key: String
  let level: Int
  let secret: Bool

  func check(_ members: [YAMLMember], of node: YAMLNode) -> JSONValue {
    let properties = schema["properties"]?.object ?? [:]
    let patterns = patterns(at: node)
    var result: [String: JSONValue] = [:]
    for member in members {
      let path = key.isEmpty ? member.key : "\(key).\(member.key)"
      var schemas = patterns.filter { $0.pattern.matches(member.key) }.map(\.schema)
      if let property = properties[member.key] { schemas.insert(property, at: 0) }
      if schemas.isEmpty, let other = other(member, path: path, properties: properties, patterns: patterns) {
        schemas = [other]
      }
      var value = member.value.json
      for schema in schemas {
        value = checker.check(member.value, schema: schema, key: path, level: level + 1, secret: secret)
      }
      result[member.key] = value
    }
    for name in schema["required"]?.array?.compactMap(\.string) ?? [] where result[name] == nil {
      let expected = properties[name].map { SchemaWords.expectation($0) ?? "a value" } ?? "a value"
      checker.sink.error(node.place, key.isEmpty ? name : "\(key).\(name)", "the key is missing", expected: expected)
    }
    for (name, property) in properties where result[name] == nil {
      if let value = property["default"] { result[name] = value }
    }
    return .object(result)
  }

  /// The schema for a key that is not listed; nil, and reported, where such keys are not allowed.
  private func other(
    _ member: YAMLMember, path: String, properties: [String: JSONValue],
    patterns: [(text: String, pattern: BoundedPattern, schema: JSONValue)]
  ) -> JSONValue? {
    switch schema["additionalProperties"] {
    case nil, true: return [:]
    // With a pattern that cannot be used nobody knows which keys are meant.
    case false where patterns.count < schema["patternProperties"]?.object?.count ?? 0: return [:]
    case false:
      let question = Suggestion.question(member.key, in: properties.keys)
      let names = properties.keys.sorted() + patterns.map { "names like \($0.text)" }
      checker.sink.error(
        member.place, path, "unknown key\(question)", expected: names.isEmpty ? "no keys" : Suggestion.list(names))
      return nil
    case let other?: return other
    }
  }

  private func patterns(at node: YAMLNode) -> [(text: String, pattern: BoundedPattern, schema: JSONValue)] {
    (schema["patternProperties"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { text, schema in
      do {
        return (text, try BoundedPattern(text), schema)
      } catch {
        checker.sink.warning(
          node.place, key, "a pattern of the adapter's schema cannot be used, its keys are not checked")
        return nil
      }
    }
  }
}
