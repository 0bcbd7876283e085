// SPDX-License-Identifier: Apache-2.0

import BusbarManagement
import BusbarModel
import Synchronization

/// A host of one device that remembers what it was asked.
final class FakeHost: HostOperations {
  struct Asked: Sendable {
    var commands: [CommandRequest] = []
    var reads: [[String]?] = []
    var streams: [[String]?] = []
    var traces: [String] = []
    var history: HistoryRequest?
    var searches: [[String]] = []
    var added: [JSONValue] = []
  }

  static let device: JSONValue = .object([
    "id": "met_grid", "name": "Grid", "type": "meter", "state": "online",
    "values": .object(["power": .object(["value": 120.5, "unit": "W", "ts": 1_795_378_158_674, "quality": "good"])]),
    "points": .array([.object(["name": "power", "unit": "W", "resolution": 0.1])]),
  ])

  let asked = Mutex(Asked())
  let answer: @Sendable (CommandRequest) -> CommandResponse
  let readError: OperationError?
  private let streams = Mutex<[AsyncStream<JSONValue>.Continuation]>([])
  /// One element for each event stream that was opened, and for each that ended.
  let opened: AsyncStream<Void>
  let ended: AsyncStream<Void>
  private let didOpen: AsyncStream<Void>.Continuation
  private let didEnd: AsyncStream<Void>.Continuation

  init(
    readError: OperationError? = nil,
    answer: @escaping @Sendable (CommandRequest) -> CommandResponse = { request in
      CommandResponse(id: request.id, time: request.time, status: .done)
    }
  ) {
    self.readError = readError
    self.answer = answer
    (opened, didOpen) = AsyncStream.makeStream()
    (ended, didEnd) = AsyncStream.makeStream()
  }

  func emit(_ event: JSONValue) { for stream in streams.withLock({ $0 }) { stream.yield(event) } }
  func finishStreams() { for stream in streams.withLock({ $0 }) { stream.finish() } }

  func status() async -> JSONValue { .object(["id": "gw-0001", "state": "online"]) }
  func devices() async -> JSONValue { .array([Self.device]) }
  func device(_ id: String) async -> JSONValue? {
    guard id == "met_grid" else { return nil }
    return Self.device
  }
  func plugins() async -> JSONValue { .array([.object(["id": "org.busbar.modbus", "state": "loaded"])]) }
  func links() async -> JSONValue { .array([.object(["id": "bus1"])]) }
  func buffer() async -> JSONValue { .object(["messages": 0, "bytes": 0]) }

  func read(device: String, points: [String]?) async throws(OperationError) -> JSONValue {
    if let readError { throw readError }
    asked.withLock { $0.reads.append(points) }
    return .object(["ts": 1_795_378_158_674, "values": .object(["power": 120.5])])
  }

  func history(device: String, _ wanted: HistoryRequest) async throws(OperationError) -> String {
    asked.withLock { $0.history = wanted }
    guard device == "met_grid" else { throw OperationError(status: 404, detail: "there is no device \(device)") }
    return #"{"device":"met_grid","points":[]}"#
  }

  func command(_ request: CommandRequest) async -> CommandResponse {
    asked.withLock { $0.commands.append(request) }
    return answer(request)
  }

  func carryOut(_ body: JSONValue) async -> CommandResponse {
    CommandResponse(id: "", time: 0, status: .done, value: body["action"]?.string.map { .text($0) })
  }

  func restart(plugin: String) async throws(OperationError) -> JSONValue {
    guard plugin == "org.example.meter" else { throw OperationError(status: 404, detail: "there is no plugin \(plugin)") }
    return ["id": .string(plugin), "restarted": true]
  }

  func reload() async throws(OperationError) -> JSONValue {
    throw OperationError(status: 409, detail: "busbar.yaml:3: no such key 'devicez'")
  }

  func discovery() async -> JSONValue { .object(["search": .null, "candidates": .array([])]) }

  func discover(_ targets: [String]) async throws(OperationError) -> JSONValue {
    asked.withLock { $0.searches.append(targets) }
    return .object(["search": 1, "state": "running"])
  }

  func cancelSearch() async -> JSONValue { .null }

  func forget(candidate: String) async throws(OperationError) {
    guard candidate == "c-1" else { throw OperationError(status: 404, detail: "there is no candidate \(candidate)") }
  }

  func add(_ body: JSONValue) async throws(OperationError) -> JSONValue {
    asked.withLock { $0.added.append(body) }
    return Self.device
  }

  func forget(device: String) async throws(OperationError) {
    throw OperationError(status: 409, detail: "\(device) stands in the configuration")
  }

  func trace(link: String, device: String?, _ wanted: TraceRequest) async throws(OperationError) -> TraceAnswer {
    guard link == "bus1" else { throw OperationError(status: 404, detail: "there is no link \(link); there are bus1") }
    asked.withLock { $0.traces.append("\(device ?? "-") \(wanted.kept) \(wanted.live)") }
    let text = "busbar-trace 1 link=bus1\n" + (wanted.kept ? "0.000 > 0A0B\n" : "")
    guard wanted.live else { return TraceAnswer(text: text) }
    return TraceAnswer(text: text, lines: AsyncStream { lines in
      lines.yield("1.000 < 0C0D")
      lines.finish()
    })
  }

  func events(devices: [String]?) async -> AsyncStream<JSONValue> {
    asked.withLock { $0.streams.append(devices) }
    let (stream, continuation) = AsyncStream<JSONValue>.makeStream()
    continuation.onTermination = { [didEnd] _ in didEnd.yield() }
    streams.withLock { $0.append(continuation) }
    didOpen.yield()
    return stream
  }
}
