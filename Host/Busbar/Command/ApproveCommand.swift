// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

struct ApproveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Put a discovered device into service.",
    discussion: """
      The device is read once before anything is stored; one that does not answer is refused with the reason. Then it runs at \
      once, and after each restart, until `busbar forget` takes it out.
      """)

  @Argument(help: "A candidate that `busbar discover` shows.", completion: Completions.candidates)
  var candidate: String

  @Option(help: "What people call it.")
  var name: String?

  @Option(help: "Id of the device. Default: made of its serial number.")
  var id: String?

  @Option(help: "Another template than the suggested one.", completion: Completions.templates)
  var template: String?

  @Option(help: "How often it is read, such as 5s. Default: the template's.")
  var poll: String?

  @Flag(inversion: .prefixedNo, help: "Whether commands are allowed. Default: the template's.")
  var write: Bool?

  @Option(
    name: .customLong("config"), parsing: .singleValue,
    help: ArgumentHelp("A setting of the adapter, such as timeout=2s; may be repeated.", valueName: "k=v"))
  var settings: [String] = []

  @OptionGroup var options: ClientOptions

  func validate() throws {
    try DeviceArgument.check(candidate)
    if let id { try DeviceArgument.check(id) }
    for setting in settings where !setting.contains("=") || setting.hasPrefix("=") {
      throw ValidationError("'\(printable(setting))' is no setting like timeout=2s")
    }
  }

  func run() async throws {
    var body: [String: JSONValue] = ["candidate": .string(candidate)]
    body["name"] = name.map { .string($0) }
    body["id"] = id.map { .string($0) }
    body["template"] = template.map { .string($0) }
    body["poll"] = poll.map { .string($0) }
    body["write"] = write.map { .boolean($0) }
    if !settings.isEmpty {
      let pairs = settings.map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
      let members = pairs.map { (String($0[0]), CommandWords.value(String($0[1]))) }
      body["config"] = .object(Dictionary(members) { _, last in last })
    }
    let device = try await options.client.post("/api/v1/devices", body: .object(body), timeout: .seconds(120))
    try options.output.show(ListView.devices(.array([device]), now: options.now), json: device)
  }
}

struct ForgetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget", abstract: "Take an approved device out of service, or forget a candidate.",
    discussion: """
      A device of the configuration stays: take it out of the file. Readings that wait for the broker are still sent. \
      A device that is forgotten may be found and approved again, and has the same id then.
      """)

  @Argument(help: "Id of a device, or a candidate.", completion: Completions.devicesAndCandidates)
  var name: String

  @OptionGroup var options: ClientOptions

  func validate() throws { try DeviceArgument.check(name) }

  func run() async throws {
    let client = options.client
    let candidates = try await client.get("/api/v1/discovery")["candidates"]?.array ?? []
    let isCandidate = candidates.contains { $0["candidate"]?.string == name }
    let path = isCandidate ? "/api/v1/discovery/candidates/\(name)" : "/api/v1/devices/\(name)"
    let answer = try await client.delete(path, timeout: .seconds(60))
    try options.output.show(Table(facts: [("forgotten", Table.Cell(name))]), json: answer)
  }
}
