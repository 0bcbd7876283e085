// SPDX-License-Identifier: Apache-2.0

/// One thing that the validator looks at (contract, section 18).
package struct CheckCase: Sendable {
  package enum Group: String, Sendable, CaseIterable {
    case manifest, library
    case lifeCycle = "life cycle"
    case rules, telemetry, commands
    case hostilePeer = "hostile peer"
    case hosts = "old and new hosts"
    case modes = "both modes"
  }

  package enum Need: Sendable {
    /// Nothing of the plugin is executed.
    case file
    /// The plugin is loaded.
    case library
    /// A link with a device; a device that answers where the adapter has endpoints.
    case device
    /// A device that this check plays, so that it may be written to.
    case simulatedDevice
    /// A device that connects by itself: for adapters of such devices alone.
    case visitor
  }

  package let name: String
  package let group: Group
  /// What has to be so.
  package let sentence: String
  package let need: Need
  /// Seconds; a case that takes longer is stuck.
  package let limit: Int
  /// How often it may be tried: more than once where a busy machine can spoil it.
  package let attempts: Int
  let body: @Sendable (Bench) async throws -> Void

  init(
    _ name: String, _ group: Group, _ sentence: String, need: Need = .device, limit: Int = 30, attempts: Int = 1,
    _ body: @escaping @Sendable (Bench) async throws -> Void
  ) {
    self.name = name
    self.group = group
    self.sentence = sentence
    self.need = need
    self.limit = limit
    self.attempts = attempts
    self.body = body
  }

  package static let all: [CheckCase] =
    manifestCases + libraryCases + lifeCycleCases + ruleCases + visitCases + telemetryCases + commandCases + hostileCases + hostCases + modeCases

  package var needsDevice: Bool { need == .device || need == .simulatedDevice || need == .visitor }

  /// Also those that are for the check itself.
  package static func named(_ name: String) -> CheckCase? { (all + [pace, replay]).first { $0.name == name } }

  /// Runs it in this process, once: the plugin stays loaded. `visitor` has a program started that connects to the address it is
  /// given; nil where there is none.
  package func run(_ input: CheckInput, visitor: (@Sendable (String) -> Void)? = nil) async -> CheckOutcome {
    do {
      let bench = try Bench(input, visitor: visitor)
      try await body(bench)
      let broken = bench.broken(name)
      if let first = broken.first {
        let more = broken.count > 1 ? " (and \(broken.count - 1) more)" : ""
        return CheckOutcome(name: name, verdict: .failed, text: first + more)
      }
      return CheckOutcome(name: name, verdict: .passed, text: "")
    } catch let finding as Finding {
      var outcome = CheckOutcome(name: name, verdict: finding.verdict, text: finding.text)
      outcome.pace = finding.pace
      return outcome
    } catch {
      return CheckOutcome(name: name, verdict: .failed, text: "\(error)")
    }
  }
}

package enum Verdict: String, Sendable, Codable {
  case passed, failed, crashed, stuck, skipped, warning, waived

  /// It keeps the plugin from being called good.
  package var isBad: Bool { self == .failed || self == .crashed || self == .stuck }
}

package struct CheckOutcome: Sendable, Codable, Equatable {
  package var name: String
  package var verdict: Verdict
  /// One sentence; empty where there is nothing to say.
  package var text: String
  /// What `CheckCase.pace` measured.
  var pace: Pace?

  package init(name: String, verdict: Verdict, text: String) {
    self.name = name
    self.verdict = verdict
    self.text = text
  }
}

/// Why a case did not pass.
struct Finding: Error {
  var verdict: Verdict
  var text: String
  var pace: Pace?

  static func measured(_ pace: Pace) -> Finding { Finding(verdict: .passed, text: "", pace: pace) }
  static func failed(_ text: String) -> Finding { Finding(verdict: .failed, text: text) }
  static func warning(_ text: String) -> Finding { Finding(verdict: .warning, text: text) }
  static func skipped(_ text: String) -> Finding { Finding(verdict: .skipped, text: text) }
  /// For cases that are about values: that there are none is a matter of open-and-read.
  static let withoutPoints = skipped("device_add declared no point: see open-and-read")
}
