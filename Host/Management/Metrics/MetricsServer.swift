// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// Prometheus text on a port, over plain HTTP and without a login: `/metrics` and `/healthz`, and nothing else.
///
/// A port that cannot be had does not stop the host: it is tried again until it can.
package struct MetricsServer: Service {
  /// Connections at once: a scraper or two, and a person.
  private static let connections = 8

  private let operations: any HostOperations
  private let host: String
  private let port: Int
  private let points: Bool
  private let logger: Logger
  private let retry: Duration
  private let begin: AsyncStream<Void>
  private let onProblem: @Sendable (String?) -> Void

  /// Begins when `begin` ends. `points`: with the values of points. `onProblem` is told why the port cannot be had, a sentence,
  /// and nil when it can.
  package init(
    operations: any HostOperations, host: String, port: Int, points: Bool, logger: Logger,
    retry: Duration = .seconds(10), begin: AsyncStream<Void>, onProblem: @escaping @Sendable (String?) -> Void = { _ in }
  ) {
    self.operations = operations
    self.host = host
    self.port = port
    self.points = points
    self.logger = logger
    self.retry = retry
    self.begin = begin
    self.onProblem = onProblem
  }

  /// Serves until the task is cancelled or shut down gracefully.
  package func run() async throws {
    await cancelWhenGracefulShutdown { for await _ in begin {} }
    var failures = 0
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try await application(failed: failures).run()
        return
      } catch {
        failures += 1
        let reason = (error as? IOError).map { systemError($0.errnoCode) } ?? "\(error)"
        onProblem("metrics cannot be served on \(host):\(port): \(reason)")
        if failures == 1 {
          logger.error("metrics cannot be served", metadata: ["listen": "\(host):\(port)", "reason": "\(reason)"])
        }
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: retry) }
    }
  }

  /// `failed`: how often the port could not be had before.
  private func application(failed: Int) -> some ApplicationProtocol {
    let router = Router(context: ManagementContext.self)
    router.add(middleware: OnlyMetrics())
    router.get("/healthz") { _, _ in Response(text: "ok\n", type: "text/plain; charset=utf-8") }
    router.get("/metrics") { [operations, points] _, _ in
      Response(text: await HostMetrics.text(operations, points: points), type: MetricsText.type)
    }
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .notice)
    return Application(
      router: router,
      server: .http1(
        configuration: HTTP1Channel.Configuration(
          idleTimeout: .seconds(Limits.idleSeconds),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: Limits.headerField, maxHeaderListSize: Limits.headers,
            maxHeaderFieldCount: Limits.headerCount))),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: nil, backlog: Self.connections,
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connections)),
      onServerRunning: { [logger, host, port, onProblem] _ in
        onProblem(nil)
        guard failed > 0 else { return logger.info("metrics are served", metadata: ["listen": "\(host):\(port)"]) }
        logger.notice("metrics are served after all", metadata: ["listen": "\(host):\(port)", "failed": "\(failed)"])
      },
      logger: quiet)
  }
}

/// What is not served here is said so, whatever was asked.
private struct OnlyMetrics: RouterMiddleware {
  typealias Context = ManagementContext

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch is HTTPError {
      return Problem(status: .notFound, detail: "only GET /metrics and GET /healthz answer on this port").response
    }
  }
}
