// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// A device that a search recognised (discovery.h).
public struct Candidate: Sendable, Equatable {
  /// One of those that the search was handed; empty where something answers that none of them knows.
  public var template: String
  /// The device's settings, a JSON object.
  public var config: String
  public var vendor = ""
  public var model = ""
  public var serial = ""
  public var firmware = ""
  /// Above 0 to 1.
  public var confidence: Double
  /// Further templates that fit as well.
  public var others: [String] = []

  public init(template: String, config: String, confidence: Double) {
    self.template = template
    self.config = config
    self.confidence = confidence
  }
}

/// What one step of a search gave.
public struct ScanStep: Sendable {
  public var candidates: [Candidate]
  /// How many steps there are in all, as it looks now.
  public var steps: Int

  public init(candidates: [Candidate] = [], steps: Int) {
    self.candidates = candidates
    self.steps = steps
  }
}

extension Host {
  func propose(_ candidate: Candidate, _ call: borrowing Call) throws(AdapterError) {
    guard let propose = unsafe discovery?.pointee.propose else {
      throw AdapterError(.unsupported, "this host offers no \(BB_SERVICE_DISCOVERY)")
    }
    let pointer = unsafe call.pointer
    let others = "[" + candidate.others.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    let texts = [
      candidate.template, candidate.config, candidate.vendor, candidate.model, candidate.serial, candidate.firmware, others,
    ]
    let status = unsafe withTexts(texts, []) { lent in
      var record = unsafe bb_candidate_t()
      unsafe record.size = UInt32(MemoryLayout<bb_candidate_t>.size)
      unsafe record.template_name = lent[0]
      unsafe record.device_config = lent[1]
      unsafe record.vendor = lent[2]
      unsafe record.model = lent[3]
      unsafe record.serial = lent[4]
      unsafe record.firmware = lent[5]
      unsafe record.others = lent[6]
      unsafe record.confidence = candidate.confidence
      return unsafe propose(table, pointer, &record)
    }
    try call.check(status)
  }
}

/// Lends several texts to one call.
private func withTexts<Result>(
  _ texts: [String], _ lent: [bb_str_t], _ body: ([bb_str_t]) -> Result
) -> Result {
  guard let text = texts.first else { return unsafe body(lent) }
  return unsafe withText(text) { unsafe withTexts(Array(texts.dropFirst()), lent + [$0], body) }
}
