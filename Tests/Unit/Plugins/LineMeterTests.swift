// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Foundation
import Glibc
import Testing

/// The plugin in plain C against its simulated device in Python: neither shares code with the host.
@Suite(.timeLimit(.minutes(1)), .bothModes)
struct LineMeterTests {
  private static let plugin = Task { try await Built.loaded(Built.shared.value.lineMeter) }
  private static let settings = #"{"unit": "W", "scale": 1, "rated_power": 3000, "safe_limit": 1000}"#

  private func link(_ meter: LineMeter) async throws -> TestLink {
    try await TestLink(Self.plugin.value, adapter: "line-meter", endpoint: .tcp(host: "127.0.0.1", port: meter.port))
  }

  private func opened(_ meter: LineMeter) async throws -> TestLink {
    let link = try await link(meter)
    #expect(await link.open() == .done)
    #expect(await link.add(Self.settings) == .done)
    return link
  }

  @Test func values() async throws {
    let meter = try await LineMeter.start("--watts", "1500.5", "--watt-hours", "12250", "--still", "--serial-number", "X9")
    let link = try await opened(meter)
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "1500.5", "energy_total": "12250", "state": "on", "power_limit": "3000"])
    #expect(link.told.identities == [DeviceIdentity(vendor: "Example", model: "LM-1", serial: "X9", firmware: "2.1")])
    // Only what is due.
    #expect(await link.poll([link.told.id("power_limit")]) == .done)
    #expect(link.told.last == ["power_limit": "3000"])
    #expect(await link.close() == .done)
  }

  @Test func kilowatts() async throws {
    let meter = try await LineMeter.start("--watts", "1.5", "--watt-hours", "12", "--still", "--limit", "3")
    let link = try await link(meter)
    #expect(await link.open() == .done)
    #expect(await link.add(#"{"unit": "kW", "scale": 2, "rated_power": 6000, "safe_limit": 0}"#) == .done)
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "3000", "energy_total": "24000", "state": "on", "power_limit": "6000"])
  }

  @Test func aCommandIsCarriedOutAndReadBack() async throws {
    let meter = try await LineMeter.start("--watts", "1500", "--still")
    let link = try await opened(meter)
    #expect(await link.command(.set(point: link.told.id("power_limit"), value: .integer(800))) == .done(.number(800)))
    #expect(await link.poll() == .done)
    #expect(link.told.last["power"] == "800")
  }

  @Test func aDryRunChangesNothing() async throws {
    let meter = try await LineMeter.start("--watts", "1500", "--still")
    let link = try await opened(meter)
    #expect(
      await link.command(.set(point: link.told.id("power_limit"), value: .number(800)), dryRun: true) == .done(nil))
    #expect(await link.poll() == .done)
    #expect(link.told.last["power"] == "1500")
    #expect(link.told.last["power_limit"] == "3000")
    guard
      case .refused = await link.command(.set(point: link.told.id("power_limit"), value: .number(3001)), dryRun: true)
    else {
      Issue.record("a dry run says what would be refused")
      return
    }
  }

  @Test func refusals() async throws {
    let meter = try await LineMeter.start("--fault", "refusing")
    let link = try await opened(meter)
    #expect(
      await link.command(.set(point: link.told.id("power_limit"), value: .number(5))) == .refused("the meter says no"))
    #expect(
      await link.command(.set(point: link.told.id("power"), value: .number(5)))
        == .refused("only power_limit can be written"))
    #expect(
      await link.command(.set(point: link.told.id("power_limit"), value: .number(5)), validUntil: 1)
        == .refused("too late"))
  }

  @Test func contradictingSettings() async throws {
    let meter = try await LineMeter.start()
    let link = try await link(meter)
    #expect(await link.open() == .done)
    let result = await link.add(#"{"unit": "W", "scale": 1, "rated_power": 3000, "safe_limit": 4000}"#)
    #expect(result.failure == .config)
    #expect(result.text == "safe_limit is above rated_power")
    #expect(await link.close() == .done)
  }

  @Test func aDeviceThatClosesTheConnection() async throws {
    let meter = try await LineMeter.start("--fault", "closing")
    let link = try await opened(meter)
    let result = await link.poll()
    #expect(result == CallResult(failure: .transient, reason: .closed, text: "the far end closed the connection"))
    #expect(link.told.readings.isEmpty)
  }

  @Test func aDeviceThatIsSilent() async throws {
    let meter = try await LineMeter.start("--fault", "silent")
    let link = try await opened(meter)
    let result = await link.poll(deadline: Clock.boot() + 100_000_000)
    #expect(result.failure == .transient)
    #expect(result.reason == .timeout)
    #expect(link.told.readings.isEmpty)
  }

  @Test func aDeviceThatTalksNonsense() async throws {
    let meter = try await LineMeter.start("--fault", "garbled")
    let link = try await opened(meter)
    #expect(await link.poll() == .done)
    #expect(Set(link.told.last.values) == ["bad:decode"])
    #expect(link.told.problems.map(\.name) == ["GarbledAnswer"])
    #expect(link.told.problems.map(\.active) == [true])
  }

  @Test func aCommandWithoutAnAnswerIsUnknown() async throws {
    let meter = try await LineMeter.start()
    let link = try await opened(meter)
    #expect(await link.poll() == .done)
    meter.end()
    guard case .unknown = await link.command(.set(point: link.told.id("power_limit"), value: .number(5))) else {
      Issue.record("nobody knows how it ended")
      return
    }
  }
}

/// line_meter_device.py of the template.
private final class LineMeter: Sendable {
  let port: UInt16
  private let process: Child

  // Used from one thread at a time.
  private final class Child: @unchecked Sendable { let process = Process() }

  /// On a thread of its own, as it waits for the device's first line.
  static func start(_ arguments: String...) async throws -> LineMeter {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<LineMeter, any Error>) in
      WorkThread.start(name: "device") { done.resume(with: Result { try LineMeter(arguments) }) }
    }
  }

  private init(_ arguments: [String]) throws {
    process = Child()
    process.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.process.arguments =
      ["python3", "\(root)/PluginAPI/Templates/common/line_meter_device.py", "--port", "0"] + arguments
    let output = Pipe()
    process.process.standardOutput = output
    process.process.standardInput = FileHandle.nullDevice
    try process.process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    port = try #require(UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)), "it printed \(line)")
  }

  func end() {
    guard process.process.isRunning else { return }
    // Not SIGTERM: what is started from a thread of Swift's pool is born with most signals blocked.
    kill(process.process.processIdentifier, SIGKILL)
    process.process.waitUntilExit()
  }

  deinit { end() }
}
