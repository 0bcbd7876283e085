// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// A schema in words, for people.
enum SchemaWords {
  static func types(of schema: JSONValue) -> [String] {
    switch schema["type"] {
    case .string(let type): [type]
    case .array(let types): types.compactMap(\.string)
    default: []
    }
  }

  /// "a whole number from 1 to 247", "none, even or odd", "a text or a map". Nil where the schema says nothing.
  static func expectation(_ schema: JSONValue) -> String? {
    if let choices = schema["anyOf"]?.array {
      var words: [String] = []
      for word in choices.prefix(16).compactMap({ expectation(shallow: $0) }) where !words.contains(word) {
        words.append(word)
      }
      return words.isEmpty ? nil : Suggestion.list(words)
    }
    return expectation(shallow: schema)
  }

  /// Equal as JSON, where 1 and 1.0 are the same.
  static func same(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if let one = left.number, let other = right.number { return one == other }
    return left == right
  }

  private static func expectation(shallow schema: JSONValue) -> String? {
    if let values = schema["enum"]?.array { return Suggestion.list(values.map(word)) }
    if let only = schema["const"] { return word(only) }
    let words = types(of: schema).map { type in
      switch type {
      case "object": "a map"
      case "array": "a list"
      case "string": "a text" + (schema["pattern"]?.string.map { " like \(YAMLNode.short($0))" } ?? "")
      case "number": "a number" + range(schema)
      case "integer": "a whole number" + range(schema)
      case "boolean": "true or false"
      case "null": "nothing"
      default: YAMLNode.short(type)
      }
    }
    return words.isEmpty ? nil : Suggestion.list(words)
  }

  private static func range(_ schema: JSONValue) -> String {
    let low = schema["minimum"]?.number.map { JSONWriter.text($0, resolution: 0) }
    let high = schema["maximum"]?.number.map { JSONWriter.text($0, resolution: 0) }
    switch (low, high) {
    case (let low?, let high?): return " from \(low) to \(high)"
    case (let low?, nil): return " from \(low)"
    case (nil, let high?): return " up to \(high)"
    case (nil, nil): return ""
    }
  }

  private static func word(_ value: JSONValue) -> String {
    guard let text = value.string else { return YAMLNode.short(value.text) }
    return CoreSchema.isText(text) ? YAMLNode.short(text) : "\"\(YAMLNode.short(text))\""
  }
}
