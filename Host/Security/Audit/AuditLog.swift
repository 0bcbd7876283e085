// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem
internal import Foundation
package import Logging
internal import Synchronization

/// What was done that somebody may ask about later: lines of JSON, only ever appended, that the host's user alone can read.
///
///     {"ts":1795378158674,"event":"plugin.replaced","plugin":"org.example.line","hash":"…","before":"…"}
///
/// A line is on disk when `record` returns. Four files of a mebibyte at most; the oldest goes first.
package final class AuditLog: Sendable {
  package static let fileLimit = 1 << 20
  package static let files = 4
  private static let name = "audit.jsonl"
  private static let textLimit = 1024

  private let directory: String
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    /// A failure is told once.
    var isFailing = false
  }

  /// `directory` is the host's state directory.
  package init(directory: String, logger: Logger) {
    self.directory = directory
    self.logger = logger
  }

  /// Texts are cut at 1,024 bytes.
  package func record(_ event: String, _ details: [String: String]) {
    var object = details.mapValues { JSONValue.string(Self.cut($0)) }
    object["event"] = .string(event)
    object["ts"] = .integer(Clock.unixMilliseconds())
    let line = JSONValue.object(object).text + "\n"
    state.withLock { state in
      do throws(AppendFile.Failure) {
        try append(line)
        state.isFailing = false
      } catch {
        if !state.isFailing { logger.error("the audit log cannot be written", metadata: ["reason": "\(error)"]) }
        state.isFailing = true
      }
    }
  }

  private func append(_ line: String) throws(AppendFile.Failure) {
    let path = "\(directory)/\(Self.name)"
    if try AppendFile.size(path) + line.utf8.count > Self.fileLimit {
      for number in (1..<Self.files).reversed() {
        try AppendFile.move(number == 1 ? path : "\(path).\(number - 1)", to: "\(path).\(number)")
      }
    }
    try AppendFile.append(line, to: path)
  }

  /// The last entries, oldest first. Lines that are no entries, as a power cut can leave them, are left out. Throws a
  /// sentence where the log cannot be read; a log that is not there is empty.
  package static func entries(directory: String, last count: Int = .max) throws -> [JSONValue] {
    var entries: [JSONValue] = []
    for number in (0..<files).reversed() {
      let path = "\(directory)/\(name)" + (number == 0 ? "" : ".\(number)")
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let data = try Data(contentsOf: URL(filePath: path))
      for line in data.prefix(2 * fileLimit).split(separator: UInt8(ascii: "\n")) {
        if let entry = try? JSONValue(parsing: Array(line), depth: 4), entry["event"] != nil { entries.append(entry) }
      }
    }
    return Array(entries.suffix(count))
  }

  private static func cut(_ text: String) -> String {
    text.utf8.count <= textLimit ? text : String(decoding: Array(text.utf8.prefix(textLimit)), as: UTF8.self)
  }
}
