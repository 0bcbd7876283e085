// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

extension PluginCommand {
  struct Restart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "restart", abstract: "Give a plugin of a running host a new process, out of quarantine too.",
      discussion: "Running calls end first. A plugin that runs in the host itself starts anew with the host only.")

    @Argument(help: ArgumentHelp("The plugin's id; `busbar plugins` lists them.", valueName: "id"), completion: Completions.plugins)
    var plugin: String

    @OptionGroup var options: ClientOptions

    func validate() throws {
      let known = plugin.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
      guard known, (1...128).contains(plugin.utf8.count) else { throw ValidationError("a plugin's id looks like org.example.meter") }
    }

    func run() async throws {
      let answer = try await options.client.post("/api/v1/plugins/\(plugin)/restart", body: nil, timeout: .seconds(30))
      let text = answer["restarted"]?.boolean == true ? "\(plugin): a new process takes over" : "\(plugin): no process was running"
      try options.output.lines([options.json ? answer.text : text])
    }
  }
}
