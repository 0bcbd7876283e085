// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The management API (interfaces 6) on a Unix socket. Whoever may open the socket is an administrator: its file mode is
/// the login.
///
/// Requests are bounded in size, number and time; nothing that a client sends or fails to read can hold up the host.
package struct ManagementServer: Service {
  private let operations: any HostOperations
  private let socket: SocketFile
  private let logger: Logger
  private let limits: Limits
  private let metricsPoints: Bool
  private let onReady: @Sendable () async -> Void

  /// `onReady` is called once the socket answers. `metricsPoints`: `/metrics` holds the values of points.
  package init(
    operations: any HostOperations, socketPath: String, logger: Logger, limits: Limits = Limits(),
    metricsPoints: Bool = false,
    onReady: @escaping @Sendable () async -> Void = {}
  ) {
    self.operations = operations
    self.socket = SocketFile(path: socketPath)
    self.logger = logger
    self.limits = limits
    self.metricsPoints = metricsPoints
    self.onReady = onReady
  }

  /// People and scrapers are served by one thread. By default there is one for each core, each with room for thousands of
  /// timers. Call before anything of SwiftNIO is used.
  package static func useOneThread() { NIOSingletons.groupLoopCountSuggestion = 1 }

  /// Serves until the task is cancelled or shut down gracefully; then the socket's file is gone.
  /// Throws `SocketError` where the socket cannot be had.
  package func run() async throws {
    try await socket.prepare()
    let number = Mutex<UInt64?>(nil)
    let application = Application(
      router: Routes(operations: operations, events: EventStreams(limits: limits), metricsPoints: metricsPoints)
        .router(),
      server: .http1(configuration: http),
      configuration: ApplicationConfiguration(
        address: .unixDomainSocket(path: socket.path), serverName: nil, backlog: limits.connections,
        availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)),
      onServerRunning: { channel in
        do {
          let own = try socket.protect()
          number.withLock { $0 = own }
          await onReady()
        } catch {
          // A socket that anybody may open is none.
          logger.critical("\(error)")
          channel.close(promise: nil)
        }
      },
      logger: quiet)
    defer { socket.remove(number.withLock { $0 }) }
    do {
      try await application.run()
    } catch let error as IOError {
      throw SocketError(description: "the socket '\(socket.path)' cannot be made: \(systemError(error.errnoCode))")
    }
  }

  private var http: HTTP1Channel.Configuration {
    HTTP1Channel.Configuration(
      idleTimeout: .seconds(Limits.idleSeconds),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: Limits.headerField, maxHeaderListSize: Limits.headers,
        maxHeaderFieldCount: Limits.headerCount))
  }

  /// Without the library's lines about itself.
  private var quiet: Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .notice)
    return logger
  }
}
