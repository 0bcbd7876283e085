// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show how a running host is: uplink, buffer, devices, plugins, alarms.")

  @OptionGroup var options: ClientOptions

  func run() async throws {
    let status = try await options.client.get("/api/v1/status")
    try options.output.show(HostView.status(status, now: options.now), json: status)
  }
}

struct BufferCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "buffer", abstract: "Show what waits for the broker.", subcommands: [Status.self],
    defaultSubcommand: Status.self)

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "Messages that wait, the oldest of them, and what was dropped.")

    @OptionGroup var options: ClientOptions

    func run() async throws {
      let buffer = try await options.client.get("/api/v1/buffer")
      try options.output.show(HostView.buffer(buffer, now: options.now), json: buffer)
    }
  }
}

struct ReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Apply a changed configuration file; what did not change keeps running.",
    discussion: """
      Shows what was added, removed and changed, and under "restart" the keys that were not applied: they count from the \
      next start of the host. A file with mistakes changes nothing; all of them are shown.
      """)

  @OptionGroup var options: ClientOptions

  func run() async throws {
    let changes: JSONValue
    do {
      changes = try await options.client.post("/api/v1/reload", body: nil, timeout: .seconds(120))
    } catch APIError.refused(422, let detail) {
      // Mistakes in the file, a line each, as `check-config` shows them.
      throw CommandFailure(diagnostics: detail.split(separator: "\n").map(String.init))
    }
    try options.output.show(HostView.reload(changes), json: changes)
  }
}
