// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarUplink
import Logging

/// Log lines that tests can wait for.
struct CapturingLog: LogHandler {
  let lines: Watched<[String]>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.debug

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.update { $0.append("\(event.level) \(event.message)") } }
}

/// Carries commands out at once, or keeps their answers back. Knows no meters.
final class TestHandler: UplinkHandler {
  struct State: Sendable {
    var requests: [CommandRequest] = []
    var gatewayRequests: [JSONValue] = []
    var replies: [@Sendable (CommandResponse) -> Void] = []
  }

  let state = Watched(State())
  private let answers: Bool

  init(answers: Bool = true) { self.answers = answers }

  func command(_ request: CommandRequest, reply: @escaping @Sendable (CommandResponse) -> Void) {
    state.update { state in
      state.requests.append(request)
      if !answers { state.replies.append(reply) }
    }
    guard answers else { return }
    if request.device.rawValue.hasPrefix("met_") {
      return reply(CommandResponse(id: request.id, time: request.time, status: .refused, reason: .unknownDevice))
    }
    guard case .set(_, let value) = request.verb else {
      return reply(CommandResponse(id: request.id, time: request.time, status: .done))
    }
    reply(CommandResponse(id: request.id, time: request.time, status: .done, value: value))
  }

  func gatewayCommand(_ request: JSONValue, reply: @escaping @Sendable (CommandResponse) -> Void) {
    state.update { $0.gatewayRequests.append(request) }
    reply(CommandResponse(id: request["id"]?.string ?? "", time: 1, status: .done))
  }

  func requests(_ count: Int) async throws -> [CommandRequest] {
    try await state.until("\(count) commands") { $0.requests.count >= count ? $0.requests : nil }
  }
}

/// An uplink with everything around it.
struct UplinkFixture {
  let uplink: Uplink
  let queue = TestQueue()
  let handler: TestHandler
  let log = Watched<[String]>([])
  let payloads: Payloads
  static let identity = GatewayIdentity(version: "0.1", role: "gateway", siteName: "Nordhof", since: 1_795_378_000_000)

  init(
    port: Int, host: String = "127.0.0.1", answers: Bool = true, _ change: (inout UplinkSettings) -> Void = { _ in }
  ) {
    var settings = UplinkSettings(
      host: host, port: port, gateway: "gw-1", firstPause: .milliseconds(20), longestPause: .milliseconds(200))
    change(&settings)
    handler = TestHandler(answers: answers)
    payloads = Payloads(gateway: "gw-1", path: .gateway)
    let logger = Logger(label: "uplink") { [log] _ in CapturingLog(lines: log) }
    uplink = Uplink(
      settings: settings, identity: Self.identity, payloads: payloads, queue: queue, handler: handler, logger: logger)
  }

  /// Starts it, runs the body, and stops it whatever happens.
  func run(_ body: () async throws -> Void) async throws {
    uplink.start()
    do {
      try await body()
    } catch {
      await uplink.stop()
      throw error
    }
    await uplink.stop()
  }

  @discardableResult
  func logged(_ text: String) async throws -> String {
    try await log.until("a log line with '\(text)'") { $0.first { $0.contains(text) } }
  }

  func connected() async throws { try await logged("connected to") }
}
