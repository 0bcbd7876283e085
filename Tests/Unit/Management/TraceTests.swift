// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarManagement
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct TraceTests {
  private func lines(_ path: String, at socket: String) async throws -> [String] {
    let seen = Mutex<[String]>([])
    try await APIClient(socketPath: socket).lines(path) { line in
      seen.withLock { $0.append(line) }
      return true
    }
    return seen.withLock { $0 }
  }

  @Test func whatIsKept() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let kept = try await lines("/api/v1/links/bus1/trace", at: socket)
      #expect(kept == ["busbar-trace 1 link=bus1", "0.000 > 0A0B"])
    }
    #expect(host.asked.withLock { $0.traces } == ["- true false"])
  }

  @Test func whatComesUntilTheLinkEnds() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let live = try await lines("/api/v1/links/bus1/trace?kept=false&live=true&device=met_grid", at: socket)
      #expect(live == ["busbar-trace 1 link=bus1", "1.000 < 0C0D"])
    }
    #expect(host.asked.withLock { $0.traces } == ["met_grid false true"])
  }

  @Test(arguments: [
    ("bus2/trace", 404, "there are bus1"), ("bus1/trace?kept=maybe", 400, "true or false"),
    ("bus1/trace?device=a%20b", 400, "characters"), ("b%2F1/trace", 400, "characters"),
  ])
  func whatIsRefused(path: String, status: Int, part: String) async throws {
    try await withServer { socket in
      do {
        _ = try await lines("/api/v1/links/\(path)", at: socket)
        Issue.record("answered")
      } catch let APIError.refused(found, detail) {
        #expect(found == status && detail.contains(part), "\(found) \(detail)")
      }
    }
  }
}
