// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarAudit
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import Foundation

/// Reads the log itself, not through the host: it has to be there also when the host is not.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Show what was done that somebody may ask about: plugins found, replaced and refused.",
    discussion: "Only the host's user and root may read the log; the host need not run.")

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yaml"]))
  var config = Setup.defaultFile

  @Option(help: "How many entries, the newest ones.") var last = 100

  @Flag(help: "Write JSON.") var json = false

  func run() async throws {
    let (configuration, diagnostics) = ConfigurationLoader.load(file: config)
    guard let configuration else { throw CommandFailure(diagnostics: diagnostics.map(\.description)) }
    let entries: [JSONValue]
    do {
      entries = try AuditLog.entries(directory: configuration.host.state, last: max(0, last))
    } catch {
      throw CommandFailure("the audit log in \(configuration.host.state) cannot be read: \(error.localizedDescription)")
    }
    var table = Table([.init("time"), .init("event"), .init("details")], empty: "no entries")
    for entry in entries {
      let details = (entry.object ?? [:]).filter { $0.key != "ts" && $0.key != "event" }.sorted { $0.key < $1.key }
      let time = entry["ts"]?.integer.map { Date(timeIntervalSince1970: Double($0) / 1000).formatted(.iso8601) } ?? ""
      table.add([
        .init(time), .init(entry["event"]?.string ?? ""),
        .init(details.map { "\($0.key)=\($0.value.string ?? $0.value.text)" }.joined(separator: " ")),
      ])
    }
    try Output(json: json).show(table, json: .array(entries))
  }
}
