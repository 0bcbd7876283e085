// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import BusbarPlugins

/// What a vendor of plugins needs, without a running host, and an operator with one.
struct PluginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "Make, inspect, check, sign and restart plugins.",
    subcommands: [
      New.self, Check.self, Inspect.self, Replay.self, Keygen.self, Sign.self, Restart.self, API.self, Case.self, Device.self,
    ])

  struct API: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "api", abstract: "Say where the headers, the Swift layer and the templates for plugins are.")

    func run() throws { try Output(json: false).lines([try PluginProject.api()]) }
  }

  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "new", abstract: "Write a plugin that builds, passes the check and reads a simulated device.",
      discussion: "LANGUAGE is c, cpp, rust or swift.")

    @Argument(help: "c, cpp, rust or swift.", completion: .list(PluginProject.Language.allCases.map(\.rawValue)))
    var language: PluginProject.Language

    @Argument(help: "Lower case letters, digits and hyphens; the adapter's id.")
    var name: String

    @Option(help: ArgumentHelp("The plugin's id. Default: org.example.NAME.", valueName: "reverse.domain.name"))
    var id: String?

    @Option(help: ArgumentHelp("Where to write it. Default: NAME.", valueName: "directory"), completion: .directory)
    var directory: String?

    func run() throws {
      let project = try PluginProject(language: language, name: name, id: id)
      let place = directory ?? name
      let files = try project.write(to: place)
      try Output(json: false).lines([
        "\(place): \(files) files. Go on with",
        "  cd \(place)", "  make", "  make check",
      ])
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "Show what a plugin's file says; nothing of it is executed.")

    @Argument(help: "The plugin.", completion: .file(extensions: ["so"])) var file: String

    @Option(
      name: .customLong("key"),
      help: ArgumentHelp("A public key that the signature may be of: PEM file or ed25519:BASE64; may be repeated.", valueName: "key"))
    var keys: [String] = []

    @Flag(help: "Write JSON.") var json = false

    func run() throws {
      var trusted: [[UInt8]] = []
      for key in keys {
        do throws(ValueError) { trusted.append(try TrustedKey.read(key, below: ".")) } catch {
          throw ValidationError("--key: \(error)")
        }
      }
      let inspection: PluginInspection
      do throws(PluginFile.Refusal) {
        inspection = try PluginInspection(path: file, keys: trusted)
      } catch {
        throw CommandFailure(error.message)
      }
      try Output(json: json).show(InspectionView.table(inspection), json: InspectionView.json(inspection))
      if inspection.objection != nil { throw ExitCode(1) }
    }
  }
}

extension PluginProject.Language: ExpressibleByArgument {}
