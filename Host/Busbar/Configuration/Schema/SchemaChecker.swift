// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// Checks YAML against the subset of JSON Schema that manifests use, and fills in defaults: `type`, `enum`, `const`,
/// `minimum`, `maximum`, `pattern`, `properties`, `required`, `additionalProperties`, `patternProperties`, `items`,
/// `minItems`, `maxItems`, `anyOf`, `default`. `x-secret` keeps a value out of messages; other keywords say nothing here.
package struct SchemaChecker {
  /// Levels of nested schemas.
  static let depth = 40

  /// Comparisons of a value with a schema, in one file: choices inside choices multiply.
  static let work = 1_000_000

  /// What is left of the work, shared by all levels.
  private final class Budget {
    var left = SchemaChecker.work
  }

  let sink: DiagnosticSink
  private let budget: Budget

  init(sink: DiagnosticSink) {
    self.sink = sink
    budget = Budget()
  }

  /// The same work, other ears.
  private init(_ other: SchemaChecker, sink: DiagnosticSink) {
    self.sink = sink
    budget = other.budget
  }

  /// What the adapter gets, and everything that is wrong, with its place. `key` is the path of the node.
  package static func check(_ node: YAMLNode, schema: JSONValue, key: String) -> (JSONValue, [Diagnostic]) {
    let sink = DiagnosticSink()
    let value = SchemaChecker(sink: sink).check(node, schema: schema, key: key)
    return (value, sink.sorted)
  }

  func check(_ node: YAMLNode, schema: JSONValue, key: String, level: Int = 0, secret: Bool = false) -> JSONValue {
    budget.left -= 1
    guard level < Self.depth, budget.left > 0 else {
      sink.error(node.place, key, "the adapter's schema is too complicated to check this")
      return node.json
    }
    guard schema.object != nil else {
      if schema == false { sink.error(node.place, key, "nothing may stand here") }
      return node.json
    }
    let secret = secret || schema["x-secret"]?.boolean == true
    if let choices = schema["anyOf"]?.array, !choices.isEmpty {
      return check(node, anyOf: choices, schema: schema, key: key, level: level, secret: secret)
    }
    let types = SchemaWords.types(of: schema)
    guard types.isEmpty || types.contains(where: { fits(node, $0) }) else {
      let found =
        secret && node.members == nil && node.items == nil ? "the value has the wrong type" : "found \(node.found)"
      sink.error(node.place, key, found, expected: SchemaWords.expectation(schema))
      return node.json
    }
    switch node.content {
    case .mapping(let members):
      return SchemaObject(checker: self, schema: schema, key: key, level: level, secret: secret).check(
        members, of: node)
    case .sequence(let items): return check(items, of: node, schema: schema, key: key, level: level, secret: secret)
    default: return check(scalar: node, schema: schema, key: key, secret: secret, types: types)
    }
  }

  private func fits(_ node: YAMLNode, _ type: String) -> Bool {
    switch (type, node.content) {
    case ("object", .mapping), ("array", .sequence), ("string", .text), ("boolean", .boolean), ("null", .null): true
    case ("number", .integer), ("number", .number), ("integer", .integer): true
    case ("integer", .number(let number)): Int64(exactly: number) != nil
    default: false
    }
  }

  private func check(scalar node: YAMLNode, schema: JSONValue, key: String, secret: Bool, types: [String]) -> JSONValue
  {
    var value = node.json
    if types.contains("integer"), !types.contains("number"), let whole = value.integer { value = .integer(whole) }
    let found = secret ? "the value does not fit" : "found \(node.found)"
    func wrong() { sink.error(node.place, key, found, expected: SchemaWords.expectation(schema)) }
    if let allowed = schema["enum"]?.array, !allowed.contains(where: { SchemaWords.same($0, value) }) {
      wrong()
    } else if let only = schema["const"], !SchemaWords.same(only, value) {
      wrong()
    } else if let number = value.number {
      if let low = schema["minimum"]?.number, number < low {
        wrong()
      } else if let high = schema["maximum"]?.number, number > high {
        wrong()
      }
    } else if let text = value.string, let pattern = schema["pattern"]?.string {
      check(text, pattern: pattern, wrong: wrong, node: node, key: key)
    }
    return value
  }

  private func check(_ text: String, pattern: String, wrong: () -> Void, node: YAMLNode, key: String) {
    do {
      if !(try BoundedPattern(pattern)).matches(text) { wrong() }
    } catch {
      sink.warning(node.place, key, "the adapter's pattern for this value cannot be used, it is not checked")
    }
  }

  private func check(
    _ items: [YAMLNode], of node: YAMLNode, schema: JSONValue, key: String, level: Int, secret: Bool
  ) -> JSONValue {
    let low = schema["minItems"]?.integer ?? 0
    let high = schema["maxItems"]?.integer ?? .max
    if items.count < low || items.count > high {
      let limits =
        high == .max ? "at least \(low)" : low == high ? "\(low)" : low == 0 ? "at most \(high)" : "\(low) to \(high)"
      sink.error(node.place, key, "found a list of \(items.count)", expected: "a list of \(limits)")
    }
    guard let inner = schema["items"] else { return node.json }
    return .array(
      items.enumerated().map { check($1, schema: inner, key: "\(key)[\($0)]", level: level + 1, secret: secret) })
  }

  /// The first choice that fits. Where none does, the mistakes of the one with the right type, else all types are named.
  private func check(
    _ node: YAMLNode, anyOf choices: [JSONValue], schema: JSONValue, key: String, level: Int, secret: Bool
  ) -> JSONValue {
    var nearest: (value: JSONValue, found: [Diagnostic])?
    for choice in choices.prefix(16) where budget.left > 0 {
      let types = SchemaWords.types(of: choice)
      guard types.isEmpty || types.contains(where: { fits(node, $0) }) else { continue }
      let trial = DiagnosticSink()
      let value = SchemaChecker(self, sink: trial).check(
        node, schema: choice, key: key, level: level + 1, secret: secret)
      if !trial.hasErrors {
        trial.found.forEach(sink.add)
        return value
      }
      if trial.found.count < nearest?.found.count ?? .max { nearest = (value, trial.found) }
    }
    if let nearest {
      nearest.found.forEach(sink.add)
      return nearest.value
    }
    let found = secret ? "the value has the wrong type" : "found \(node.found)"
    sink.error(node.place, key, found, expected: SchemaWords.expectation(schema))
    return node.json
  }
}
