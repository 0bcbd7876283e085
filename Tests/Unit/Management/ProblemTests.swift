// SPDX-License-Identifier: Apache-2.0

import BusbarManagement
import BusbarModel
import Synchronization
import Testing

/// What is wrong is answered with problem details (RFC 9457), and reaches the host never.
@Suite(.timeLimit(.minutes(2)))
struct ProblemTests {
  private func expectProblem(
    _ answer: CurlAnswer, _ status: Int, _ word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(answer.status == status, sourceLocation: sourceLocation)
    #expect(answer.type == "application/problem+json", sourceLocation: sourceLocation)
    #expect(answer.json?["status"]?.integer == Int64(status), sourceLocation: sourceLocation)
    #expect(answer.json?["type"] == "about:blank", sourceLocation: sourceLocation)
    #expect(answer.json?["title"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(answer.json?["detail"]?.string?.contains(word) == true, "\(answer.body)", sourceLocation: sourceLocation)
  }

  @Test func addressesAndMethods() async throws {
    try await withServer { socket in
      expectProblem(try await curl(socket, "/api/v1/nothing"), 404, "openapi.json")
      expectProblem(try await curl(socket, "/"), 404, "openapi.json")
      let method = try await curl(socket, "/api/v1/status", ["-X", "DELETE"])
      expectProblem(method, 405, "GET")
      #expect(method.headers.lowercased().contains("\r\nallow: get"))
      expectProblem(try await curl(socket, "/api/v1/devices/met_grid/read"), 405, "POST")
      expectProblem(try await curl(socket, "/api/v1/devices/nobody"), 404, "'nobody'")
      expectProblem(try await curl(socket, "/api/v1/devices/a%20b"), 400, "device id")
      expectProblem(try await curl(socket, "/api/v1/events?device=nobody"), 404, "'nobody'")
      expectProblem(try await curl(socket, "/api/v1/events?device=%2F"), 400, "device id")
    }
  }

  @Test(arguments: [
    (#"{"point":"power_limit","value":1"#, 400, "JSON"),
    (#"{"point":"power_limit","value":1e999}"#, 400, "range"),
    (#"["point"]"#, 422, "object"),
    (#"{"point":"power_limit","value":1,"dryrun":true}"#, 422, "'dryrun'"),
    (#"{"point":"power_limit"}"#, 422, "'value'"),
    (#"{"point":"power_limit","value":[1]}"#, 422, "'value'"),
    (#"{"point":"power_limit","action":"reset","value":1}"#, 422, "exactly one"),
    (#"{"value":1}"#, 422, "exactly one"),
    (#"{"action":"reset","args":[1]}"#, 422, "'args'"),
    (#"{"action":"reset","value":1}"#, 422, "'value'"),
    (#"{"point":"power_limit","value":1,"priority":"safety"}"#, 422, "'priority'"),
    (#"{"point":"power_limit","value":1,"valid_for":0}"#, 422, "'valid_for'"),
    (#"{"point":"power_limit","value":1,"valid_for":9e30}"#, 422, "'valid_for'"),
    (#"{"point":"power_limit","value":1,"valid_for":"60s"}"#, 422, "'valid_for'"),
    (#"{"point":"power_limit","value":1,"ts":1.5}"#, 422, "'ts'"),
    (#"{"point":"power_limit","value":1,"id":""}"#, 422, "'id'"),
    (#"{"point":"power_limit","value":1,"owner":"a\u0007b"}"#, 422, "'owner'"),
    (#"{"point":"power_limit","value":1,"dry_run":"yes"}"#, 422, "'dry_run'"),
  ])
  func commands(body: String, status: Int, word: String) async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      expectProblem(try await curl(socket, "/api/v1/devices/met_grid/commands", ["-d", body]), status, word)
      #expect(host.asked.withLock { $0.commands.isEmpty })
    }
  }

  @Test func bodiesThatAreMissingTooLargeOrTooDeep() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let path = "/api/v1/devices/met_grid/commands"
      expectProblem(try await curl(socket, path, ["-X", "POST"]), 400, "missing")
      let deep = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
      expectProblem(try await curl(socket, path, ["-d", deep]), 400, "nested")
      try await withDirectory { directory in
        let file = "\(directory)/body"
        _ = try await run("/bin/sh", ["-c", "head -c 70000 /dev/zero | tr '\\0' '1' > \(file)"])
        expectProblem(try await curl(socket, path, ["--data-binary", "@\(file)"]), 413, "65536")
        // Without a length in advance.
        expectProblem(
          try await curl(socket, path, ["-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)"]), 413, "65536")
      }
      #expect(host.asked.withLock { $0.commands.isEmpty })
    }
  }

  @Test func readingsAndReloadsThatFail() async throws {
    try await withServer(FakeHost(readError: OperationError(status: 504, detail: "no answer within 3 s"))) { socket in
      let path = "/api/v1/devices/met_grid/read"
      expectProblem(try await curl(socket, path, ["-X", "POST"]), 504, "3 s")
      expectProblem(try await curl(socket, path, ["-d", #"{"points":[]}"#]), 422, "'points'")
      expectProblem(try await curl(socket, path, ["-d", #"{"points":[1]}"#]), 422, "'points'")
      expectProblem(try await curl(socket, path, ["-d", #"{"point":"power"}"#]), 422, "points")
      expectProblem(try await curl(socket, "/api/v1/reload", ["-X", "POST"]), 409, "busbar.yaml:3")
    }
  }

  @Test func commandToADeviceThatTheHostDoesNotHave() async throws {
    let host = FakeHost { request in
      CommandResponse(id: request.id, time: 1, status: .refused, reason: .unknownDevice)
    }
    try await withServer(host) { socket in
      expectProblem(
        try await curl(socket, "/api/v1/devices/nobody/commands", ["-d", #"{"point":"a","value":1}"#]), 404, "'nobody'")
    }
  }

  @Test func headersThatAreTooLargeEndTheConnection() async throws {
    try await withServer { socket in
      let one = try await curl(socket, "/api/v1/status", ["-H", "X-Long: " + String(repeating: "a", count: 9_000)])
      #expect(one.status == 400)
      let many = (0..<70).flatMap { ["-H", "X-\($0): a"] }
      #expect(try await curl(socket, "/api/v1/status", many).status == 400)
      #expect(try await curl(socket, "/api/v1/status").status == 200)
    }
  }
}
