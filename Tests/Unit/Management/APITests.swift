// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarManagement
import BusbarModel
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct APITests {
  @Test func everyListAndStatusAnswersAsTheHostSays() async throws {
    try await withServer { socket in
      let host = FakeHost()
      let expected: [(String, JSONValue)] = [
        ("status", await host.status()), ("devices", await host.devices()), ("devices/met_grid", FakeHost.device),
        ("plugins", await host.plugins()), ("links", await host.links()), ("buffer", await host.buffer()),
      ]
      for (path, json) in expected {
        let answer = try await curl(socket, "/api/v1/\(path)")
        #expect(answer.status == 200, "\(path)")
        #expect(answer.type == "application/json", "\(path)")
        #expect(answer.json == json, "\(path)")
      }
      let health = try await curl(socket, "/healthz")
      #expect(health.status == 200)
      #expect(health.body == "ok\n")
    }
  }

  @Test func descriptionListsWhatIsServed() async throws {
    try await withServer { socket in
      let document = try #require(try await curl(socket, "/api/v1/openapi.json").json)
      #expect(document["openapi"] == "3.1.0")
      let paths = try #require(document["paths"]?.object)
      let routes: Set<String> = [
        "/healthz", "/api/v1/openapi.json", "/api/v1/status", "/api/v1/devices", "/api/v1/devices/{id}",
        "/api/v1/devices/{id}/read", "/api/v1/devices/{id}/history", "/api/v1/devices/{id}/commands", "/api/v1/plugins",
        "/api/v1/plugins/{id}/restart", "/api/v1/links", "/api/v1/links/{id}/trace",
        "/api/v1/buffer", "/api/v1/commands", "/api/v1/reload", "/api/v1/events", "/metrics",
        "/api/v1/discovery", "/api/v1/discovery/candidates/{id}", "/api/v1/links/{id}/trace",
      ]
      #expect(Set(paths.keys) == routes)
      // Every reference has its schema.
      let schemas = try #require(document["components"]?["schemas"]?.object)
      let references = document.text.split(separator: "#/components/schemas/").dropFirst().map {
        $0.prefix { $0 != "\"" }
      }
      #expect(!references.isEmpty)
      for reference in references { #expect(schemas[String(reference)] != nil, "\(reference)") }
    }
  }

  @Test func theHostItselfTakesCommands() async throws {
    try await withServer { socket in
      let client = APIClient(socketPath: socket)
      let answer = try await client.post("/api/v1/commands", body: ["action": "list-tags"], timeout: .seconds(10))
      #expect(answer["status"] == "done" && answer["value"] == "list-tags")
      await #expect(throws: APIError.self) { try await client.post("/api/v1/commands", body: nil, timeout: .seconds(10)) }
    }
  }

  @Test func historyAsksForPointsAndTime() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let address = "/api/v1/devices/met_grid/history"
      #expect(try await curl(socket, address).status == 200)
      #expect(host.asked.withLock { $0.history } == HistoryRequest())
      let named = try await curl(socket, "\(address)?points=power,state&points=energy_import&from=1000&to=2000&step=1h")
      #expect(named.status == 200)
      #expect(named.json?["device"] == "met_grid")
      #expect(
        host.asked.withLock { $0.history }
          == HistoryRequest(points: ["power", "state", "energy_import"], from: 1000, to: 2000, step: 60))
      for wrong in ["step=90s", "step=0m", "step=x", "from=-1", "to=now", "points=", "point=power", "step=9999d"] {
        let answer = try await curl(socket, "\(address)?\(wrong)")
        #expect(answer.status == 400, "\(wrong)")
      }
      #expect(try await curl(socket, "/api/v1/devices/other/history").status == 404)
    }
  }

  @Test func readAsksForAllOrForNamedPoints() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let all = try await curl(socket, "/api/v1/devices/met_grid/read", ["-X", "POST"])
      #expect(all.status == 200)
      #expect(all.json?["values"]?["power"] == 120.5)
      _ = try await curl(socket, "/api/v1/devices/met_grid/read", ["-d", #"{"points":["power","frequency"]}"#])
      #expect(host.asked.withLock { $0.reads } == [nil, ["power", "frequency"]])
    }
  }

  @Test func commandIsFilledInAndWaitsForItsResponse() async throws {
    let host = FakeHost { request in
      CommandResponse(
        id: request.id, time: 5, status: .refused, reason: .overruled, by: "ems-1", until: 9,
        text: "a higher priority holds")
    }
    try await withServer(host) { socket in
      let answer = try await curl(
        socket, "/api/v1/devices/met_grid/commands", ["-d", #"{"point":"power_limit","value":3000}"#])
      let request = try #require(host.asked.withLock { $0.commands.first })
      #expect(request.verb == .set(point: "power_limit", value: .integer(3000)))
      #expect(request.device.rawValue == "met_grid")
      #expect(request.priority == .schedule)
      #expect(request.owner == "local")
      #expect(request.role == .administrator)
      #expect(request.validFor == nil)
      #expect(!request.dryRun)
      #expect((1...64).contains(request.id.count))
      #expect(request.time > 1_700_000_000_000)
      #expect(answer.status == 200)
      #expect(
        answer.json
          == .object([
            "id": .string(request.id), "ts": 5, "status": "refused", "reason": "overruled", "by": "ems-1", "until": 9,
            "text": "a higher priority holds",
          ]))
    }
  }

  @Test func commandIsTakenAsItIsGiven() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      _ = try await curl(
        socket, "/api/v1/devices/met_grid/commands",
        [
          "-d",
          #"{"id":"a1","ts":1795378158674,"point":"mode","value":null,"valid_for":60000,"priority":"grid","owner":"dso","safe":0.5,"dry_run":true}"#,
        ])
      _ = try await curl(
        socket, "/api/v1/devices/met_grid/commands",
        ["-d", #"{"id":"a2","action":"charge.start","args":{"connector":1,"tag":"04A1"}}"#])
      let asked = host.asked.withLock { $0.commands }
      let device = try #require(DeviceID(rawValue: "met_grid"))
      #expect(
        asked.first
          == CommandRequest(
            id: "a1", device: device, verb: .set(point: "mode", value: nil), time: 1_795_378_158_674,
            validFor: .seconds(60), priority: .grid, owner: "dso", safe: .number(0.5), role: .administrator,
            dryRun: true))
      #expect(asked.last?.verb == .action(name: "charge.start", arguments: ["connector": 1, "tag": "04A1"]))
    }
  }
}
