// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel
import BusbarSystem
import UnixSignals

struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Show the frames on the wire of a link, or of one device on it.",
    discussion: """
      Without options the last frames, which the host always keeps. User names and passwords are removed. What is written \
      can be played again: busbar simulate --replay FILE --listen ENDPOINT.
      """)

  @Argument(help: ArgumentHelp("Id of a link or a device.", valueName: "link|device"))
  var name: String

  @Option(help: "The frames of the next so many seconds instead of the last ones.")
  var seconds: Int?

  @Flag(help: "The last frames, and those that come until Ctrl-C, or for --seconds.")
  var follow = false

  @Option(help: ArgumentHelp("Write to a file that only its owner can read.", valueName: "file"))
  var out: String?

  @OptionGroup var options: ClientOptions

  func validate() throws {
    let isName = (1...64).contains(name.utf8.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    guard isName else {
      throw ValidationError("'\(printable(name))' is no id of a link or device: 1 to 64 characters of A-Z a-z 0-9 . _ -")
    }
    if let seconds, !(1...86_400).contains(seconds) { throw ValidationError("--seconds has to be 1 to 86400") }
    if out != nil, options.json { throw ValidationError("--json and --out do not go together: a file is a trace") }
  }

  func run() async throws {
    let client = options.client
    let path = try await address(client)
    let sink: TraceSink
    do throws(PrivateFile.Failure) {
      sink = TraceSink(output: options.output, file: try out.map { path throws(PrivateFile.Failure) in try PrivateFile(path) })
    } catch {
      throw CommandFailure(error.description)
    }
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.lines(path) { line in try await sink.take(line) } }
        group.addTask { for await _ in signals { return } }
        if let seconds { group.addTask { try await Task.sleep(for: .seconds(seconds)) } }
        try await group.next()
        group.cancelAll()
      }
      let count = try await sink.finish()
      if let out { StandardError.write("\(count) frames and events in \(printable(out))") }
      if out == nil, count == 0 { StandardError.write("nothing was on the wire") }
    } catch let failure as PrivateFile.Failure {
      throw CommandFailure(failure.description)
    }
  }

  /// The address of the API for what was asked for; a name that is neither link nor device is refused with all that are.
  private func address(_ client: APIClient) async throws -> String {
    var query = ["kept=\(seconds == nil || follow)", "live=\(seconds != nil || follow)"]
    let links = (try await client.get("/api/v1/links").array ?? []).compactMap { $0["id"]?.string }
    if links.contains(name) { return "/api/v1/links/\(name)/trace?" + query.joined(separator: "&") }
    let devices = try await client.get("/api/v1/devices").array ?? []
    guard let device = devices.first(where: { $0["id"]?.string == name }), let link = device["link"]?.string else {
      let names = devices.compactMap { $0["id"]?.string }
      func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.sorted().joined(separator: ", ") }
      throw CommandFailure("there is no link or device \(name); links: \(list(links)); devices: \(list(names))")
    }
    query.append("device=\(name)")
    return "/api/v1/links/\(link)/trace?" + query.joined(separator: "&")
  }
}

/// Where the lines go: to the file, or to standard output as they are or as JSON.
private actor TraceSink {
  private let output: Output
  private let file: PrivateFile?
  private var count = 0

  init(output: Output, file: sending PrivateFile?) {
    self.output = output
    self.file = file
  }

  /// True: there may be more.
  func take(_ line: String) throws -> Bool {
    let frame = try? TraceReader.frame(line)
    if frame != nil { count += 1 }
    if let file {
      try file.write(line + "\n")
    } else if output.form == .json {
      if let frame { try output.lines([Self.json(frame).text]) }
    } else {
      try output.lines([printable(line) + (frame.flatMap(Self.comment) ?? "")])
    }
    return true
  }

  /// What a frame of text says, for those who do not read hexadecimal digits.
  private static func comment(_ frame: Trace.Frame) -> String? {
    switch frame.content {
    case .sent(let bytes), .received(let bytes):
      !bytes.isEmpty && bytes.allSatisfy { (0x20..<0x7F).contains($0) } ? " # " + String(decoding: bytes, as: UTF8.self) : nil
    case .event: nil
    }
  }

  func finish() throws -> Int {
    try file?.commit()
    return count
  }

  private static func json(_ frame: Trace.Frame) -> JSONValue {
    var object: [String: JSONValue] = ["ms": .number(Double(frame.time / 1_000) / 1_000)]
    if let device = frame.device { object["device"] = .string(device) }
    switch frame.content {
    case .sent(let bytes): object["sent"] = .string(TraceWriter.hex(bytes))
    case .received(let bytes): object["received"] = .string(TraceWriter.hex(bytes))
    case .event(let event):
      object["event"] = .string(event.word)
      if let number = event.number { object["count"] = .integer(Int64(number)) }
    }
    return .object(object)
  }
}
