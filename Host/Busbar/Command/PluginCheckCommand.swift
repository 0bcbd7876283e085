// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import BusbarSystem
import BusbarValidator
import Foundation

extension PluginCommand {
  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a plugin show that it keeps the rules of the contract.",
      discussion: """
        Each case runs in a process of its own. What the far end is stands in quality.json beside the plugin (check.device, a \
        program that prints its port, or check.visitor, one that connects by itself), or is the adapter's own simulator, or a \
        device that answers at --device, to which nothing is written. Exit codes: 0 good; 1 a case failed, crashed or was \
        stuck; 2 wrong usage.
        """)

    @Argument(help: "The plugin.", completion: .file(extensions: ["so"])) var file: String?

    @Option(
      name: .customLong("case"), help: ArgumentHelp("Only this case; may be repeated.", valueName: "name"),
      completion: .list(CheckCase.all.map(\.name)))
    var cases: [String] = []

    @Flag(help: "List the cases and what each is about.") var list = false
    @Flag(help: "Run one case in this process, for a debugger.") var inProcess = false
    @Option(help: "What chance begins with: the same seed spoils the same bits.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("A device or simulator to talk to; nothing is written to it.", valueName: "tcp://host:port"))
    var device: String?
    @Option(help: ArgumentHelp("A template, instead of check.template of quality.json.", valueName: "file"), completion: .file())
    var template: String?
    @Option(help: ArgumentHelp("Default: quality.json beside the plugin.", valueName: "file"), completion: .file())
    var quality: String?
    @Option(help: ArgumentHelp("The adapter. Default: the first.", valueName: "id")) var adapter: String?
    @Flag(help: "Write JSON.") var json = false

    func validate() throws {
      guard list != (file != nil) else { throw ValidationError("expected either a plugin or --list") }
      for name in cases where !CheckCase.all.contains(where: { $0.name == name }) {
        throw ValidationError("there is no case \(name); --list shows them")
      }
      guard !inProcess || cases.count == 1 else { throw ValidationError("--in-process runs one case: give it with --case") }
    }

    func run() async throws {
      guard let file else { return try CheckView.list(Output(json: json)) }
      let plans: [CheckPlan]
      do throws(CheckPlan.Failure) {
        plans = try CheckPlan.plans(
          file: file, quality: quality, adapter: adapter, device: try endpoint(), template: template, seed: seed,
          store: try store())
      } catch {
        throw CommandFailure(error.description, exitCode: 2)
      }
      defer { plans[0].end() }
      let suitable = CheckCase.all.filter { $0.need != .visitor || plans[0].isVisited }
      let chosen = cases.isEmpty ? suitable : CheckCase.all.filter { cases.contains($0.name) }
      let view = CheckView(plan: plans[0], output: Output(json: json))
      var rows: [CheckView.Row] = []
      for (index, plan) in plans.enumerated() {
        // What is asked of the file alone is asked once.
        let (alone, others) = (chosen.filter { !$0.needsDevice }, chosen.filter(\.needsDevice))
        var runner = CaseProcess(plan, caseArguments: ["plugin", "case"], deviceArguments: ["plugin", "device"])
        if index == 0 { rows += try await outcomes(alone, runner, view, width: 1, template: nil) }
        guard !others.isEmpty else { continue }
        let template = plans.count > 1 ? plan.template : nil
        if let template { try view.heading(template) }
        let unmeasured = runner
        runner = await onThread { unmeasured.measured() }
        rows += try await outcomes(others, runner, view, width: inProcess ? 1 : runner.pace.casesAtOnce, template: template)
      }
      try view.finish(rows)
      if rows.contains(where: \.outcome.verdict.isBad) { throw ExitCode(1) }
    }

    /// So many cases at a time, shown in their order.
    private func outcomes(
      _ chosen: [CheckCase], _ runner: CaseProcess, _ view: CheckView, width: Int, template: String?
    ) async throws -> [CheckView.Row] {
      var rows: [CheckView.Row] = []
      var early: [Int: CheckOutcome] = [:]
      var waiting = chosen.enumerated().makeIterator()
      try await withThrowingTaskGroup(of: (Int, CheckOutcome).self) { group in
        func begin() {
          guard let (index, check) = waiting.next() else { return }
          group.addTask { (index, await outcome(check, runner)) }
        }
        for _ in 0..<width { begin() }
        while let (index, outcome) = try await group.next() {
          begin()
          early[index] = outcome
          while let outcome = early.removeValue(forKey: rows.count) {
            rows.append(CheckView.Row(check: chosen[rows.count], outcome: outcome, template: template))
            try view.show(rows[rows.count - 1])
          }
        }
      }
      return rows
    }

    private func outcome(_ check: CheckCase, _ runner: CaseProcess) async -> CheckOutcome {
      let outcome = inProcess ? await check.run(runner.input) : await onThread { runner.run(check) }
      guard let reason = runner.waivers[check.name], outcome.verdict.isBad else { return outcome }
      return CheckOutcome(name: check.name, verdict: .waived, text: "\(reason) (\(outcome.verdict.rawValue): \(outcome.text))")
    }

    /// What waits for other processes does so on a thread of its own.
    private func onThread<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
      await withCheckedContinuation { done in
        WorkThread.start(name: "case", stack: 4 << 20) { done.resume(returning: work()) }
      }
    }

    private func endpoint() throws(CheckPlan.Failure) -> Endpoint? {
      guard let device else { return nil }
      do throws(ValueError) { return try Endpoint(device) } catch {
        throw CheckPlan.Failure("--device: \(error)")
      }
    }

    private func store() throws(CheckPlan.Failure) -> String {
      do { return "\(try TemporaryStore.make())/check-\(getpid())" } catch { throw CheckPlan.Failure("\(error)") }
    }
  }

  /// One case, in the process that `check` started for it: its input comes on standard input.
  struct Case: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "case", abstract: "Run one case of the check.", shouldDisplay: false)

    @Argument var name: String

    func run() async throws {
      let verdicts = OwnOutput()
      let input = try JSONDecoder().decode(CheckInput.self, from: FileHandle.standardInput.readToEnd() ?? Data())
      guard let check = CheckCase.named(name) else { throw ExitCode(2) }
      var visitor: (@Sendable (String) -> Void)?
      if input.hasVisitor { visitor = { url in verdicts.call(url) } }
      let outcome = await check.run(input, visitor: visitor)
      try verdicts.say(String(decoding: JSONEncoder().encode(outcome), as: UTF8.self))
    }
  }

  /// The adapter's own simulator, in the process that `check` started for it.
  struct Device: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "device", abstract: "Play a device for the check.", shouldDisplay: false)

    func run() async throws {
      let output = OwnOutput()
      let input = [UInt8](try FileHandle.standardInput.readToEnd() ?? Data())
      try PlayedDevice.serve(input: input) { try output.say($0) }
    }
  }
}

/// Standard output for this program alone: what a plugin prints goes nowhere.
private struct OwnOutput: Sendable {
  private let handle: FileHandle

  init() {
    handle = FileHandle(fileDescriptor: dup(STDOUT_FILENO), closeOnDealloc: true)
    dup2(STDERR_FILENO, STDOUT_FILENO)
  }

  func say(_ line: String) throws { try handle.write(contentsOf: Data("\(line)\n".utf8)) }

  /// Where nobody reads it any more the case is over.
  func call(_ url: String) { if let line = try? JSONEncoder().encode(VisitorCall(to: url)) { try? say(String(decoding: line, as: UTF8.self)) } }
}
