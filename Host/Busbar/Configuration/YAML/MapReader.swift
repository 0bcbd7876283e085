// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Reads a map with known keys. Whatever is wrong goes to the sink and the reader goes on, so that one run finds everything.
struct MapReader {
  let node: YAMLNode
  let key: String
  let sink: DiagnosticSink
  private let members: [String: YAMLNode]

  /// Nil where the node is no map. Keys that are not listed are reported, unless `known` is nil.
  init?(_ node: YAMLNode, key: String, known: [String]?, sink: DiagnosticSink) {
    guard let members = node.members else {
      let expected = known.map { "a map with \(Suggestion.list($0))" } ?? "a map"
      sink.error(node.place, key, "found \(node.found)", expected: expected)
      return nil
    }
    self.node = node
    self.key = key
    self.sink = sink
    self.members = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard let known else { return }
    for member in members where !known.contains(member.key) {
      let path = key.isEmpty ? member.key : "\(key).\(member.key)"
      sink.error(
        member.place, path, "unknown key\(Suggestion.question(member.key, in: known))", expected: Suggestion.list(known)
      )
    }
  }

  func path(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

  /// The value of a key; nil where it is not there.
  func value(_ name: String) -> YAMLNode? { members[name] }

  /// A part that may be left out or empty (`uplink:` with everything below it commented out).
  func part(_ name: String) -> YAMLNode? { members[name].flatMap { $0.isNull ? nil : $0 } }

  func missing(_ name: String, expected: String) {
    sink.error(node.place, path(name), "the key is missing", expected: expected)
  }

  /// Converts a value; reports it where the conversion gives nil.
  func read<T>(_ name: String, expected: String, _ convert: (YAMLNode) -> T?) -> T? {
    guard let node = members[name] else { return nil }
    if let value = convert(node) { return value }
    sink.error(node.place, path(name), "found \(node.found)", expected: expected)
    return nil
  }

  /// A value whose type explains itself in its errors.
  func parse<T>(_ name: String, expected: String, _ parse: (String) throws(ValueError) -> T) -> T? {
    guard let text = text(name, expected: expected) else { return nil }
    do {
      return try parse(text)
    } catch {
      sink.error(members[name]?.place ?? node.place, path(name), error.message, expected: error.expectation)
      return nil
    }
  }

  /// A text that is not empty, of at most `limit` bytes.
  func text(_ name: String, expected: String, limit: Int = 1024, where good: (String) -> Bool = { _ in true })
    -> String?
  {
    read(name, expected: expected) { node in
      node.text.flatMap { !$0.isEmpty && $0.utf8.count <= limit && good($0) ? $0 : nil }
    }
  }

  func boolean(_ name: String) -> Bool? {
    read(name, expected: "true or false") { if case .boolean(let value) = $0.content { value } else { nil } }
  }

  func integer(_ name: String, in range: ClosedRange<Int64>, expected: String) -> Int64? {
    read(name, expected: expected) {
      if case .integer(let value) = $0.content, range.contains(value) { value } else { nil }
    }
  }

  func duration(_ name: String, in range: ClosedRange<Duration>) -> Duration? {
    read(name, expected: Self.expected(range)) { Self.duration($0, in: range) }
  }

  /// One of the words of a type.
  func choice<T: RawRepresentable & CaseIterable>(_ name: String, as type: T.Type = T.self) -> T?
  where T.RawValue == String {
    guard let node = members[name] else { return nil }
    if let text = node.text, let value = T(rawValue: text) { return value }
    let words = T.allCases.map(\.rawValue)
    let question = node.text.map { Suggestion.question($0, in: words) } ?? ""
    sink.error(node.place, path(name), "found \(node.found)\(question)", expected: Suggestion.list(words))
    return nil
  }

  /// The items of a list with their paths; nothing where it is left out.
  func list(_ name: String, expected: String, limit: Int = 10_000) -> [(node: YAMLNode, key: String)] {
    guard let node = part(name) else { return [] }
    guard let items = node.items, items.count <= limit else {
      let found = node.items.map { "a list of \($0.count)" } ?? node.found
      sink.error(node.place, path(name), "found \(found)", expected: expected)
      return []
    }
    return items.enumerated().map { ($1, "\(path(name))[\($0)]") }
  }

  /// A list of texts.
  func texts(_ name: String, expected: String, where good: (String) -> Bool = { _ in true }) -> [String]? {
    guard part(name) != nil else { return nil }
    return list(name, expected: "a list of \(expected)").compactMap { item in
      if let text = item.node.text, !text.isEmpty, text.utf8.count <= 1024, good(text) { return text }
      sink.error(item.node.place, item.key, "found \(item.node.found)", expected: expected)
      return nil
    }
  }

  /// The members of a map whose keys are names of the user's.
  func entries(_ name: String, expected: String) -> [(member: YAMLMember, key: String)] {
    guard let node = part(name) else { return [] }
    guard let members = node.members else {
      sink.error(node.place, path(name), "found \(node.found)", expected: expected)
      return []
    }
    return members.map { ($0, "\(path(name)).\($0.key)") }
  }

  static func duration(_ node: YAMLNode, in range: ClosedRange<Duration>) -> Duration? {
    guard case .text(let text) = node.content, let value = Units.duration(text), range.contains(value) else {
      return nil
    }
    return value
  }

  static func expected(_ range: ClosedRange<Duration>) -> String {
    "a duration from \(Units.text(range.lowerBound)) to \(Units.text(range.upperBound)), such as 500ms, 5s, 2m, 1h or 7d"
  }
}
