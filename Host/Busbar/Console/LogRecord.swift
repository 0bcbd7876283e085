// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// One record of the host's log, which is one line whatever stands in it: devices and plugins cannot forge a second one,
/// nor a fact, nor reach the terminal.
package struct LogRecord: Sendable {
  /// Priorities of syslog, as the journal has them.
  package enum Severity: Int, Sendable { case critical = 2, error, warning, notice, info, debug }
  package enum Form: String, Sendable, CaseIterable { case text, json }

  /// Scalars of the message, of one value, and facts.
  static let messageLimit = 4096
  static let valueLimit = 1024
  static let factLimit = 32

  package var severity: Severity
  package var label: String
  package var message: String
  /// In the order in which they are shown.
  package var facts: [(name: String, value: String)]
  /// Unix nanoseconds.
  package var time: Int64

  package init(severity: Severity, label: String, message: String, facts: [(name: String, value: String)], time: Int64) {
    self.severity = severity
    self.label = label
    self.message = message
    self.facts = facts
    self.time = time
  }

  /// Without a line end. `journal`: begins with the priority, as sd-daemon(3) wants it, and has no time of its own, since
  /// the journal has one. `clock` is what a person reads: the time of day.
  package func line(_ form: Form, journal: Bool, clock: String) -> String {
    let priority = journal ? "<\(severity.rawValue)>" : ""
    switch form {
    case .json: return priority + json
    case .text:
      let head = journal ? priority : "\(clock) \(severity) "
      let tail = facts.prefix(Self.factLimit).map { " \(Self.name($0.name))=\(Self.value($0.value))" }.joined()
      return "\(head)\(Self.visible(label)): \(Self.visible(message, limit: Self.messageLimit))\(tail)"
    }
  }

  private var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("time")
    writer.string(Format.time(time / 1_000_000))
    writer.key("level")
    writer.string("\(severity)")
    writer.key("logger")
    writer.string(Self.plain(label, limit: Self.valueLimit))
    writer.key("message")
    writer.string(Self.plain(message, limit: Self.messageLimit))
    writer.key("facts")
    writer.beginObject()
    for fact in facts.prefix(Self.factLimit) {
      writer.key(Self.plain(fact.name, limit: 64))
      writer.string(Self.plain(fact.value, limit: Self.valueLimit))
    }
    writer.endObject()
    writer.endObject()
    return writer.text
  }

  private static func name(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(64).map { isBare($0) && $0 != "=" ? $0 : "_" }))
  }

  /// As it is where nothing in it could be taken for something else, else in quotes with escapes.
  static func value(_ text: String) -> String {
    if !text.isEmpty, text.unicodeScalars.count <= valueLimit, text.unicodeScalars.allSatisfy(isBare) { return text }
    let escaped = text.unicodeScalars.prefix(valueLimit).map { scalar in
      scalar == "\\" || scalar == "\"" ? "\\\(scalar)" : visible(scalar)
    }
    return "\"\(escaped.joined())\(text.unicodeScalars.count > valueLimit ? "…" : "")\""
  }

  private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", ":", "/", "+", "%", "@", ",", "[", "]", "(", ")": true
    default: false
    }
  }

  private static func visible(_ text: String, limit: Int = 256) -> String {
    text.unicodeScalars.prefix(limit).map(visible).joined() + (text.unicodeScalars.count > limit ? "…" : "")
  }

  /// What a terminal or a reader of lines would act on is written out: `\n`, `\u{1b}`.
  private static func visible(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default: return acts(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
  }

  /// Control characters, other line ends, and what turns the direction of writing.
  private static func acts(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format, .privateUse: true
    default: false
    }
  }

  /// For JSON, which escapes the C0 control characters itself.
  private static func plain(_ text: String, limit: Int) -> String {
    let scalars = text.unicodeScalars.prefix(limit).map { acts($0) && $0.value >= 0x20 ? "\u{FFFD}" : $0 }
    return String(String.UnicodeScalarView(scalars)) + (text.unicodeScalars.count > limit ? "…" : "")
  }
}
