// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Foundation
import Glibc
import Synchronization

/// A real mosquitto on a port of its own.
final class Broker: Sendable {
  let port: Int
  let scratch: Scratch
  private let configuration: String
  private let program: Mutex<Program>

  /// `settings`: further lines of mosquitto.conf; "DIR" stands for the broker's own directory.
  static func start(_ settings: [String] = ["allow_anonymous true"], scratch: Scratch? = nil) async throws -> Broker {
    let scratch = try scratch ?? Scratch()
    for _ in 0..<20 {
      let port = Int.random(in: 20000..<32000)
      let lines = ["listener \(port) 127.0.0.1", "log_dest stderr", "log_type all", "persistence false"] + settings
      let text = lines.joined(separator: "\n").replacingOccurrences(of: "DIR", with: scratch.path)
      let configuration = try scratch.write("mosquitto-\(port).conf", text + "\n")
      if let program = try? await run(configuration) {
        return Broker(port: port, scratch: scratch, configuration: configuration, program: program)
      }
    }
    throw ProgramEnded(lines: ["no port was free for mosquitto"])
  }

  private init(port: Int, scratch: Scratch, configuration: String, program: Program) {
    self.port = port
    self.scratch = scratch
    self.configuration = configuration
    self.program = Mutex(program)
  }

  private static func run(_ configuration: String) async throws -> Program {
    let program = try Program("/usr/sbin/mosquitto", ["-c", configuration])
    try await program.line(containing: "running")
    return program
  }

  private var current: Program { program.withLock { $0 } }

  func stop() async throws { try await current.kill() }

  func startAgain() async throws {
    let program = try await Self.run(configuration)
    self.program.withLock { $0 = program }
  }

  func signal(_ signal: Int32) { current.signal(signal) }

  func logged(_ text: String) async throws { try await current.line(containing: text) }

  /// Publishes with QoS 1 through mosquitto_pub; returns when the broker has it.
  func publish(_ topic: String, _ payload: String, _ options: [String] = []) async throws {
    let file = try scratch.write(UUID().uuidString, payload)
    try await publish(topic, file: file, options)
  }

  func publish(_ topic: String, data: [UInt8]) async throws {
    let file = try scratch.write(UUID().uuidString, Data(data))
    try await publish(topic, file: file, [])
  }

  private func publish(_ topic: String, file: String, _ options: [String]) async throws {
    let place = ["-h", "127.0.0.1", "-p", "\(port)", "-V", "mqttv5", "-q", "1", "-t", topic, "-f", file]
    try await Program.run("/usr/bin/mosquitto_pub", place + options)
  }
}

/// One message as mosquitto_sub has seen it.
struct Delivered: Sendable {
  var topic: String
  var payload: String
  var qos: Int
  var retained: Bool
  var contentType: String?
  var correlation: String?

  init?(_ line: String) {
    guard line.hasPrefix("{"), let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
      let topic = object["topic"] as? String, let qos = object["qos"] as? Int, let retain = object["retain"] as? Int
    else { return nil }
    self.topic = topic
    payload = object["payload"] as? String ?? ""
    self.qos = qos
    retained = retain != 0
    let properties = object["properties"] as? [String: Any]
    contentType = properties?["content-type"] as? String
    correlation = properties?["correlation-data"] as? String
  }

  subscript(_ key: String) -> Any? {
    (try? JSONSerialization.jsonObject(with: Data(payload.utf8)) as? [String: Any])?[key]
  }

  func text(_ key: String) -> String? { self[key] as? String }
}

/// mosquitto_sub, subscribed when `start` returns.
final class Subscriber: Sendable {
  private let program: Program

  static func start(_ broker: Broker, _ filters: String...) async throws -> Subscriber {
    let id = "watcher-\(UUID().uuidString)"
    var arguments = ["-h", "127.0.0.1", "-p", "\(broker.port)", "-V", "mqttv5", "-q", "1", "-i", id, "-F", "%j"]
    for filter in filters { arguments += ["-t", filter] }
    let program = try Program("/usr/bin/mosquitto_sub", arguments)
    try await broker.logged("Sending SUBACK to \(id)")
    return Subscriber(program)
  }

  private init(_ program: Program) { self.program = program }

  /// All messages so far, as soon as there are as many that fit.
  @discardableResult
  func messages(_ count: Int, where fits: @escaping @Sendable (Delivered) -> Bool = { _ in true }) async throws
    -> [Delivered]
  {
    try await program.output.until("\(count) messages") { output -> [Delivered]? in
      let found = output.lines.compactMap(Delivered.init).filter(fits)
      return found.count >= count ? found : nil
    }
  }

  var all: [Delivered] { program.output.value.lines.compactMap(Delivered.init) }
}
