// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarManagement
import BusbarModel
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

/// A directory of its own, removed in the end.
func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let path = "/tmp/busbar-management-\(UInt32.random(in: .min ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// Runs a server at this path while the body runs, then shuts it down gracefully.
func withServer<Result: Sendable>(
  _ host: FakeHost, at path: String, limits: Limits = Limits(), _ body: @Sendable () async throws -> Result
) async throws -> Result {
  let (ready, isReady) = AsyncStream<Void>.makeStream()
  let server = ManagementServer(
    operations: host, socketPath: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, limits: limits,
    onReady: { isReady.yield() })
  let group = ServiceGroup(services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  return try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask {
      defer { isReady.finish() }
      try await group.run()
    }
    var first = ready.makeAsyncIterator()
    guard await first.next() != nil else {
      try await tasks.waitForAll()
      throw CancellationError()
    }
    do {
      let result = try await body()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return result
    } catch {
      tasks.cancelAll()
      throw error
    }
  }
}

/// A server with a socket of its own.
func withServer<Result: Sendable>(
  _ host: FakeHost = FakeHost(), limits: Limits = Limits(), _ body: @Sendable (String) async throws -> Result
) async throws -> Result {
  try await withDirectory { directory in
    let path = "\(directory)/busbar.sock"
    return try await withServer(host, at: path, limits: limits) { try await body(path) }
  }
}

/// What curl, which shares nothing with the server, got.
struct CurlAnswer: Sendable {
  var status: Int
  var type: String
  var headers: String
  var body: String

  var json: JSONValue? { try? JSONValue(parsing: Array(body.utf8), depth: 64) }
}

func curl(_ socket: String, _ path: String, _ arguments: [String] = []) async throws -> CurlAnswer {
  let arguments =
    ["-s", "-i", "--max-time", "30", "--unix-socket", socket, "-w", "\\n%{http_code} %{content_type}"]
    + arguments + ["http://localhost\(path)"]
  let output = try await run("/usr/bin/curl", arguments)
  let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
  let last = lines.last?.split(separator: " ", maxSplits: 1) ?? []
  let rest = lines.dropLast().joined(separator: "\n")
  // Curl shows the interim answer to 'Expect: 100-continue' too.
  let parts = rest.components(separatedBy: "\r\n\r\n").drop { $0.hasPrefix("HTTP/1.1 100") }
  return CurlAnswer(
    status: Int(last.first ?? "") ?? 0, type: last.count > 1 ? String(last[1]) : "", headers: parts.first ?? "",
    body: parts.dropFirst().joined(separator: "\r\n\r\n"))
}

/// Standard output of a program, however it ended.
func run(_ program: String, _ arguments: [String]) async throws -> String {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread {
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(filePath: program)
      process.arguments = arguments
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      do {
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        continuation.resume(returning: String(decoding: data, as: UTF8.self))
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }
}

/// A client that sends these bytes and never reads.
func connectDeaf(_ socket: String, sending text: String) async throws -> any Channel {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelOption(.autoRead, value: false)
    .connect(unixDomainSocketPath: socket).get()
  try await channel.writeAndFlush(ByteBuffer(string: text))
  return channel
}
