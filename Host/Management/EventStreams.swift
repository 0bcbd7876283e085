// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// Live values as server-sent events (the event stream of the HTML standard).
///
/// A reader gets what happens while it listens, nothing from before. What waits for it is bounded: a reader that does not
/// keep up is dropped, so that it neither delays the host nor grows its memory.
final class EventStreams: Sendable {
  private let limits: Limits
  private let open = Mutex(0)

  init(limits: Limits) { self.limits = limits }

  func response(
    to request: Request, channel: any Channel, logger: Logger, operations: any HostOperations, devices: [String]?
  ) throws -> Response {
    guard enter() else {
      throw Problem(
        status: .serviceUnavailable, detail: "\(limits.streams) event streams are open already; end one and try again",
        headers: [.retryAfter: "10"])
    }
    let place = Place(leaving: self)
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: ResponseBody { [limits] writer in
        let reader = Reader(channel: channel, logger: logger, limits: limits)
        // Inout parameters do not cross into the operation's closure.
        var output = writer
        try await request.body.consumeWithInboundCloseHandler { _ in
          try await reader.serve(await operations.events(devices: devices), to: &output)
        } onInboundClosed: {
          reader.finish()
        }
        try await output.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  private func enter() -> Bool {
    open.withLock { count in
      guard count < limits.streams else { return false }
      count += 1
      return true
    }
  }

  /// Held by the response as long as it exists, however it ends.
  private final class Place: Sendable {
    private let streams: EventStreams
    init(leaving streams: EventStreams) { self.streams = streams }
    deinit { streams.open.withLock { $0 -= 1 } }
  }
}

/// One listener and its queue.
private struct Reader: Sendable {
  private let channel: any Channel
  private let logger: Logger
  private let limits: Limits
  private let queue: AsyncStream<ByteBuffer>
  private let entrance: AsyncStream<ByteBuffer>.Continuation

  init(channel: any Channel, logger: Logger, limits: Limits) {
    self.channel = channel
    self.logger = logger
    self.limits = limits
    (queue, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limits.queuedEvents))
  }

  func finish() { entrance.finish() }

  func serve(_ events: AsyncStream<JSONValue>, to writer: inout any ResponseBodyWriter) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      // The comment tells the reader that everything from here on reaches it.
      entrance.yield(ByteBuffer(string: ": listening\n\n"))
      group.addTask { await pass(events) }
      group.addTask { try await beat() }
      try await withGracefulShutdownHandler {
        for await chunk in queue { try await writer.write(chunk) }
      } onGracefulShutdown: {
        finish()
      }
      group.cancelAll()
    }
  }

  private func pass(_ events: AsyncStream<JSONValue>) async {
    for await event in events {
      if case .dropped = entrance.yield(ByteBuffer(string: EventFormat.text(event))) {
        logger.notice("A reader of live values did not keep up and was dropped.")
        // A write that waits for the reader ends only with the connection.
        channel.close(promise: nil)
        return
      }
    }
    finish()
  }

  private func beat() async throws {
    while true {
      try await Task.sleep(for: limits.heartbeat)
      entrance.yield(ByteBuffer(string: ": alive\n\n"))
    }
  }
}

enum EventFormat {
  /// `telemetry` for readings and gaps, `status` for changes of state. JSON text has no line breaks, so one data line does.
  static func text(_ event: JSONValue) -> String {
    let name = event["state"] != nil && event["values"] == nil ? "status" : "telemetry"
    return "event: \(name)\ndata: \(event.text)\n\n"
  }
}
