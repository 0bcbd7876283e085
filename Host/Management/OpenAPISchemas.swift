// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The shapes that the description of the API refers to.
enum OpenAPISchemas {
  static var all: [String: JSONValue] {
    [
      "Problem": problem, "Device": device, "CommandRequest": request, "CommandResponse": response, "Reading": reading,
      "History": history, "Candidate": candidate, "Search": search, "NewDevice": newDevice,
    ]
  }

  static func schema(of action: Endpoint.Action) -> JSONValue {
    switch action {
    case .health, .metrics, .events, .trace: type("string")
    case .devices: list(reference("Device"))
    case .device, .add: reference("Device")
    case .discovery: structure(["search": reference("Search"), "candidates": list(reference("Candidate"))])
    case .discover, .cancelSearch: reference("Search")
    case .forgetDevice: structure(["id": type("string")])
    case .forgetCandidate: structure(["candidate": type("string")])
    case .plugins, .links: list(type("object"))
    case .read: reference("Reading")
    case .history: reference("History")
    case .command, .hostCommand: reference("CommandResponse")
    case .description, .status, .buffer, .reload, .restart: type("object")
    }
  }

  static func body(of action: Endpoint.Action) -> JSONValue? {
    switch action {
    case .read: structure(["points": list(type("string"))])
    case .command: reference("CommandRequest")
    case .discover: structure(["endpoints": list(type("string"))])
    case .add: reference("NewDevice")
    case .hostCommand: structure(["action": type("string")])
    default: nil
    }
  }

  static func answer(of action: Endpoint.Action) -> String {
    switch action {
    case .health: "ok"
    case .metrics: "Prometheus text, format 0.0.4"
    case .description: "OpenAPI 3.1"
    case .status: "id, version, role, since, state, devices, uplink, buffer, plugins, listeners, alarms"
    case .devices: "One entry a device"
    case .device: "The device with `points`"
    case .read: "Values, and the points that could not be read with the reason"
    case .history: "Rows of each point; a span without a value has none, the last one may be under way"
    case .hostCommand: "The outcome, also where it was refused; an action that asks for a list answers with it in `value`"
    case .command: "The outcome, also where it was refused; see `status` and `reason`"
    case .plugins: "id, version, file, state, reason, isolation, adapters, hash, signature, process, deaths"
    case .restart: "id, restarted"
    case .links: "id, adapter, endpoint, state, reason, devices, calls, overruns"
    case .trace: "A trace: a first line about the link, then a line a frame; a blank line every 15 s while it goes on"
    case .buffer: "messages, bytes, oldest, dropped, problem, commit_ms, size, path"
    case .discovery: "The last search since the start, null where there was none, and the candidates, the surest first"
    case .discover: "The search as it begins"
    case .cancelSearch: "The search as it ended; null where there was none"
    case .add: "The device with `points`, in service"
    case .forgetDevice, .forgetCandidate: "What was forgotten"
    case .reload: "changed, unchanged, added, removed, restart; `problems`: listeners that cannot be opened"
    case .events:
      "Events `telemetry` (a reading with `device` added) and `status` (a changed state); a comment every 15 s; readers that do not keep up are dropped"
    }
  }

  static var historyParameters: [JSONValue] {
    [
      parameter("id", "path", "Device id", self.text(pattern: "^[A-Za-z0-9_-]{1,64}$")),
      parameter(
        "points", "query", "Only these points, with commas between or repeated; all where it is left out",
        type("string")),
      parameter("from", "query", "Unix milliseconds; an hour before `to` where it is left out", type("integer")),
      parameter("to", "query", "Unix milliseconds, not included; now where it is left out", type("integer")),
      parameter(
        "step", "query",
        "Time in a row: whole minutes, as 5m, 1h, 1d; where it is left out, a minute, or more for a long time",
        self.text(pattern: "^[0-9]+(ms|s|m|h|d)$")),
    ]
  }

  private static func parameter(_ name: String, _ place: String, _ text: String, _ schema: JSONValue) -> JSONValue {
    .object([
      "name": .string(name), "in": .string(place), "required": .boolean(place == "path"), "description": .string(text),
      "schema": schema,
    ])
  }

  static var traceParameters: [JSONValue] {
    [
      parameter("id", "path", "Link id", self.text(pattern: "^[A-Za-z0-9_.-]{1,64}$")),
      parameter("device", "query", "Only frames of calls for this device", self.text(pattern: "^[A-Za-z0-9_-]{1,64}$")),
      parameter("kept", "query", "With the frames that are kept; true where it is left out", type("boolean")),
      parameter("live", "query", "Goes on with what comes; false where it is left out", type("boolean")),
    ]
  }

  private static var problem: JSONValue {
    structure(["type": type("string"), "title": type("string"), "status": type("integer"), "detail": type("string")])
  }

