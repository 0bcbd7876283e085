// SPDX-License-Identifier: Apache-2.0

import BusbarManagement
import BusbarModel
import Synchronization
import Testing

@Suite struct DiscoveryTests {
  private func expectProblem(
    _ answer: CurlAnswer, _ status: Int, _ word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(answer.status == status, sourceLocation: sourceLocation)
    #expect(answer.json?["detail"]?.string?.contains(word) == true, "\(answer.body)", sourceLocation: sourceLocation)
  }

  @Test func searchesAreBegunWithAndWithoutEndpoints() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      #expect(try await curl(socket, "/api/v1/discovery").json?["candidates"] == .array([]))
      let begun = try await curl(socket, "/api/v1/discovery", ["-X", "POST"])
      #expect(begun.status == 200 && begun.json?["state"] == "running")
      _ = try await curl(socket, "/api/v1/discovery", ["-d", #"{"endpoints":["tcp://10.0.0.1"]}"#])
      #expect(host.asked.withLock { $0.searches } == [[], ["tcp://10.0.0.1"]])
      #expect(try await curl(socket, "/api/v1/discovery", ["-X", "DELETE"]).status == 200)
      for body in [#"{"endpoint":[]}"#, #"{"endpoints":"x"}"#, #"{"endpoints":[5]}"#, "[]"] {
        expectProblem(try await curl(socket, "/api/v1/discovery", ["-d", body]), 422, "endpoints")
      }
      let many = (0..<65).map { "\"tcp://10.0.0.\($0)\"" }.joined(separator: ",")
      expectProblem(try await curl(socket, "/api/v1/discovery", ["-d", "{\"endpoints\":[\(many)]}"]), 422, "64")
    }
  }

  @Test func devicesComeAndGo() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let added = try await curl(socket, "/api/v1/devices", ["-d", #"{"candidate":"c-1","name":"Roof"}"#])
      #expect(added.status == 200 && added.json?["id"] == "met_grid")
      #expect(host.asked.withLock { $0.added } == [["candidate": "c-1", "name": "Roof"]])
      expectProblem(try await curl(socket, "/api/v1/devices", ["-X", "POST"]), 400, "candidate")
      expectProblem(try await curl(socket, "/api/v1/devices/met_grid", ["-X", "DELETE"]), 409, "configuration")
      expectProblem(try await curl(socket, "/api/v1/devices/met%20grid", ["-X", "DELETE"]), 400, "device id")
      #expect(try await curl(socket, "/api/v1/discovery/candidates/c-1", ["-X", "DELETE"]).status == 200)
      expectProblem(try await curl(socket, "/api/v1/discovery/candidates/c-2", ["-X", "DELETE"]), 404, "c-2")
    }
  }
}
