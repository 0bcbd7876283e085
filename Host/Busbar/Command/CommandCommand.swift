// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel
import BusbarSystem

struct CommandCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "command", abstract: "Set a point of a device, or carry out an action.",
    usage: "busbar command DEVICE POINT=VALUE|ACTION [k=v…] [--valid-for 60s] [--dry-run] [--wait]",
    discussion: """
      VALUE is a number, true, false, a text, or null, which releases the point. A setpoint holds for --valid-for and then \
      falls to its safe value.
      """)

  @Argument(help: "Id of the device.", completion: Completions.devices)
  var device: String

  @Argument(help: "POINT=VALUE, or ACTION and its arguments as k=v.", completion: Completions.settings)
  var words: [String]

  @Option(help: "How long the value holds: 500ms, 60s, 15m, 1h. Default: the template's.", transform: Self.duration)
  var validFor: Duration?

  @Option(
    help: "grid, protection, user, schedule or optimizer. Default: schedule.",
    completion: .list(Priority.allCases.filter { $0 != .safety }.map(\.rawValue)), transform: Self.priority)
  var priority: Priority?

  @Option(help: "Whose value it is. Default: local.")
  var owner: String?

  @Option(help: "The value to fall to, where the template has none.")
  var safe: String?

  @Flag(help: "Only say what would happen.")
  var dryRun = false

  @Flag(help: "Wait until the effect is seen, a minute at most.")
  var wait = false

  @OptionGroup var options: ClientOptions

  func validate() throws {
    try DeviceArgument.check(device)
    do {
      _ = try CommandWords(words)
    } catch {
      throw ValidationError(error.description)
    }
  }

  func run() async throws {
    let words = try CommandWords(words)
    let body = body(words)
    var response = try await send(body)
    let awaited = wait && !dryRun && response["status"] == "accepted"
    if awaited { response = try await effect(of: words, body, after: response) }
    let outcome = CommandOutcome(response, dryRun: dryRun)
    try options.output.show(outcome.table, json: response)
    if let failure = outcome.failure { throw CommandFailure(failure) }
    if awaited, response["status"] == "accepted" {
      throw CommandFailure("accepted, but no effect was seen within \(Units.text(patience))")
    }
  }

  private func body(_ words: CommandWords) -> JSONValue {
    // The id is made here, so that asking again cannot act twice.
    var members: [String: JSONValue] = [
      "id": .string("cli-" + String(UInt64.random(in: .min ... .max), radix: 16)), "ts": .integer(options.now),
    ]
    switch words {
    case .set(let point, let value):
      members["point"] = .string(point)
      members["value"] = value
    case .action(let name, let arguments):
      members["action"] = .string(name)
      if !arguments.isEmpty { members["args"] = .object(arguments) }
    }
    members["valid_for"] = validFor.map { .integer($0.milliseconds) }
    members["priority"] = priority.map { .string($0.rawValue) }
    members["owner"] = owner.map { .string($0) }
    members["safe"] = safe.map { CommandWords.value($0) }
    if dryRun { members["dry_run"] = true }
    return .object(members)
  }

  private func send(_ body: JSONValue) async throws -> JSONValue {
    try await options.client.post("/api/v1/devices/\(device)/commands", body: body, timeout: .seconds(60))
  }

  private var patience: Duration { min(validFor ?? .seconds(60), .seconds(60)) }

  /// Asks again, under the same id, and reads the point, until one of them tells the outcome; else the last answer.
  private func effect(of words: CommandWords, _ body: JSONValue, after first: JSONValue) async throws -> JSONValue {
    var last = first
    let resolutions = CommandWords.resolutions(try await options.client.get("/api/v1/devices/\(device)"))
    let end = ContinuousClock.now + patience
    while ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(500))
      let response = try await send(body)
      last = response
      guard response["status"] == "accepted", case .set(let point, let value) = words, value != .null else {
        if response["status"] == "accepted" { continue }
        return response
      }
      // A failed reading is no outcome of the command.
      let reading = try? await options.client.post(
        "/api/v1/devices/\(device)/read", body: .object(["points": .array([.string(point)])]), timeout: .seconds(30))
      if let now = reading?["values"]?[point], CommandWords.agree(value, now, resolution: resolutions[point] ?? 0),
        case .object(var members) = response
      {
        members["status"] = "done"
        members["value"] = now
        return .object(members)
      }
    }
    return last
  }

  private static func duration(_ text: String) throws -> Duration {
    guard let duration = Units.duration(text), duration > .zero else {
      throw ValidationError("'\(printable(text))' is no duration like 500ms, 60s, 15m or 1h")
    }
    return duration
  }

  private static func priority(_ text: String) throws -> Priority {
    guard let priority = Priority(rawValue: text), priority != .safety else {
      throw ValidationError("'\(printable(text))' is none of grid, protection, user, schedule, optimizer")
    }
    return priority
  }
}
