// SPDX-License-Identifier: Apache-2.0

/// What the YAML parser's terms mean for a person who edits a file.
enum YAMLSyntax {
  struct Words {
    var message: String
    var expected: String?
    /// The mistake is in something that begins above.
    var spans = false
    /// The beginning tells more than the place where the parser gave up.
    var atStart = false
  }

  static func words(problem: String, context: String?) -> Words {
    switch problem {
    case "found character that cannot start any token":
      Words(
        message: "a character that cannot begin a value",
        expected: "spaces instead of tabs, and quotes around texts that begin with % @ or `")
    case "mapping values are not allowed in this context":
      Words(
        message: "a second \": \" in one line, or a line that is indented too far",
        expected: "\"key: value\", with quotes around texts that hold \": \"")
    case "could not find expected ':'":
      Words(message: "a line that is neither a key nor a value", expected: "\"key: value\"")
    case "did not find expected key":
      Words(message: "a line that does not fit the ones above it", expected: "the same indentation as its neighbours")
    case "did not find expected '-' indicator":
      Words(
        message: "a line that does not fit the list above it",
        expected: "\"- \" with the same indentation as its neighbours")
    case "did not find expected ',' or '}'":
      Words(message: "a map in braces does not end", expected: "\",\" or \"}\"", spans: true)
    case "did not find expected ',' or ']'":
      Words(message: "a list in brackets does not end", expected: "\",\" or \"]\"", spans: true)
    case "found unexpected end of stream":
      Words(message: "a text in quotes does not end", expected: "the closing quote", spans: true, atStart: true)
    case "found undefined alias":
      Words(message: "an alias that stands for nothing", expected: "the name of an anchor (&name) above")
    case "but found another document":
      Words(message: "a second document begins", expected: "one document in a file, without ---")
    case "did not find expected <document start>":
      Words(message: "text after the end of the document", expected: "one map of keys and values")
    case _ where problem.hasPrefix("Maximum nesting level"):
      Words(message: "lists and maps are nested too deep", expected: "at most \(YAMLReader.depth) levels")
    default: Words(message: "not YAML: \(problem)" + (context.map { " \($0)" } ?? ""))
    }
  }
}