  private static var device: JSONValue {
    var members: [String: JSONValue] = [:]
    for name in [
      "id", "name", "type", "adapter", "template", "link", "state", "reason", "vendor", "model", "serial", "firmware",
    ] {
      members[name] = type("string")
    }
    members["state"] = choice(DeviceState.allCases.map(\.rawValue))
    members["type"] = choice(DeviceKind.allCases.map(\.rawValue))
    members["since"] = milliseconds
    members["write"] = type("boolean")
    members["quality"] = type("object")
    members["points"] = list(type("object"))
    members["values"] = .object([
      "type": "object",
      "additionalProperties": structure([
        "value": scalar, "unit": type("string"), "ts": milliseconds, "quality": type("string"),
      ]),
    ])
    return structure(members)
  }

  private static var request: JSONValue {
    structure([
      "id": text(pattern: "^.{1,64}$"), "ts": milliseconds, "point": type("string"), "value": scalar,
      "action": type("string"), "args": type("object"), "valid_for": milliseconds,
      "priority": choice(Priority.allCases.filter { $0 != .safety }.map(\.rawValue)), "owner": type("string"),
      "safe": scalar, "dry_run": type("boolean"),
    ])
  }

  private static var response: JSONValue {
    structure([
      "id": type("string"), "ts": milliseconds, "status": choice(CommandResponse.Status.allCases.map(\.rawValue)),
      "value": scalar, "reason": choice(RefusalReason.allCases.map(\.rawValue)), "by": type("string"),
      "until": milliseconds, "text": type("string"),
    ])
  }

  private static var reading: JSONValue {
    structure([
      "ts": milliseconds, "values": .object(["type": "object", "additionalProperties": scalar]),
      "bad": .object(["type": "object", "additionalProperties": choice(BadReason.allCases.map(\.rawValue))]),
    ])
  }

  private static var history: JSONValue {
    let row = structure([
      "ts": milliseconds, "minimum": type("number"), "mean": type("number"), "maximum": type("number"),
      "value": type("string"), "samples": type("integer"),
    ])
    return structure([
      "device": type("string"), "from": milliseconds, "to": milliseconds, "step": milliseconds,
      "points": list(
        structure([
          "name": type("string"), "unit": type("string"), "kind": choice(["gauge", "counter", "state"]), "rows": list(row),
        ])),
    ])
  }

  private static var candidate: JSONValue {
    var members: [String: JSONValue] = [:]
    for name in [
      "candidate", "adapter", "template", "endpoint", "vendor", "model", "serial", "firmware", "suggested_id", "device", "note",
    ] {
      members[name] = type("string")
    }
    members["templates"] = list(type("string"))
    members["type"] = choice(DeviceKind.allCases.map(\.rawValue))
    members["config"] = type("object")
    members["confidence"] = .object(["type": "number", "minimum": 0, "maximum": 1])
    members["first_seen"] = milliseconds
    members["last_seen"] = milliseconds
    members["state"] = choice(["new", "known", "moved"])
    return structure(members)
  }

  private static var search: JSONValue {
    structure([
      "search": type("integer"), "state": choice(["running", "done", "cancelled"]), "started": milliseconds,
      "ended": milliseconds,
      "addresses": structure([
        "total": type("integer"), "asked": type("integer"), "answering": type("integer"), "in_service": type("integer"),
      ]),
      "connections": list(
        structure([
          "endpoint": type("string"), "done": type("integer"), "total": type("integer"),
          "state": choice(["running", "done", "failed"]), "reason": type("string"),
        ])),
      "found": type("integer"), "problems": list(type("string")),
    ])
  }

  private static var newDevice: JSONValue {
    structure([
      "candidate": type("string"), "id": text(pattern: "^[A-Za-z0-9_-]{1,64}$"), "name": type("string"),
      "adapter": type("string"), "template": type("string"), "endpoint": type("string"), "config": type("object"),
      "poll": .object(["type": .array(["string", "object"])]), "write": type("boolean"),
    ])
  }

  private static var milliseconds: JSONValue {
    .object(["type": "integer", "description": "Milliseconds; times in Unix time"])
  }

  private static var scalar: JSONValue {
    .object(["type": .array(["number", "boolean", "string", "null"])])
  }

  static func type(_ name: String) -> JSONValue { .object(["type": .string(name)]) }

  static func text(pattern: String) -> JSONValue { .object(["type": "string", "pattern": .string(pattern)]) }

  static func reference(_ name: String) -> JSONValue { .object(["$ref": .string("#/components/schemas/\(name)")]) }

  private static func list(_ items: JSONValue) -> JSONValue { .object(["type": "array", "items": items]) }

  private static func choice(_ names: [String]) -> JSONValue {
    .object(["type": "string", "enum": .array(names.map { .string($0) })])
  }

  private static func structure(_ members: [String: JSONValue]) -> JSONValue {
    .object(["type": "object", "properties": .object(members)])
  }
}
