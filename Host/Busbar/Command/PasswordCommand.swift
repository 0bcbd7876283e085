// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel
import BusbarSystem

struct PasswordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "password", abstract: "Set what a device has to show that connects by itself.",
    discussion: """
      DEVICE is the id of a device whose endpoint is listener:NAME/IDENTITY, a candidate, or such an endpoint. The host keeps \
      passwords salted and hashed: what is set cannot be shown again.
      """,
    subcommands: [Set.self, Rotate.self, Remove.self])

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Set the password that a device has, read from standard input.",
      discussion: """
        The first line of standard input is the password, of 8 to 128 bytes; on a terminal it is asked for and not shown. A \
        password is never an argument, because others on the machine can see those.
        """)

    @Argument(help: "The device.", completion: Completions.devicesAndCandidates)
    var device: String

    @Option(help: ArgumentHelp("The least security profile: 0 as the listener, 1 and 2 a password, 3 a certificate.", valueName: "number"))
    var profile: Int?

    @OptionGroup var options: ClientOptions

    func validate() throws {
      if let profile, !(0...3).contains(profile) { throw ValidationError("--profile is a number from 0 to 3") }
    }

    func run() async throws {
      guard let password = SecretInput.line(prompt: "Password of \(printable(device)): "), !password.isEmpty else {
        throw CommandFailure("there is no password on standard input")
      }
      try await PasswordCommand.send(
        ["action": "set-login", "device": .string(device), "password": .string(password), "profile": profile.map { .integer(Int64($0)) } ?? .null],
        options)
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rotate", abstract: "Give a connected device a new password, which nobody gets to see.",
      discussion: """
        The host makes a password, hands it to the device over its connection, and keeps it hashed. Until the device has come \
        with it, its former one counts as well.
        """)

    @Argument(help: "The device.", completion: Completions.devices)
    var device: String

    @OptionGroup var options: ClientOptions

    func run() async throws { try await PasswordCommand.send(["action": "rotate-login", "device": .string(device)], options) }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Forget the password and security profile of a device; its connection stays.")

    @Argument(help: "The device.", completion: Completions.devicesAndCandidates)
    var device: String

    @OptionGroup var options: ClientOptions

    func run() async throws { try await PasswordCommand.send(["action": "remove-login", "device": .string(device)], options) }
  }

  fileprivate static func send(_ body: JSONValue, _ options: ClientOptions) async throws {
    let members = (body.object ?? [:]).filter { $0.value != .null }
    let answer = try await options.client.post("/api/v1/commands", body: .object(members), timeout: .seconds(90))
    let outcome = CommandOutcome(answer, dryRun: false)
    try options.output.show(outcome.table, json: answer)
    if let failure = outcome.failure { throw CommandFailure(failure) }
  }
}
