// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarManagement
import BusbarModel
import NIOCore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct EventStreamTests {
  private let reading: JSONValue = .object([
    "device": "met_grid", "ts": 1, "values": .object(["power": 1.5, "state": "a\nb"]),
  ])
  private let change: JSONValue = .object(["device": "met_grid", "ts": 2, "state": "offline"])

  @Test func eventsComeInTheFormOfTheStandard() async throws {
    let host = FakeHost()
    try await withServer(host) { socket in
      async let answer = curl(socket, "/api/v1/events?device=met_grid", ["-N"])
      var opened = host.opened.makeAsyncIterator()
      await opened.next()
      host.emit(reading)
      host.emit(change)
      host.finishStreams()
      let received = try await answer
      #expect(received.status == 200)
      #expect(received.type == "text/event-stream")
      #expect(
        received.body == """
          : listening

          event: telemetry
          data: {"device":"met_grid","ts":1,"values":{"power":1.5,"state":"a\\nb"}}

          event: status
          data: {"device":"met_grid","state":"offline","ts":2}


          """)
      #expect(host.asked.withLock { $0.streams } == [["met_grid"]])
    }
  }

  @Test func aSilentHostStillShowsThatItLives() async throws {
    var limits = Limits()
    limits.heartbeat = .milliseconds(10)
    try await withServer(limits: limits) { socket in
      let lines = try await run(
        "/bin/sh", ["-c", "curl -sN --unix-socket '\(socket)' http://localhost/api/v1/events | head -n 6"])
      #expect(lines == ": listening\n\n: alive\n\n: alive\n\n")
    }
  }

  @Test func aReaderThatDoesNotReadIsDroppedAndOthersAreNot() async throws {
    let host = FakeHost()
    var limits = Limits()
    limits.queuedEvents = 4
    try await withServer(host, limits: limits) { socket in
      var opened = host.opened.makeAsyncIterator()
      var ended = host.ended.makeAsyncIterator()
      let deaf = try await connectDeaf(socket, sending: "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      await opened.next()
      let long = JSONValue.object([
        "device": "met_grid", "values": .object(["text": .string(String(repeating: "x", count: 65_536))]),
      ])
      let dropped = Flag()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          while !dropped.isSet {
            host.emit(long)
            await Task.yield()
          }
        }
        await ended.next()
        dropped.set()
        try await group.waitForAll()
      }
      try? await deaf.close()
      #expect(try await curl(socket, "/api/v1/status").status == 200)
    }
  }

  @Test func aReaderThatLeavesEndsItsStream() async throws {
    let host = FakeHost()
    var limits = Limits()
    // Not found out by writing to it.
    limits.heartbeat = .seconds(3600)
    try await withServer(host, limits: limits) { socket in
      var opened = host.opened.makeAsyncIterator()
      var ended = host.ended.makeAsyncIterator()
      let reader = try await connectDeaf(socket, sending: "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      await opened.next()
      try await reader.close()
      await ended.next()
    }
  }

  @Test func streamsAreLimitedAndPlacesAreGivenBack() async throws {
    let host = FakeHost()
    var limits = Limits()
    limits.streams = 1
    try await withServer(host, limits: limits) { socket in
      for _ in 1...3 {
        async let first = curl(socket, "/api/v1/events", ["-N"])
        var opened = host.opened.makeAsyncIterator()
        await opened.next()
        let second = try await curl(socket, "/api/v1/events")
        #expect(second.status == 503)
        #expect(second.type == "application/problem+json")
        host.finishStreams()
        let ended = try await first
        #expect(ended.status == 200)
      }
    }
  }

  @Test func moreConnectionsThanAllowedWaitForAPlace() async throws {
    let host = FakeHost()
    var limits = Limits()
    limits.connections = 1
    try await withServer(host, limits: limits) { socket in
      let reader = try await connectDeaf(socket, sending: "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      var opened = host.opened.makeAsyncIterator()
      await opened.next()
      let left = Flag()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let answer = try await curl(socket, "/api/v1/status")
          #expect(answer.status == 200)
          #expect(left.isSet)
        }
        // The second client is connected, by the system, before it is served.
        let waiting = try await connectDeaf(socket, sending: "")
        left.set()
        try await reader.close()
        try await waiting.close()
        try await group.waitForAll()
      }
    }
  }

  @Test func theHostEndsWithStreamsOpen() async throws {
    let host = FakeHost()
    let client = try await withServer(host) { socket in
      let task = Task { try await APIClient(socketPath: socket).events(devices: []) { _ in true } }
      var opened = host.opened.makeAsyncIterator()
      await opened.next()
      return (task, socket)
    }
    await #expect(throws: APIError.ended(path: client.1)) { try await client.0.value }
  }
}

private final class Flag: Sendable {
  private let value = Mutex(false)
  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
