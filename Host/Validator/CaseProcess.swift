// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Foundation

/// Runs cases in processes of their own, each with a device of its own, so that nothing a plugin does reaches the next one.
package struct CaseProcess: Sendable {
  private var plan: CheckPlan
  /// Arguments that make this program run one case or play a device.
  private let caseArguments: [String]
  private let deviceArguments: [String]

  package init(_ plan: CheckPlan, caseArguments: [String], deviceArguments: [String]) {
    self.plan = plan
    self.caseArguments = caseArguments
    self.deviceArguments = deviceArguments
  }

  /// For a case in this process: only a device that is there already.
  package var input: CheckInput {
    var input = plan.input
    if case .endpoint(let host, let port) = plan.device { (input.host, input.port) = (host, port) }
    return input
  }

  /// Measures the device first, so that cases know what they can ask of it. Blocks. Where it cannot be measured the cases
  /// say why.
  package func measured() -> CaseProcess {
    var other = self
    other.plan.input.pace = attempt(.pace).pace ?? .none
    return other
  }

  package var pace: Pace { plan.input.pace }
  package var waivers: [String: String] { plan.waivers }

  /// What became of it. Blocks.
  package func run(_ check: CheckCase) -> CheckOutcome {
    var outcome = attempt(check)
    for _ in 1..<max(1, check.attempts) where outcome.verdict == .failed { outcome = attempt(check) }
    return outcome
  }

  private func attempt(_ check: CheckCase) -> CheckOutcome {
    var input = input
    var device: Child?
    defer { device?.end() }
    if check.needsDevice {
      switch plan.device {
      case .none, .endpoint: break
      case .program, .simulator:
        do throws(Child.Failure) {
          let (child, port) = try startDevice()
          device = child
          input.isSimulated = true
          // No port: the adapter simulates nothing.
          if let port { (input.host, input.port) = ("127.0.0.1", port) }
        } catch {
          return CheckOutcome(name: check.name, verdict: .skipped, text: error.description)
        }
      }
    }
    let limit = plan.input.pace.limit(check.limit)
    do {
      let encoded = try JSONEncoder().encode(input)
      let child = try Child(Self.program, caseArguments + [check.name], folder: nil, input: encoded)
      defer { child.end() }
      let deadline = Clock.boot() + Int64(limit) * 1_000_000_000
      while let line = child.line(until: deadline) {
        if let outcome = try? JSONDecoder().decode(CheckOutcome.self, from: Data(line.utf8)) { return outcome }
      }
      guard Clock.boot() < deadline else {
        return CheckOutcome(name: check.name, verdict: .stuck, text: "it was not over after \(limit) s")
      }
      return CheckOutcome(name: check.name, verdict: .crashed, text: child.ending())
    } catch {
      return CheckOutcome(name: check.name, verdict: .failed, text: "the case could not be started: \(error)")
    }
  }

  /// The device and its port.
  private func startDevice() throws(Child.Failure) -> (Child, UInt16?) {
    let child: Child
    switch plan.device {
    case .program(let words, let folder): child = try Child("/usr/bin/env", words, folder: folder, input: nil)
    case .simulator(let documents):
      let input: [String: JSONValue] = [
        "file": .string(plan.input.file), "store": .string(plan.input.store), "adapter": .string(plan.input.adapter),
        "documents": .string(documents),
      ]
      child = try Child(Self.program, deviceArguments, folder: nil, input: Data(JSONValue.object(input).text.utf8))
    default: throw Child.Failure(description: "there is no device")
    }
    guard let line = child.line(until: Clock.boot() + 20_000_000_000) else {
      defer { child.end() }
      throw Child.Failure(description: "the device said no port: \(child.ending())")
    }
    let digits = line.reversed().prefix { $0.isNumber }.reversed()
    if let port = UInt16(String(digits)), port > 0 { return (child, port) }
    guard case .simulator = plan.device, line == "none" else {
      child.end()
      throw Child.Failure(description: "the device's first line should end with its port; it is: \(line.prefix(80))")
    }
    return (child, nil)
  }

  private static let program = OwnProcess.executable ?? CommandLine.arguments[0]
}

/// A process that is ended with its owner.
final class Child {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let process = Process()
  private let output = Pipe()
  private var pending: [UInt8] = []

  /// `input` nil = the process reads nothing.
  init(_ program: String, _ arguments: [String], folder: String?, input: Data?) throws(Failure) {
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    // A crash is a verdict; collecting symbols would only hold it up. What threads keep back of the heap (malloc's tcache) would
    // count as held and come and go with them.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "SWIFT_BACKTRACE": "enable=no", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    ]) { $1 }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let source = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : source
    do {
      try process.run()
      if let input {
        try source.fileHandleForWriting.write(contentsOf: input)
        try source.fileHandleForWriting.close()
      }
    } catch {
      throw Failure(description: "\(program) could not be started: \(error.localizedDescription)")
    }
  }

  /// The next line; nil at the end of the output, or when the time has come.
  func line(until deadline: Int64) -> String? {
    let number = output.fileHandleForReading.fileDescriptor
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeSubrange(...end) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      guard pending.count < 1 << 20, Clock.boot() < deadline else { return nil }
      if Poll.wait([(number, .read)], until: deadline)[0].isEmpty { return nil }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      pending += more
    }
  }

  /// How it ended, in words.
  func ending() -> String {
    let deadline = Clock.boot() + 5_000_000_000
    while process.isRunning, Clock.boot() < deadline { _ = Poll.wait([], until: Clock.boot() + 5_000_000) }
    guard !process.isRunning else { return "it closed its output and went on" }
    let status = process.terminationStatus
    guard process.terminationReason == .uncaughtSignal else { return "it ended with exit code \(status)" }
    let names: [Int32: String] = [
      SIGSEGV: "SIGSEGV, it touched memory that it does not have", SIGABRT: "SIGABRT, it gave up", SIGILL: "SIGILL, a trap",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGTRAP: "SIGTRAP", SIGKILL: "SIGKILL", SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM",
    ]
    return "it was ended by \(names[status] ?? "signal \(status)")"
  }

  func end() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    // Not for ever: what a plugin has started may keep alive what Foundation waits for.
    let deadline = Clock.boot() + 2_000_000_000
    while process.isRunning, Clock.boot() < deadline { _ = Poll.wait([], until: Clock.boot() + 2_000_000) }
  }
}
