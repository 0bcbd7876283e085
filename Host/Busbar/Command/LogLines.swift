// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarSystem
import Glibc
import Logging
import Synchronization

/// The host's log: one line a record on standard error, with the journal's priority in front where journald reads it.
struct LogLines: LogHandler {
  var metadata: Logger.Metadata = [:]
  private let label: String
  private let form: LogRecord.Form
  private let journal: Bool
  private var ownLevel: Logger.Level?
  private static let output = Descriptor(owning: dup(STDERR_FILENO))

  /// `level` nil = the host's own, which may change while it runs.
  init(label: String, level: Logger.Level? = nil, form: LogRecord.Form = .text, journal: Bool) {
    self.label = label
    ownLevel = level
    self.form = form
    self.journal = journal
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? LogLevel.current }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
    let record = LogRecord(
      severity: Self.severity(event.level), label: label, message: "\(event.message)",
      facts: facts.map { ($0.key, "\($0.value)") }, time: Clock.unix())
    let line = record.line(form, journal: journal, clock: Clock.timeOfDay()) + "\n"
    // One write a line, so that lines of several threads do not mix.
    _ = Self.output.write(Array(line.utf8)[...])
  }

  private static func severity(_ level: Logger.Level) -> LogRecord.Severity {
    switch level {
    case .critical: .critical
    case .error: .error
    case .warning: .warning
    case .notice: .notice
    case .info: .info
    case .debug, .trace: .debug
    }
  }
}

/// The least severity that the host logs: as the command line says, else as the configuration does.
enum LogLevel {
  private struct Levels {
    var option: Logger.Level?
    var configured = Logger.Level.info
  }

  private static let levels = Mutex(Levels())

  static var current: Logger.Level { levels.withLock { $0.option ?? $0.configured } }

  static var option: Logger.Level? {
    get { levels.withLock { $0.option } }
    set { levels.withLock { $0.option = newValue } }
  }

  static var configured: Logger.Level {
    get { levels.withLock { $0.configured } }
    set { levels.withLock { $0.configured = newValue } }
  }
}
