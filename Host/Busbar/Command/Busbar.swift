// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarPlugins
import BusbarSystem
import Glibc

/// The command line of interfaces 2.
@main
struct Busbar: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "busbar",
    abstract: "The host that energy devices plug into.",
    version: Version.text,
    subcommands: [
      RunCommand.self, CheckConfigCommand.self, StatusCommand.self, DevicesCommand.self, PluginsCommand.self,
      PluginCommand.self, LinksCommand.self, ReadCommand.self, WatchCommand.self, HistoryCommand.self, CommandCommand.self,
      DiscoverCommand.self, ApproveCommand.self, ForgetCommand.self, TraceCommand.self, SimulateCommand.self,
      TemplateCommand.self, ReloadCommand.self, BufferCommand.self, IdentityCommand.self, PasswordCommand.self, TagsCommand.self,
      AuditCommand.self,
      CompletionCommand.self,
    ])

  static func main() async {
    // Before anything else: a child stays small.
    if CommandLine.arguments.dropFirst().first == Runner.word { Runner.run() }
    OwnMemory.shareHeaps()
    // A reader that went away ends a write with an error, not the process.
    signal(SIGPIPE, SIG_IGN)
    await runToExit()
  }
}

enum Version {
  static let text = "0.1.0"
}
