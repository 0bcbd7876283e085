// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import UnixSignals

struct DiscoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discover", abstract: "Look for devices, and show what was found.",
    discussion: """
      ENDPOINT is tcp://HOST[:PORT], a serial line such as serial:///dev/ttyUSB0?baud=9600, or a range of addresses such as \
      192.168.1.0/24 or 192.168.1.0/24:1502. Behind a named endpoint all unit ids are asked, behind the addresses of a range \
      those that devices usually have. Without an endpoint the ranges of the configuration and the serial lines in service are \
      searched. Nothing is written to any device; devices in service keep their connection and their polls. Ctrl-C ends the \
      search and shows what was found so far; --stop ends one that somebody else has begun.
      """)

  @Argument(help: ArgumentHelp("Where to look.", valueName: "endpoint"))
  var endpoints: [String] = []

  @Flag(help: "Show what was found before, without a search.")
  var list = false

  @Flag(help: "End the running search.")
  var stop = false

  @OptionGroup var options: ClientOptions

  func validate() throws {
    guard !list || endpoints.isEmpty else { throw ValidationError("--list takes no endpoint") }
    guard !stop || endpoints.isEmpty && !list else { throw ValidationError("--stop stands alone") }
    for endpoint in endpoints {
      do throws(ValueError) {
        _ = try SearchTarget(endpoint)
      } catch {
        throw ValidationError("\(printable(endpoint)): \(error)")
      }
    }
  }

  func run() async throws {
    let client = options.client
    guard !list else { return try show(try await client.get("/api/v1/discovery"), since: 0) }
    if stop {
      _ = try await client.delete("/api/v1/discovery", timeout: .seconds(30))
      return try show(try await client.get("/api/v1/discovery"), since: 0)
    }
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    let begun = try await client.post(
      "/api/v1/discovery", body: ["endpoints": .array(endpoints.map { .string($0) })], timeout: .seconds(30))
    let interrupt = Task {
      for await _ in signals {
        _ = try? await client.delete("/api/v1/discovery", timeout: .seconds(30))
      }
    }
    defer { interrupt.cancel() }
    let answer = try await follow(begun["search"], client)
    try show(answer, since: begun["started"]?.integer ?? 0)
    if let failure = SearchView.failure(answer["search"] ?? .null, named: !endpoints.isEmpty) { throw CommandFailure(failure) }
    if (answer["search"]?["found"]?.integer ?? 0) == 0 { StandardError.write("nothing was found") }
  }

  private func follow(_ number: JSONValue?, _ client: APIClient) async throws -> JSONValue {
    var line = SearchLine()
    defer { line.clear() }
    while true {
      let answer = try await client.get("/api/v1/discovery")
      guard let search = answer["search"], search["search"] == number, search["state"] == "running" else { return answer }
      line.draw(SearchView.progress(search))
      try await Task.sleep(for: .milliseconds(250))
    }
  }

  private func show(_ answer: JSONValue, since: Int64) throws {
    let found = (answer["candidates"]?.array ?? []).filter { ($0["last_seen"]?.integer ?? 0) >= since }
    let json: JSONValue = ["search": answer["search"] ?? .null, "candidates": .array(found)]
    for problem in SearchView.problems(answer["search"] ?? .null) where since > 0 {
      StandardError.write(printable(problem))
    }
    try options.output.show(SearchView.candidates(found, now: options.now), json: json)
  }
}
