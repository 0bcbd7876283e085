// SPDX-License-Identifier: Apache-2.0

/// The tables, as text; see `Shape` for the notation.
enum Tables {}

/// All messages of a version.
package struct Catalogue: Sendable {
  package let version: OCPPVersion
  package private(set) var actions: [String: Action] = [:]
  package private(set) var enumerations: [Enumeration] = []
  package private(set) var shapes: [Shape] = []

  private static let v16 = Catalogue(.v16, [Tables.ocpp16])
  private static let v201 = Catalogue(.v201, [Tables.ocpp201Enums, Tables.ocpp201Types, Tables.ocpp201Messages])

  package static func of(_ version: OCPPVersion) -> Catalogue {
    switch version {
    case .v16: v16
    case .v201: v201
    }
  }

  /// The tables are part of the program and tested: what they must not say is not looked for.
  private init(_ version: OCPPVersion, _ texts: [String]) {
    self.version = version
    let lines = texts.flatMap { $0.split(separator: "\n") }
    var sentences: [[Substring]] = []
    for line in lines {
      let words = line.split(separator: " ")
      if line.hasPrefix("  "), !sentences.isEmpty {
        sentences[sentences.count - 1] += words
      } else {
        sentences.append(words)
      }
    }
    // Names first: types refer to each other.
    var reader = FieldReader()
    for sentence in sentences where sentence.count > 1 {
      switch sentence[0] {
      case "enum":
        reader.enumerations[sentence[1]] = enumerations.count
        enumerations.append(Enumeration(name: String(sentence[1]), values: sentence.dropFirst(2).map(String.init)))
      case "type":
        reader.shapes[sentence[1]] = shapes.count
        shapes.append(Shape())
      default: break
      }
    }
    for sentence in sentences where sentence[0] == "every" { reader.everywhere = sentence.dropFirst().map(reader.field) }
    var action: (name: String, senders: Senders, request: Shape)?
    for sentence in sentences {
      switch sentence[0] {
      case "type": if let index = reader.shapes[sentence[1]] { shapes[index] = reader.shape(sentence.dropFirst(2)) }
      case ">": action = (String(sentence[1]), .charger, reader.shape(sentence.dropFirst(2)))
      case "<": action = (String(sentence[1]), .centralSystem, reader.shape(sentence.dropFirst(2)))
      case "<>": action = (String(sentence[1]), [.charger, .centralSystem], reader.shape(sentence.dropFirst(2)))
      case "=":
        guard let (name, senders, request) = action else { continue }
        actions[name] = Action(
          name: name, senders: senders, request: request, response: reader.shape(sentence.dropFirst()))
      default: break
      }
    }
  }
}

private struct FieldReader {
  var enumerations: [Substring: Int] = [:]
  var shapes: [Substring: Int] = [:]
  var everywhere: [Shape.Field] = []

  func shape(_ words: ArraySlice<Substring>) -> Shape {
    var shape = Shape()
    for word in words {
      if word == "*" { shape.isOpen = true } else { shape.fields.append(field(word)) }
    }
    if !shape.isOpen { shape.fields += everywhere }
    return shape
  }

  func field(_ word: Substring) -> Shape.Field {
    let halves = word.split(separator: "=", maxSplits: 1)
    let isOptional = halves[0].hasSuffix("?")
    var kind = halves[1]
    var items: ClosedRange<Int>?
    if let bracket = kind.firstIndex(of: "[") {
      items = Self.bounds(kind[bracket...].dropFirst().dropLast())
      kind = kind[..<bracket]
    }
    return Shape.Field(
      name: String(isOptional ? halves[0].dropLast() : halves[0]), isRequired: !isOptional, kind: self.kind(kind), items: items)
  }

  private func kind(_ word: Substring) -> Shape.Kind {
    switch word {
    case "any": return .any
    case "bool": return .boolean
    case "time": return .time
    case "num": return .number(oneDecimal: false)
    case "num/10": return .number(oneDecimal: true)
    default: break
    }
    if let index = enumerations[word] { return .enumeration(index) }
    if let index = shapes[word] { return .object(index) }
    if word.hasPrefix("text") { return .text(longest: Int(word.dropFirst(4)) ?? .max) }
    guard word.hasPrefix("int") else { preconditionFailure("a table names the unknown kind \(word)") }
    let bounds = word.dropFirst(3)
    guard !bounds.isEmpty else { return .integer(.min ... .max) }
    let parts = bounds.split(separator: "-", omittingEmptySubsequences: false)
    return .integer((Int64(parts[0]) ?? .min)...(Int64(parts[1]) ?? .max))
  }

  private static func bounds(_ text: Substring) -> ClosedRange<Int> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return (Int(parts[0]) ?? 0)...(Int(parts[1]) ?? .max)
  }
}
