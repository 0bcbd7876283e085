// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarSystem

/// What every command that talks to a running host takes.
struct ClientOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The host's Unix socket. Default: $BUSBAR_SOCKET, else where a host listens.", valueName: "path"),
    completion: .file())
  var socket: String?

  @Flag(help: "Write JSON.")
  var json = false

  var client: APIClient { APIClient(socketPath: socket ?? SocketPath().forClient()) }
  var output: Output { Output(json: json) }
  /// Unix milliseconds.
  var now: Int64 { Clock.unixMilliseconds() }
}
