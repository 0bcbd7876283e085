// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// From text to a tree of our own: Yams parses, this counts nodes and levels, types scalars, resolves merge keys and finds
/// keys that are there twice.
struct YAMLComposer {
  /// How many doubled keys are found in one run.
  private static let repeats = 20

  private struct Stop: Error {}
  private struct Mark: Hashable { var line, column: Int }

  let file: String
  let sink: DiagnosticSink
  private var count = 0
  /// Keys that got another first character so that the parser goes on, by their place.
  private var renamed: [Mark: String] = [:]

  init(file: String, sink: DiagnosticSink) {
    self.file = file
    self.sink = sink
  }

  mutating func compose(_ text: String) -> YAMLNode? {
    do {
      guard let root = try parse(text) else { return YAMLNode(.mapping([]), place: place(1, 1)) }
      return try convert(root, level: 0, path: "")
    } catch let error as YamlError {
      report(error, text: text)
    } catch is Stop {
      // The reason is in the sink.
    } catch {
      sink.error(place(0, 0), "", "the file cannot be parsed")
    }
    return nil
  }

  /// Yams ends at the first key that is there twice. To find all mistakes in one run such a key is given another first
  /// character (of the private use area) and the text is parsed again; `convert` puts the name back and reports it.
  private mutating func parse(_ text: String) throws -> Node? {
    var scalars = Array(text.unicodeScalars)
    var text = text
    var attempt = 0
    while true {
      do {
        return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
      } catch let error as YamlError {
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first,
          attempt < Self.repeats, var index = Self.index(of: context.mark, in: scalars)
        else { throw error }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index] == name.unicodeScalars.first,
          let substitute = Unicode.Scalar(0xE000 + UInt32(attempt))
        else { throw error }
        scalars[index] = substitute
        renamed[Mark(line: context.mark.line, column: context.mark.column)] = name
        text = String(String.UnicodeScalarView(scalars))
        attempt += 1
      }
    }
  }

  /// The index of a mark, by the line ends that YAML knows.
  private static func index(of mark: Yams.Mark, in scalars: [Unicode.Scalar]) -> Int? {
    var line = 1
    var index = 0
    while line < mark.line, index < scalars.count {
      switch scalars[index] {
      case "\r":
        if index + 1 < scalars.count, scalars[index + 1] == "\n" { index += 1 }
        line += 1
      case "\n", "\u{85}", "\u{2028}", "\u{2029}": line += 1
      default: break
      }
      index += 1
    }
    index += mark.column - 1
    return index >= 0 && index < scalars.count ? index : nil
  }

  private func place(_ line: Int, _ column: Int) -> Place { Place(file: file, line: line, column: column) }

  private func place(of node: Node) -> Place { place(node.mark?.line ?? 0, node.mark?.column ?? 0) }

  private mutating func convert(_ node: Node, level: Int, path: String) throws -> YAMLNode {
    let place = place(of: node)
    count += 1
    if count > YAMLReader.nodes {
      sink.error(
        place, "", "the file holds too many values", expected: "at most \(YAMLReader.nodes), aliases counted in full")
      throw Stop()
    }
    if level > YAMLReader.depth {
      sink.error(place, "", "lists and maps are nested too deep", expected: "at most \(YAMLReader.depth) levels")
      throw Stop()
    }
    switch node {
    case .scalar(let scalar): return convert(scalar, at: place, path: path)
    case .sequence(let sequence):
      let items = try sequence.enumerated().map { try convert($1, level: level + 1, path: "\(path)[\($0)]") }
      return YAMLNode(.sequence(items), place: place)
    case .mapping(let mapping): return try convert(mapping, at: place, level: level, path: path)
    case .alias:
      sink.error(place, "", "an alias that stands for nothing", expected: "the name of an anchor above")
      throw Stop()
    }
  }

  private func convert(_ scalar: Node.Scalar, at place: Place, path: String) -> YAMLNode {
    let text = scalar.string
    let plain = scalar.style == .plain || scalar.style == .any
    switch scalar.tag.rawValue {
    case "" where plain, Tag.Name.int.rawValue, Tag.Name.float.rawValue, Tag.Name.bool.rawValue, Tag.Name.null.rawValue:
      return YAMLNode(CoreSchema.content(of: text), place: place, source: text)
    case "", "!", Tag.Name.str.rawValue: return YAMLNode(.text(text), place: place, source: text)
    case let tag:
      sink.error(place, path, "the tag \(YAMLNode.short(tag)) means nothing here", expected: "a value without a tag")
      return YAMLNode(.text(text), place: place, source: text)
    }
  }

  private mutating func convert(_ mapping: Node.Mapping, at place: Place, level: Int, path: String) throws -> YAMLNode {
    var members: [YAMLMember] = []
    var merged: [YAMLMember] = []
    var lines: [String: Int] = [:]
    for (key, value) in mapping {
      let keyPlace = self.place(of: key)
      guard case .scalar(let scalar) = key else {
        sink.error(keyPlace, path, "a key that is a list, a map or an alias", expected: "a key that is a text")
        continue
      }
      let name = renamed[Mark(line: keyPlace.line, column: keyPlace.column)] ?? scalar.string
      let inner = path.isEmpty ? name : "\(path).\(name)"
      let node = try convert(value, level: level + 1, path: inner)
      if name == "<<", scalar.style == .plain {
        merged += merge(node, path: inner)
      } else if let line = lines[name] {
        sink.error(keyPlace, inner, "the key is there twice, first in line \(line)", expected: "each key once")
      } else if name.isEmpty {
        sink.error(keyPlace, path, "a key is missing before \":\"", expected: "a key that is a text")
      } else {
        lines[name] = keyPlace.line
        members.append(YAMLMember(key: name, place: keyPlace, value: node))
      }
    }
    for member in merged where lines[member.key] == nil {
      lines[member.key] = member.place.line
      members.append(member)
    }
    return YAMLNode(.mapping(members), place: place)
  }

  /// `<<: *base` or `<<: [*one, *two]`: keys that are not given themselves; the first one counts.
  private func merge(_ node: YAMLNode, path: String) -> [YAMLMember] {
    if let members = node.members { return members }
    if let items = node.items, items.allSatisfy({ $0.members != nil }) { return items.flatMap { $0.members ?? [] } }
    sink.error(node.place, path, "found \(node.found)", expected: "the alias of a map, or a list of them")
    return []
  }

  private func report(_ error: YamlError, text: String) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let words = YAMLSyntax.words(problem: problem, context: context?.text)
      guard let start = context?.mark, start.line < mark.line else {
        return sink.error(place(mark.line, mark.column), "", words.message, expected: words.expected)
      }
      // Where a text in quotes does not end, the end of the file says nothing.
      let place = words.atStart ? place(start.line, start.column) : place(mark.line, mark.column)
      let message = words.spans && !words.atStart ? "\(words.message) (it begins in line \(start.line))" : words.message
      sink.error(place, "", message, expected: words.expected)
    case .reader(let problem, let offset, _, _):
      var line = 0
      if let offset {
        line = 1 + text.prefix(offset).count { $0.isNewline }
      }
      sink.error(place(line, line == 0 ? 0 : 1), "", "not YAML: \(problem)", expected: "readable text")
    case .duplicatedKeysInMapping(let names, let context):
      let name = YAMLNode.short(names.first ?? "")
      sink.error(
        place(context.mark.line, context.mark.column), name, "the key is there twice", expected: "each key once")
    case .memory:
      sink.error(place(0, 0), "", "lists and maps are nested too deep", expected: "at most \(YAMLReader.depth) levels")
    default: sink.error(place(0, 0), "", "the file is not YAML")
    }
  }
}
