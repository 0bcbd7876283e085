// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel

struct ReadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "read", abstract: "Take one fresh reading of a device.")

  @Argument(help: "Id of the device.", completion: Completions.devices)
  var device: String

  @Argument(help: "Points to read; none = all.", completion: Completions.points)
  var points: [String] = []

  @OptionGroup var options: ClientOptions

  func validate() throws { try DeviceArgument.check(device) }

  func run() async throws {
    let client = options.client
    let described = try await client.get("/api/v1/devices/\(device)")
    var body: JSONValue?
    if !points.isEmpty { body = .object(["points": .array(points.map { .string($0) })]) }
    let reading = try await client.post("/api/v1/devices/\(device)/read", body: body, timeout: .seconds(60))
    let view = ReadingView(reading, device: device, points: points, units: WatchBoard.units(described))
    try options.output.show(view.table, json: reading)
    if let failure = view.failure { throw CommandFailure(failure) }
  }
}

enum DeviceArgument {
  /// What is no id must not become part of an address.
  static func check(_ text: String) throws {
    guard DeviceID(rawValue: text) != nil else {
      throw ValidationError("'\(printable(text))' is no device id: 1 to 64 characters of A-Z a-z 0-9 _ -")
    }
  }
}
