// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PluginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "Handle plugins.", subcommands: [Restart.self])
}
