// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension PointDescriptor {
  /// The longest text that is written, UTF-8 bytes.
  package static let longestText = 255

  /// The template's safe value in the form that is written; nil where there is none that the point could take.
  package var declaredSafe: Value? {
    guard let safe else { return nil }
    return try? typed(safe, as: "safe")
  }

  /// The value in the form that is written, where the point takes it. `field` is its name in the request.
  package func accepts(_ value: Value, as field: String) throws(CommandStop) -> Value {
    let typed = try typed(value, as: field)
    guard type == .number || type == .integer, let number = typed.number, !allowed.contains(number) else {
      return typed
    }
    if let minimum, number < minimum { throw outside(number, field) }
    if let maximum, number > maximum { throw outside(number, field) }
    return typed
  }

  private func typed(_ value: Value, as field: String) throws(CommandStop) -> Value {
    switch (type, value) {
    case (.number, .number(let number)) where number.isFinite: return .number(number)
    case (.number, .integer(let number)): return .number(Double(number))
    case (.integer, .integer): return value
    case (.integer, .number(let number)):
      guard let whole = Int64(exactly: number) else { throw wrong(field, "a whole number") }
      return .integer(whole)
    case (.boolean, .boolean): return value
    case (.text, .text(let text)):
      guard text.utf8.count <= Self.longestText else {
        throw wrong(field, "a text of \(Self.longestText) bytes at most")
      }
      return value
    case (.enumeration, .text(let text)):
      guard labels.contains(text) else {
        throw .refused(.outOfRange, "'\(field)' for \(name) has to be one of \(labels.joined(separator: ", "))")
      }
      return value
    case (.number, _): throw wrong(field, "a finite number")
    case (.integer, _): throw wrong(field, "a whole number")
    case (.boolean, _): throw wrong(field, "true or false")
    case (.text, _): throw wrong(field, "a text")
    case (.enumeration, _): throw wrong(field, "one of the texts \(labels.joined(separator: ", "))")
    case (.bytes, _): throw .refused(.unsupported, "\(name) holds bytes, which cannot be written")
    }
  }

  private func wrong(_ field: String, _ expected: String) -> CommandStop {
    .refused(.invalid, "'\(field)' for \(name) has to be \(expected)")
  }

  private func outside(_ number: Double, _ field: String) -> CommandStop {
    func text(_ value: Double) -> String { JSONWriter.text(value, resolution: 0) }
    let range =
      switch (minimum, maximum) {
      case (let low?, let high?): "\(text(low)) to \(text(high))"
      case (let low?, nil): "\(text(low)) or more"
      default: "\(maximum.map(text) ?? "") or less"
      }
    let more = allowed.isEmpty ? "" : ", or \(allowed.map(text).joined(separator: ", "))"
    let symbol = unit.isEmpty || unit == "1" ? "" : " \(unit)"
    return .refused(
      .outOfRange, "'\(field)' \(text(number))\(symbol) for \(name) is outside of \(range)\(more)\(symbol)")
  }
}
