// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel

/// Where tools look for plugins and templates.
struct ToolOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Take the directories of this configuration.", valueName: "file"), completion: .file())
  var config: String?

  @Option(help: ArgumentHelp("A directory of plugins, instead of the default ones; may be repeated.", valueName: "directory"),
    completion: .directory)
  var plugins: [String] = []

  @Option(help: ArgumentHelp("A directory of templates, instead of the default ones; may be repeated.", valueName: "directory"),
    completion: .directory)
  var templates: [String] = []

  @Flag(help: "Write JSON.")
  var json = false
}

struct TemplateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "template", abstract: "Check, list and show device templates.",
    subcommands: [Check.self, List.self, Show.self])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check template files; every mistake is shown.")

    @Argument(help: "Template files.", completion: .file(extensions: ["yaml"])) var file: [String]
    @OptionGroup var tools: ToolOptions

    func run() async throws {
      let (_, catalog, adapters) = try await Setup.tools(config: tools.config, plugins: tools.plugins, templates: tools.templates)
      var found: [Diagnostic] = []
      for file in file {
        let (template, mistakes) = TemplateLibrary.check(file, manifests: adapters)
        found += mistakes
        if let template { found += await AdapterJudge(catalog: catalog).mistakes(in: template) }
      }
      if tools.json {
        try Output(json: true).lines([JSONValue.array(found.map(Self.json)).text])
      } else {
        for diagnostic in found { StandardError.write(diagnostic.description) }
      }
      let errors = found.count { $0.severity == .error }
      guard errors == 0 else { throw ExitCode(2) }
      if !tools.json { try Output(json: false).lines(file.map { "\($0): good" }) }
    }

    private static func json(_ diagnostic: Diagnostic) -> JSONValue {
      [
        "file": .string(diagnostic.file), "line": .integer(Int64(diagnostic.line)), "key": .string(diagnostic.key),
        "severity": .string(diagnostic.severity.rawValue), "message": .string(diagnostic.message),
        "expected": diagnostic.expectation.map { .string($0) } ?? .null,
      ]
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the templates.")

    @OptionGroup var tools: ToolOptions

    func run() async throws {
      let (library, _, _) = try await Setup.tools(config: tools.config, plugins: tools.plugins, templates: tools.templates)
      let templates = library.names.compactMap { library[$0] }
      var table = Table([.init("template"), .init("kind"), .init("vendor"), .init("models"), .init("confidence")], empty: "no templates")
      for template in templates {
        let models = template.models.joined(separator: ", ")
        table.add([.init(template.name), .init(template.kind.rawValue), .init(template.vendor ?? ""), .init(models), .init(template.confidence.rawValue)])
      }
      let json = JSONValue.array(
        templates.map { template in
          [
            "template": .string(template.name), "title": .string(template.title), "kind": .string(template.kind.rawValue),
            "adapter": .string(template.adapter), "vendor": template.vendor.map { .string($0) } ?? .null,
            "models": .array(template.models.map { .string($0) }), "confidence": .string(template.confidence.rawValue),
          ]
        })
      try Output(json: tools.json).show(table, json: json)
      for diagnostic in library.diagnostics where diagnostic.severity == .error {
        StandardError.write(diagnostic.description)
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a template as JSON.")

    @Argument(help: "The template.", completion: Completions.templates) var name: String
    @OptionGroup var tools: ToolOptions

    func run() async throws {
      let (library, _, _) = try await Setup.tools(config: tools.config, plugins: tools.plugins, templates: tools.templates)
      guard let template = library[name] else {
        throw CommandFailure("there is no template \(name); `busbar template list` shows them")
      }
      try Output(json: tools.json).lines([template.json.text])
    }
  }
}
