// SPDX-License-Identifier: Apache-2.0

/// What the YAML parser's terms mean for a person who edits a file.
enum YAMLSyntax {
  static func words(problem: String, context: String?) -> (message: String, expected: String?) {
    switch problem {
    case "found character that cannot start any token":
      ("a character that cannot begin a value", "spaces instead of tabs, and quotes around texts that begin with % @ or `")
    case "mapping values are not allowed in this context":
      ("a second \": \" in one line, or a line that is indented too far", "\"key: value\", with quotes around texts that hold \": \"")
    case "could not find expected ':'": ("a line that is neither a key nor a value", "\"key: value\"")
    case "did not find expected key":
      ("a line that does not fit the ones above it", "the same indentation as its neighbours")
    case "did not find expected '-' indicator":
      ("a line that does not fit the list above it", "\"- \" with the same indentation as its neighbours")
    case "did not find expected ',' or '}'": ("a map in braces does not end", "\",\" or \"}\"")
    case "did not find expected ',' or ']'": ("a list in brackets does not end", "\",\" or \"]\"")
    case "found unexpected end of stream": ("a text in quotes does not end", "the closing quote")
    case "found undefined alias": ("an alias that stands for nothing", "the name of an anchor (&name) above")
    case "but found another document": ("a second document begins", "one document in a file, without ---")
    case "did not find expected <document start>": ("text after the end of the document", "one map of keys and values")
    default: ("not YAML: \(problem)" + (context.map { " \($0)" } ?? ""), nil)
    }
  }
}
