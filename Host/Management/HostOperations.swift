// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What the API can do with the host; the wiring implements it. Answers are JSON objects as the API sends them.
package protocol HostOperations: Sendable {
  /// Gateway status: `{"id","version","role","since","state","devices":{"online":n,"offline":n},"uplink":{…},"buffer":{…},"plugins":[…],"listeners":[…],"alarms":[…]}`.
  func status() async -> JSONValue
  /// `[{"id","name","type","adapter","template","link","state","reason","since","vendor","model","serial","firmware","write","quality":{…},"values":{point:{"value","unit","ts","quality"}}}]`.
  func devices() async -> JSONValue
  /// One entry of `devices()` with `"points":[…]` as in interfaces 3.5; nil = no such device.
  func device(_ id: String) async -> JSONValue?
  /// `[{"id","version","file","state":"offered"|"starting"|"loaded"|"restarting"|"quarantined"|"refused"|"retired","reason","isolation","adapters":[…],"hash","signature","process","deaths"}]`.
  func plugins() async -> JSONValue
  /// Gives a plugin in a child a new start, out of quarantine too: `{"id","restarted":true|false}`.
  func restart(plugin: String) async throws(OperationError) -> JSONValue
  /// `[{"id","adapter","endpoint","state","reason","devices":[…],"calls":n,"overruns":n}]`.
  func links() async -> JSONValue
  /// `{"messages","bytes","oldest","dropped","problem","commit_ms","size","path"}`.
  func buffer() async -> JSONValue
  /// One fresh reading: `{"ts","values":{…},"bad":{…}}`. Nil points = all.
  func read(device: String, points: [String]?) async throws(OperationError) -> JSONValue
  func command(_ request: CommandRequest) async -> CommandResponse
  /// What was kept of a device, as JSON text:
  /// `{"device","from","to","step","points":[{"name","unit","kind","rows":[{"ts","minimum","mean","maximum","samples"}]}]}`;
  /// rows of labels have `value` instead of the numbers.
  func history(device: String, _ wanted: HistoryRequest) async throws(OperationError) -> String
  /// Applies a changed configuration: `{"changed":[…],"unchanged":n,"added":[…],"removed":[…],"restart":[…]}`.
  func reload() async throws(OperationError) -> JSONValue
  /// `{"search":{…}|null,"candidates":[…]}`: the last search, and what was found and is not forgotten.
  func discovery() async -> JSONValue
  /// Begins a search: its first picture, as in `discovery()`. No targets = what the configuration names.
  func discover(_ targets: [String]) async throws(OperationError) -> JSONValue
  /// The search as it ended, or null.
  func cancelSearch() async -> JSONValue
  func forget(candidate: String) async throws(OperationError)
  /// Reads a device once and takes it into service: `{"candidate"|"template"+"endpoint","id","name","adapter","config",
  /// "poll","write"}`. The answer is as of `device()`.
  func add(_ body: JSONValue) async throws(OperationError) -> JSONValue
  /// Takes a device out of service that `add` took in.
  func forget(device: String) async throws(OperationError)
  /// Carries out a command for the host itself, as on `gateways/{id}/commands`: an object with `action`.
  func carryOut(_ body: JSONValue) async -> CommandResponse
  /// The frames of a link in the trace format (PluginAPI/TRACE.md), all or those of one device.
  func trace(link: String, device: String?, _ wanted: TraceRequest) async throws(OperationError) -> TraceAnswer
  /// Telemetry payloads with `"device"` added as they are taken, and status changes; nil devices = all.
  func events(devices: [String]?) async -> AsyncStream<JSONValue>
}

/// What is wanted of what was kept.
package struct HistoryRequest: Sendable, Equatable {
  /// Empty = all.
  package var points: [String] = []
  /// Unix milliseconds; nil = an hour before `to`.
  package var from: Int64?
  /// Unix milliseconds, not included; nil = now.
  package var to: Int64?
  /// Minutes in a row; nil = so many that the answer stays short.
  package var step: Int64?

  package init(points: [String] = [], from: Int64? = nil, to: Int64? = nil, step: Int64? = nil) {
    self.points = points
    self.from = from
    self.to = to
    self.step = step
  }
}

/// Which frames of a link are wanted.
package struct TraceRequest: Sendable, Equatable {
  /// Those that are kept.
  package var kept: Bool
  /// Those that come, until the reader goes.
  package var live: Bool

  package init(kept: Bool, live: Bool) {
    self.kept = kept
    self.live = live
  }
}

package struct TraceAnswer: Sendable {
  /// The first line and what is kept, each line with its end.
  package var text: String
  /// Lines without their end; nil where none were wanted.
  package var lines: AsyncStream<String>?

  package init(text: String, lines: AsyncStream<String>? = nil) {
    self.text = text
    self.lines = lines
  }
}

/// An answer that is not the wanted one.
package struct OperationError: Error, Sendable, Equatable {
  /// HTTP status: 400, 404, 409, 422, 503, 504.
  package var status: Int
  /// A sentence for a person: what is wrong, where, what to do.
  package var detail: String

  package init(status: Int, detail: String) {
    self.status = status
    self.detail = detail
  }
}
