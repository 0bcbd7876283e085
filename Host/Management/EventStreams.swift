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
    // The comment tells the reader that everything from here on reaches it.
    try response(
      to: request, channel: channel, logger: logger, form: Form(type: "text/event-stream", first: ": listening\n\n", beat: ": alive\n\n")
    ) { pass in
      for await event in await operations.events(devices: devices) { guard pass(EventFormat.text(event)) else { return } }
    }
  }

  /// Lines of text as they come, each with its end, after some that are there. A blank line shows that the host lives.
  func lines(
    _ lines: AsyncStream<String>, after text: String, to request: Request, channel: any Channel, logger: Logger
  ) throws -> Response {
    try response(
      to: request, channel: channel, logger: logger, form: Form(type: "text/plain; charset=utf-8", first: text, beat: "\n")
    ) { pass in
      for await line in lines { guard pass(line + "\n") else { return } }
    }
  }

  /// `source` hands text over until it is told false.
  private func response(
    to request: Request, channel: any Channel, logger: Logger, form: Form,
    source: @escaping @Sendable (_ pass: @Sendable (String) -> Bool) async -> Void
  ) throws -> Response {
    guard enter() else {
      throw Problem(
        status: .serviceUnavailable, detail: "\(limits.streams) event streams are open already; end one and try again",
        headers: [.retryAfter: "10"])
    }
    let place = Place(leaving: self)
    return Response(
      status: .ok, headers: [.contentType: form.type, .cacheControl: "no-store"],
      body: ResponseBody { [limits] writer in
        let reader = Reader(channel: channel, logger: logger, limits: limits, form: form)
        // Inout parameters do not cross into the operation's closure.
        var output = writer
        try await request.body.consumeWithInboundCloseHandler { _ in
          try await reader.serve(source, to: &output)
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

/// What a stream looks like.
private struct Form: Sendable {
  var type: String
  /// Comes before all else.
  var first: String
  /// Shows that the host lives.
  var beat: String
}

/// One listener and its queue.
private struct Reader: Sendable {
  private let channel: any Channel
  private let logger: Logger
  private let limits: Limits
  private let form: Form
  private let queue: AsyncStream<ByteBuffer>
  private let entrance: AsyncStream<ByteBuffer>.Continuation

  init(channel: any Channel, logger: Logger, limits: Limits, form: Form) {
    self.form = form
    self.channel = channel
    self.logger = logger
    self.limits = limits
    (queue, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limits.queuedEvents))
  }

  func finish() { entrance.finish() }

  func serve(
    _ source: @escaping @Sendable (_ pass: @Sendable (String) -> Bool) async -> Void,
    to writer: inout any ResponseBodyWriter
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      entrance.yield(ByteBuffer(string: form.first))
      group.addTask {
        await source(pass)
        finish()
      }
      group.addTask { try await beat() }
      try await withGracefulShutdownHandler {
        for await chunk in queue { try await writer.write(chunk) }
      } onGracefulShutdown: {
        finish()
      }
      group.cancelAll()
    }
  }

  /// False where the reader did not keep up.
  private func pass(_ text: String) -> Bool {
    guard case .dropped = entrance.yield(ByteBuffer(string: text)) else { return true }
    logger.notice("A reader of live values did not keep up and was dropped.")
    // A write that waits for the reader ends only with the connection.
    channel.close(promise: nil)
    return false
  }

  private func beat() async throws {
    while true {
      try await Task.sleep(for: limits.heartbeat)
      entrance.yield(ByteBuffer(string: form.beat))
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
