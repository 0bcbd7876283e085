// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import PluginKit

/// What is wrong with a template, and at which key of it.
struct TemplateError: Error {
  var path: String
  var problem: String
  /// What else is wrong.
  var others: [TemplateError] = []

  init(_ path: String, _ problem: String) {
    self.path = path
    self.problem = problem
  }

  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(Self.path(context.codingPath + [key]), "is missing")
    case .typeMismatch(let type, let context):
      self.init(Self.path(context.codingPath), "is not of type \(type)")
    case .valueNotFound(let type, let context):
      self.init(Self.path(context.codingPath), "has no value; expected \(type)")
    case .dataCorrupted(let context):
      self.init(Self.path(context.codingPath), context.debugDescription)
    @unknown default:
      self.init("", "cannot be read")
    }
  }

  /// nil where there is none.
  init?(all errors: [TemplateError]) {
    guard let first = errors.first else { return nil }
    self = first
    for error in errors.dropFirst() { others += [TemplateError(error.path, error.problem)] + error.others }
  }

  /// One line for each mistake: `template: PATH PROBLEM`.
  var adapterError: AdapterError {
    let lines = [self] + others
    return AdapterError(
      .config, lines.map { "template: \($0.path.isEmpty ? "the body" : $0.path) \($0.problem)" }.joined(separator: "\n"))
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
  }
}

/// Decodes JSON that the host handed over.
func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws(TemplateError) -> Value {
  do {
    return try JSONDecoder().decode(type, from: Data(text.utf8))
  } catch let error as DecodingError {
    throw TemplateError(error)
  } catch {
    throw TemplateError("", "cannot be read")
  }
}
