// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

struct TagsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tags", abstract: "Show and change the local list of tags that may charge.",
    discussion: """
      A tag is the id of an RFID card or of an app's user, as the charger says it; case does not matter. Who decides beside \
      the list, and what holds while nobody can be asked, is configured in the section authorization.
      """,
    subcommands: [List.self, Add.self, Remove.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the list.")

    @OptionGroup var options: ClientOptions

    func run() async throws {
      let answer = try await TagsCommand.send(["action": "list-tags"], options)
      let list = answer["value"]?["tags"]?.array ?? []
      var table = Table(
        [.init("tag"), .init("verdict"), .init("group"), .init("expires")], empty: "the list has no tags")
      for tag in list {
        table.add([
          Table.Cell(tag["tag"]?.string ?? ""), Table.Cell(tag["verdict"]?.string ?? ""), Table.Cell(tag["group"]?.string ?? ""),
          Table.Cell(tag["expires"]?.integer.map(Format.time) ?? ""),
        ])
      }
      try options.output.show(table, json: answer["value"] ?? .null)
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "Put a tag on the list, or change one that is there.")

    @Argument(help: "The tag, such as 04A1B2C3.")
    var tag: String

    @Flag(help: "It must not charge.")
    var blocked = false

    @Option(help: "Tags of one group may end each other's charging.")
    var group: String?

    @Option(help: ArgumentHelp("How long it counts from now on, such as 8h or 365d. Default: for ever.", valueName: "duration"))
    var validFor: String?

    @OptionGroup var options: ClientOptions

    func validate() throws {
      if let validFor, Units.duration(validFor) ?? .zero <= .zero {
        throw ValidationError("'\(printable(validFor))' is no duration like 8h or 365d")
      }
    }

    func run() async throws {
      var members: [String: JSONValue] = ["action": "set-tag", "tag": .string(tag), "verdict": blocked ? "blocked" : "accepted"]
      members["group"] = group.map { .string($0) }
      members["expires"] = validFor.flatMap(Units.duration).map { .integer(options.now + $0.milliseconds) }
      let answer = try await TagsCommand.send(.object(members), options)
      try options.output.show(CommandOutcome(answer, dryRun: false).table, json: answer)
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a tag off the list.")

    @Argument(help: "The tag.")
    var tag: String

    @OptionGroup var options: ClientOptions

    func run() async throws {
      let answer = try await TagsCommand.send(["action": "remove-tag", "tag": .string(tag)], options)
      try options.output.show(CommandOutcome(answer, dryRun: false).table, json: answer)
    }
  }

  fileprivate static func send(_ body: JSONValue, _ options: ClientOptions) async throws -> JSONValue {
    let answer = try await options.client.post("/api/v1/commands", body: body, timeout: .seconds(30))
    if let failure = CommandOutcome(answer, dryRun: false).failure { throw CommandFailure(failure) }
    return answer
  }
}
