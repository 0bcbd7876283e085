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
    var visitors: [Child] = []
    defer {
      device?.end()
      for visitor in visitors { visitor.end() }
    }
    if check.needsDevice {
      switch plan.device {
      case .none, .endpoint: break
      case .visitor: (input.hasVisitor, input.isSimulated) = (true, true)
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
        if var outcome = try? JSONDecoder().decode(CheckOutcome.self, from: Data(line.utf8)) {
          // Where nobody came this is why.
          if outcome.verdict != .passed, let early = visitors.first(where: \.hasEnded) { outcome.text += "; check.visitor: \(early.ending())" }
          return outcome
        }
        if let wanted = try? JSONDecoder().decode(VisitorCall.self, from: Data(line.utf8)), visitors.count < Self.mostVisitors {
          visitors.append(try startVisitor(wanted.visitor))
        }
      }
      guard Clock.boot() < deadline else {
        return CheckOutcome(name: check.name, verdict: .stuck, text: "it was not over after \(limit) s")
      }
      return CheckOutcome(name: check.name, verdict: .crashed, text: child.ending())
    } catch {
      return CheckOutcome(name: check.name, verdict: .failed, text: "the case could not be started: \(error)")
    }
  }

  /// More than any case wants.
  private static let mostVisitors = 64
  /// The word of check.visitor that stands for the address.
  private static let place = "{url}"

  /// A program that connects to the case by itself.
  private func startVisitor(_ url: String) throws(Child.Failure) -> Child {
    guard case .visitor(let words, let folder) = plan.device else { throw Child.Failure(description: "there is no visitor") }
    let hasPlace = words.contains { $0.contains(Self.place) }
    let arguments = hasPlace ? words.map { $0.replacingOccurrences(of: Self.place, with: url) } : words + [url]
    return try Child("/usr/bin/env", arguments, folder: folder, input: nil, isHeard: false)
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

/// What a case says when it wants a visitor.
package struct VisitorCall: Sendable, Codable {
  /// Where the visitor has to connect to.
  var visitor: String

  package init(to url: String) { visitor = url }
}
