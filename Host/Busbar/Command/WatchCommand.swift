// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel
import BusbarSystem
import Glibc
import UnixSignals

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show live values until Ctrl-C.",
    discussion: """
      On a terminal a table that is kept up to date; in a pipe lines of time, device, point, value and unit with tabs \
      between, and a sixth field where a value is uncertain or missing; with --json one object a line. A terminal that \
      is wide enough also shows how the points went in the last hour, or in the time of --since.
      """)

  @Argument(help: "Ids of the devices; none = all.", completion: Completions.devices)
  var devices: [String] = []

  @Option(help: "On a terminal, the time of minimum, mean, maximum and course, such as 30m, 2h or 7d; 0s = without them.")
  var since = "1h"

  @Option(help: "End after this many readings.")
  var count: Int?

  @Option(help: "End after this many seconds.")
  var seconds: Int?

  @OptionGroup var options: ClientOptions

  func validate() throws {
    for device in devices { try DeviceArgument.check(device) }
    guard let span = Units.duration(since), span <= .seconds(366 * 86400) else {
      throw ValidationError("--since \(printable(since)): expected an age such as 30m, 2h or 7d")
    }
    if let count, count < 1 { throw ValidationError("--count has to be 1 or more") }
    if let seconds, !(1...31_536_000).contains(seconds) { throw ValidationError("--seconds has to be 1 to 31536000") }
  }

  func run() async throws {
    let client = options.client
    let list = try await client.get("/api/v1/devices")
    let known = (list.array ?? []).compactMap { $0["id"]?.string }
    if let unknown = devices.first(where: { !known.contains($0) }) {
      throw CommandFailure("there is no device '\(unknown)'; 'busbar devices' lists them")
    }
    let session = WatchSession(
      client: client, output: options.output, board: WatchBoard(list, only: devices), count: count)
    if case .terminal = options.output.form { await session.learnTrends(since) }
    try await session.draw()
    try await untilFirstEnds(session, client)
    try await session.draw()
  }

  /// Events, the time limit, or a signal: whatever ends first ends all.
  private func untilFirstEnds(_ session: WatchSession, _ client: APIClient) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [devices] in
        try await client.events(devices: devices) { event in try await session.take(event) }
      }
      group.addTask { for await _ in signals { return } }
      if let seconds { group.addTask { try await Task.sleep(for: .seconds(seconds)) } }
      if case .terminal = options.output.form {
        group.addTask {
          while true {
            try await Task.sleep(for: .milliseconds(500))
            try await session.draw()
          }
        }
        group.addTask { [since] in
          while true {
            try await Task.sleep(for: .seconds(60))
            await session.learnTrends(since)
          }
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }
}

/// What one `busbar watch` knows and has written.
private actor WatchSession {
  private let client: APIClient
  private let output: Output
  private var board: WatchBoard
  private var left: Int?
  private var screen = LiveScreen()

  init(client: APIClient, output: Output, board: WatchBoard, count: Int?) {
    self.client = client
    self.output = output
    self.board = board
    self.left = count
  }

  /// False when there were enough readings.
  func take(_ event: JSONValue) async throws -> Bool {
    if output.form != .json, board.lacksUnits(for: event), let id = event["device"]?.string {
      board.learnUnits(try? await client.get("/api/v1/devices/\(id)"), for: event)
    }
    let isReading = board.apply(event)
    switch output.form {
    case .terminal: break
    case .lines: try output.lines(board.lines(event))
    case .json: try output.lines([event.text])
    }
    guard isReading, let count = left else { return true }
    left = count - 1
    return count > 1
  }

  /// Asks how the points went. Where none is kept, none is shown.
  func learnTrends(_ since: String) async {
    guard let span = Units.duration(since)?.milliseconds, span > 0 else { return }
    let now = Clock.unixMilliseconds()
    for id in board.ids.prefix(Self.mostTrends) {
      let query = "from=\(max(0, now - span))&to=\(now)&step=\(HistoryView.step(span))m"
      guard let history = try? await client.get("/api/v1/devices/\(id)/history?\(query)") else { continue }
      board.learnTrends(history, of: id, span: since)
    }
  }

  /// Devices that are asked for: a terminal shows no more.
  private static let mostTrends = 64

  /// Shows the table where there is a terminal, whose size may have changed.
  func draw() throws {
    guard case .terminal(let first) = output.form else { return }
    let terminal = Terminal.on(STDOUT_FILENO) ?? first
    let lines = board.table(now: Clock.unixMilliseconds()).aligned(width: terminal.width, colour: terminal.colour)
    try output.write(screen.draw(lines, height: terminal.height))
  }
}
