// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc
internal import Logging

/// The host's log: one line a message on standard error, with the journal's priority in front where journald reads it.
struct LogLines: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level
  private let label: String
  private let journal: Bool
  private static let output = Descriptor(owning: dup(STDERR_FILENO))

  init(label: String, level: Logger.Level, journal: Bool) {
    self.label = label
    logLevel = level
    self.journal = journal
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
      .map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
    let head = journal ? "<\(Self.priority(event.level))>" : "\(Clock.timeOfDay()) \(event.level) "
    let line = Self.oneLine("\(head)\(label): \(event.message)\(facts)") + "\n"
    // One write a line, so that lines of several threads do not mix.
    _ = Self.output.write(Array(line.utf8)[...])
  }

  private static func quoted(_ text: String) -> String {
    text.contains(" ") ? "\"\(text)\"" : text
  }

  /// What a device or plugin says must not look like a second line.
  private static func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
  }

  private static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }
}
