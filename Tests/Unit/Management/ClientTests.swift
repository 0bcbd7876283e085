// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarManagement
import BusbarModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ClientTests {
  @Test func asksAndUnderstands() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let client = APIClient(socketPath: socket)
      #expect(try await client.get("/api/v1/devices") == .array([FakeHost.device]))
      let reading = try await client.post(
        "/api/v1/devices/met_grid/read", body: .object(["points": .array(["power"])]), timeout: .seconds(20))
      #expect(reading["values"]?["power"] == 120.5)
      #expect(host.asked.withLock { $0.reads } == [["power"]])
      await #expect(throws: APIError.refused(status: 409, detail: "busbar.yaml:3: no such key 'devicez'")) {
        try await client.post("/api/v1/reload", body: nil, timeout: .seconds(20))
      }
    }
  }

  /// The host may close as soon as it has answered, whichever part of the request the client is at.
  @Test func everyRequestOfManyIsAnswered() async throws {
    try await withServer { socket in
      let client = APIClient(socketPath: socket)
      for _ in 1...500 {
        let answer = try await client.get("/api/v1/buffer")
        #expect(answer == .object(["messages": 0, "bytes": 0]))
      }
    }
  }

  @Test func takesEventsUntilItHasEnough() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      let seen = Mutex<[Int64]>([])
      async let listening: Void = APIClient(socketPath: socket).events(devices: ["met_grid"]) { event in
        seen.withLock {
          $0.append(event["ts"]?.integer ?? -1)
          return $0.count < 3
        }
      }
      var opened = host.opened.makeAsyncIterator()
      await opened.next()
      for number in 1...5 as ClosedRange<Int64> {
        host.emit(.object(["ts": .integer(number), "values": .object([:])]))
      }
      try await listening
      #expect(seen.withLock { $0 } == [1, 2, 3])
      await #expect(
        throws: APIError.refused(status: 404, detail: "there is no device 'x'; `busbar devices` or GET /api/v1/devices lists them")
      ) {
        try await APIClient(socketPath: socket).events(devices: ["x"]) { _ in true }
      }
    }
  }

  @Test func saysWhereNobodyAnswers() async throws {
    try await withDirectory { directory in
      let path = "\(directory)/busbar.sock"
      for path in [path, "/proc/version/busbar.sock", String(repeating: "a", count: 200)] {
        let error = await #expect(throws: APIError.self) { try await APIClient(socketPath: path).get("/healthz") }
        #expect(error == .noHost(path: path))
        #expect(error?.exitCode == 3)
        #expect(error?.description.contains(path) == true)
      }
      _ = try await run(
        "/usr/bin/python3", ["-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])", path])
      await #expect(throws: APIError.noHost(path: path)) { try await APIClient(socketPath: path).get("/healthz") }
    }
  }

  /// Listens and says what it is told to say to whoever comes.
  private func withImpostor(_ words: String, _ body: (String) async throws -> Void) async throws {
    try await withDirectory { directory in
      let path = "\(directory)/busbar.sock"
      let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
          channel.writeAndFlush(ByteBuffer(string: words), promise: nil)
          return channel.eventLoop.makeSucceededVoidFuture()
        }
        .bind(unixDomainSocketPath: path).get()
      try await body(path)
      try await listener.close()
    }
  }

  @Test func doesNotWaitForEver() async throws {
    try await withImpostor("") { path in
      let client = APIClient(socketPath: path)
      await #expect(throws: APIError.timedOut(path: path, after: .milliseconds(50))) {
        try await client.get("/api/v1/status", timeout: .milliseconds(50))
      }
      await #expect(throws: APIError.timedOut(path: path, after: .milliseconds(50))) {
        try await client.events(devices: [], silence: .milliseconds(50)) { _ in true }
      }
    }
  }

  @Test(arguments: ["220 mail.example ESMTP\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"])
  func knowsWhatIsNoHost(words: String) async throws {
    try await withImpostor(words) { path in
      let error = await #expect(throws: APIError.self) { try await APIClient(socketPath: path).get("/api/v1/status") }
      #expect(error?.description.contains("is no busbar host") == true, "\(String(describing: error))")
      #expect(error?.exitCode == 1)
    }
  }
}
