// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import BusbarModel
import BusbarSystem
import BusbarValidator
import Foundation

extension PluginCommand {
  struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a plugin read a device out of a trace.",
      discussion: """
        The trace, as `busbar trace` writes it, is played as the device: by the adapter's own simulator where it plays traces, else \
        byte for byte. So what a user recorded shows what the plugin makes of it, without the device. Exit codes: 0 every poll \
        ended well; 1 one failed; 2 wrong usage.
        """)

    @Argument(help: "The plugin.", completion: .file(extensions: ["so"])) var file: String
    @Argument(help: "The trace.", completion: .file()) var trace: String
    @Option(help: ArgumentHelp("A template, for adapters that need one.", valueName: "file"), completion: .file())
    var template: String?
    @Option(help: ArgumentHelp("Settings of the device beside the defaults, a JSON object.", valueName: "json")) var config: String?
    @Option(help: ArgumentHelp("The adapter. Default: that of the trace, or the first.", valueName: "id")) var adapter: String?
    @Option(help: "How often the points are read, up to 1000.") var polls = 1
    @Flag(help: "Write JSON.") var json = false

    func validate() throws {
      guard 1...1_000 ~= polls else { throw ValidationError("--polls takes 1 to 1000") }
    }

    func run() async throws {
      let recorded = try TraceFile.read(trace)
      let result: BusbarValidator.Replay.Result
      do throws(CheckPlan.Failure) {
        var plan = try CheckPlan.plans(
          file: file, quality: nil, adapter: adapter ?? recorded.head.adapter, device: nil, template: template, seed: 1,
          store: try store(), settings: try settings())[0]
        defer { plan.end() }
        plan.device = .simulator(documents: JSONValue.array([["trace": TraceFile.document(recorded)]]).text)
        plan.input.polls = polls
        let process = CaseProcess(plan, caseArguments: ["plugin", "case"], deviceArguments: ["plugin", "device"])
        let answer: Swift.Result<BusbarValidator.Replay.Result, CheckPlan.Failure> = await withCheckedContinuation { done in
          WorkThread.start(name: "replay", stack: 4 << 20) {
            do throws(CheckPlan.Failure) {
              done.resume(returning: .success(try BusbarValidator.Replay.run(process)))
            } catch {
              done.resume(returning: .failure(error))
            }
          }
        }
        result = try answer.get()
      } catch {
        throw CommandFailure(error.description)
      }
      try show(result)
      if let failure = result.failure { throw CommandFailure(failure) }
    }

    private func show(_ result: BusbarValidator.Replay.Result) throws {
      var columns = [Table.Column("point"), .init("value", .right), .init("unit"), .init("quality")]
      if polls > 1 { columns.insert(.init("poll", .right), at: 0) }
      var table = Table(columns)
      for row in result.rows {
        var cells: [Table.Cell] = [
          .init(row.point), .init(row.value.map { $0.string ?? $0.text } ?? "–"), .init(row.unit),
          .init(row.bad ?? "good", row.bad == nil ? .good : .bad),
        ]
        if polls > 1 { cells.insert(.init("\(row.poll)"), at: 0) }
        table.add(cells)
      }
      let list = result.rows.map { row -> JSONValue in
        var entry: [String: JSONValue] = ["poll": .integer(Int64(row.poll)), "point": .string(row.point), "unit": .string(row.unit)]
        if let value = row.value { entry["value"] = value }
        if let bad = row.bad { entry["bad"] = .string(bad) }
        return .object(entry)
      }
      try Output(json: json).show(table, json: .array(list))
    }

    private func settings() throws(CheckPlan.Failure) -> JSONValue? {
      guard let config else { return nil }
      guard let value = try? JSONValue(parsing: Array(config.utf8), depth: 16), value.object != nil else {
        throw CheckPlan.Failure("--config takes a JSON object, such as '{\"unit\": 3}'")
      }
      return value
    }

    private func store() throws(CheckPlan.Failure) -> String {
      do { return "\(try TemporaryStore.make())/replay-\(getpid())" } catch { throw CheckPlan.Failure("\(error)") }
    }
  }
}
