// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Asks a running host over its Unix socket: HTTP/1.1, one connection a request.
package struct APIClient: Sendable {
  package let socketPath: String
  /// An answer that is larger is none.
  static let largest = 32 << 20

  package init(socketPath: String) { self.socketPath = socketPath }

  /// The answer as JSON. `timeout` is for all of it. Throws `APIError`.
  package func get(_ path: String, timeout: Duration = .seconds(15)) async throws -> JSONValue {
    try await request(.GET, path, body: nil, timeout: timeout)
  }

  package func post(_ path: String, body: JSONValue?, timeout: Duration) async throws -> JSONValue {
    try await request(.POST, path, body: body, timeout: timeout)
  }

  package func delete(_ path: String, timeout: Duration) async throws -> JSONValue {
    try await request(.DELETE, path, body: nil, timeout: timeout)
  }

  private func request(_ method: HTTPMethod, _ path: String, body: JSONValue?, timeout: Duration) async throws
    -> JSONValue
  {
    let (status, bytes) = try await withDeadline(timeout) {
      try await exchange(method, path, body: body) { inbound in
        var status: HTTPResponseStatus?
        var bytes: [UInt8] = []
        for try await part in inbound {
          switch part {
          case .head(let head): status = head.status
          case .body(let chunk):
            bytes.append(contentsOf: chunk.readableBytesView)
            guard bytes.count <= Self.largest else {
              throw APIError.unintelligible(path: socketPath, "the answer is larger than \(Self.largest) bytes")
            }
          case .end: return (status, bytes)
          }
        }
        throw APIError.ended(path: socketPath)
      }
    }
    return try answer(status, bytes)
  }

  /// Live values: calls `take` for each event until it says false. Throws `APIError`, `ended` when the host ends.
  /// `silence` is how long the host may send nothing at all; it sends a comment every 15 s.
  package func events(
    devices: [String], silence: Duration = .seconds(45), take: @escaping @Sendable (JSONValue) async throws -> Bool
  ) async throws {
    let query = devices.map { "device=\($0)" }.joined(separator: "&")
    let path = "/api/v1/events" + (query.isEmpty ? "" : "?\(query)")
    let activity = Activity()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listen(path, activity, take) }
      group.addTask {
        while true {
          let end = activity.last + silence
          guard ContinuousClock.now < end else { throw APIError.timedOut(path: socketPath, after: silence) }
          try await Task.sleep(until: end, clock: .continuous)
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func listen(
    _ path: String, _ activity: Activity, _ take: @Sendable (JSONValue) async throws -> Bool
  ) async throws {
    try await exchange(.GET, path, body: nil) { inbound in
      var parser = EventStreamParser()
      var failed: HTTPResponseStatus?
      var problem: [UInt8] = []
      for try await part in inbound {
        activity.note()
        switch part {
        case .head(let head): failed = head.status == .ok ? nil : head.status
        case .body(let chunk) where failed != nil:
          problem.append(contentsOf: chunk.readableBytesView.prefix((1 << 16) - problem.count))
        case .body(let chunk):
          for event in try events(in: chunk, &parser) {
            guard try await take(event) else { return }
          }
        case .end:
          if let failed { _ = try answer(failed, problem) }
          throw APIError.ended(path: socketPath)
        }
      }
      throw APIError.ended(path: socketPath)
    }
  }

  private func events(in chunk: ByteBuffer, _ parser: inout EventStreamParser) throws -> [JSONValue] {
    do {
      return try parser.add(chunk.readableBytesView).map { try JSONValue(parsing: Array($0.utf8)) }
    } catch {
      throw APIError.unintelligible(path: socketPath, "\(error)")
    }
  }

  private func answer(_ status: HTTPResponseStatus?, _ bytes: [UInt8]) throws -> JSONValue {
    let body: JSONValue
    do {
      body = try JSONValue(parsing: bytes, depth: 64)
    } catch {
      throw APIError.unintelligible(path: socketPath, "HTTP \(status?.code ?? 0) without JSON")
    }
    guard let status, status == .ok else {
      let detail = body["detail"]?.string ?? body["title"]?.string ?? "the host answered with HTTP \(status?.code ?? 0)"
      throw APIError.refused(status: Int(status?.code ?? 0), detail: detail)
    }
    return body
  }

  /// Text line by line, until `take` says false or the host ends it. Blank lines show that the host lives; they are
  /// not handed over. Throws `APIError`.
  package func lines(
    _ path: String, silence: Duration = .seconds(45), take: @escaping @Sendable (String) async throws -> Bool
  ) async throws {
    let activity = Activity()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await readLines(path, activity, take) }
      group.addTask {
        while true {
          let end = activity.last + silence
          guard ContinuousClock.now < end else { throw APIError.timedOut(path: socketPath, after: silence) }
          try await Task.sleep(until: end, clock: .continuous)
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func readLines(
    _ path: String, _ activity: Activity, _ take: @Sendable (String) async throws -> Bool
  ) async throws {
    try await exchange(.GET, path, body: nil) { inbound in
      var status: HTTPResponseStatus?
      var rest: [UInt8] = []
      for try await part in inbound {
        activity.note()
        switch part {
        case .head(let head): status = head.status
        case .body(let chunk):
          rest.append(contentsOf: chunk.readableBytesView)
          guard rest.count <= Self.largest else {
            throw APIError.unintelligible(path: socketPath, "a line is longer than \(Self.largest) bytes")
          }
          guard status == .ok else { continue }
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest.removeSubrange(...end)
            guard !line.isEmpty else { continue }
            guard try await take(line) else { return }
          }
        case .end:
          if status != .ok { _ = try answer(status, rest) }
          return
        }
      }
      throw APIError.ended(path: socketPath)
    }
  }

  private typealias Inbound = NIOAsyncChannelInboundStream<HTTPClientResponsePart>

  private func exchange<Answer: Sendable>(
    _ method: HTTPMethod, _ path: String, body: JSONValue?, read: (Inbound) async throws -> Answer
  ) async throws -> Answer {
    let channel = try await connect()
    do {
      return try await channel.executeThenClose { inbound, outbound in
        var headers: HTTPHeaders = ["host": "localhost", "connection": "close", "accept": "*/*"]
        let content = body.map { ByteBuffer(string: $0.text) }
        if method == .POST {
          headers.add(name: "content-type", value: "application/json")
          headers.add(name: "content-length", value: "\(content?.readableBytes ?? 0)")
        }
        var parts: [HTTPClientRequestPart] = [
          .head(HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers))
        ]
        if let content { parts.append(.body(.byteBuffer(content))) }
        parts.append(.end(nil))
        // In one piece: the host may answer and close as soon as it has the head. Where it closed before it took all of a
        // request, what it said about that is read all the same.
        try? await outbound.write(contentsOf: parts)
        return try await read(inbound)
      }
    } catch let error as IOError {
      throw [ECONNRESET, EPIPE].contains(error.errnoCode) ? APIError.ended(path: socketPath) : error
    } catch let error where error is HTTPParserError || error is NIOHTTPDecoderError {
      throw APIError.unintelligible(path: socketPath, "it does not speak HTTP")
    } catch is ChannelError {
      throw APIError.ended(path: socketPath)
    }
  }

  private func connect() async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
    do {
      return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.seconds(5))
        .connect(unixDomainSocketPath: socketPath) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
          }
        }
    } catch let error as IOError {
      switch error.errnoCode {
      case ENOENT, ECONNREFUSED, ENOTDIR: throw APIError.noHost(path: socketPath)
      case EACCES, EPERM: throw APIError.notAllowed(path: socketPath)
      default: throw error
      }
    } catch is SocketAddressError {
      throw APIError.noHost(path: socketPath)
    } catch is ChannelError {
      throw APIError.timedOut(path: socketPath, after: .seconds(5))
    }
  }

  private func withDeadline<Answer: Sendable>(
    _ timeout: Duration, _ work: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        try await Task.sleep(for: timeout)
        return nil
      }
      defer { group.cancelAll() }
      guard let answer = try await group.next() ?? nil else {
        throw APIError.timedOut(path: socketPath, after: timeout)
      }
      return answer
    }
  }
}

/// When something was last heard of the host.
private final class Activity: Sendable {
  private let time = Mutex(ContinuousClock.now)
  var last: ContinuousClock.Instant { time.withLock { $0 } }
  func note() { time.withLock { $0 = .now } }
}
