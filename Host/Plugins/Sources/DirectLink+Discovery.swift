// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import PluginAPI

/// A device that an adapter recognised (discovery.h), checked.
package struct AdapterCandidate: Sendable, Equatable {
  /// Empty where something answers that no template knows.
  package var template: String
  /// Further templates that fit as well.
  package var others: [String] = []
  static let otherLimit = 16
  /// A JSON object.
  package var config: JSONValue
  package var identity: DeviceIdentity
  /// Above 0 to 1.
  package var confidence: Double

  package init(template: String, config: JSONValue, identity: DeviceIdentity, confidence: Double) {
    self.template = template
    self.config = config
    self.identity = identity
    self.confidence = confidence
  }
}

/// One step of a search (discovery.h).
package struct ScanRequest: Sendable, Equatable {
  /// A JSON array: what may be recognised.
  package var documents: String
  /// From 0.
  package var step: Int
  /// Also where such devices usually are not.
  package var everywhere: Bool

  package init(documents: String, step: Int, everywhere: Bool) {
    self.documents = documents
    self.step = step
    self.everywhere = everywhere
  }
}

/// How one step of a search ended.
package struct ScanResult: Sendable, Equatable {
  package var result: CallResult
  /// How many steps there are in all, as it looks now.
  package var steps: Int
  package var candidates: [AdapterCandidate]

  package init(_ result: CallResult, steps: Int = 0, candidates: [AdapterCandidate] = []) {
    self.result = result
    self.steps = steps
    self.candidates = candidates
  }
}

extension AdapterConnection {
  package func scan(
    _ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void
  ) {
    completion(ScanResult(CallResult(failure: .unsupported, reason: .unspecified, text: "the adapter cannot search")))
  }
}

extension DirectLink {
  /// Candidates of one step.
  private static let candidateLimit = 64
  private static let stepLimit: UInt32 = 100_000

  package func scan(
    _ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void
  ) {
    let outcome = ScanBox()
    unsafe run(deadline) { completion(ScanResult($0, steps: outcome.steps, candidates: outcome.candidates)) } body: {
      link, call in
      link.proposals = []
      guard let scan = unsafe link.interface(BB_INTERFACE_DISCOVERY)?.assumingMemoryBound(
        to: bb_discovery_interface_t.self).pointee.scan
      else {
        link.explanation = "the adapter cannot search"
        return failed(BB_CLASS_UNSUPPORTED)
      }
      let status = unsafe withLentText(step.documents) { text in
        var record = unsafe bb_scan_t()
        unsafe record.size = UInt32(MemoryLayout<bb_scan_t>.size)
        unsafe record.step = UInt32(clamping: step.step)
        if step.everywhere { unsafe record.flags = UInt32(BB_SCAN_EVERYWHERE) }
        unsafe record.documents = text
        let status = unsafe scan(link.host, call, link.pluginState, &record)
        outcome.steps = Int(min(Self.stepLimit, unsafe record.steps))
        return status
      }
      outcome.candidates = link.proposals
      link.proposals = []
      return status
    }
  }

  /// What a running step proposes. What it says comes from a device: bounded, and checked.
  func propose(_ record: UnsafePointer<bb_candidate_t>) -> bb_status_t {
    guard unsafe record.pointee.size >= UInt32(MemoryLayout<bb_candidate_t>.size), proposals.count < Self.candidateLimit else {
      return failed(BB_CLASS_BUG, BB_REASON_RANGE)
    }
    let candidate = unsafe record.pointee
    let confidence = unsafe candidate.confidence
    let config = unsafe try? JSONValue(parsing: Array(copied(candidate.device_config, limit: 4096).utf8), depth: 8)
    guard let config, config.object != nil, confidence > 0, confidence <= 1 else {
      return failed(BB_CLASS_BUG, BB_REASON_RANGE)
    }
    var proposal = AdapterCandidate(
      template: unsafe copied(candidate.template_name, limit: 64), config: config,
      identity: DeviceIdentity(
        vendor: unsafe cleaned(candidate.vendor), model: unsafe cleaned(candidate.model),
        serial: unsafe cleaned(candidate.serial), firmware: unsafe cleaned(candidate.firmware)),
      confidence: confidence)
    let others = unsafe try? JSONValue(parsing: Array(copied(candidate.others, limit: 4096).utf8), depth: 2)
    proposal.others = (others?.array ?? []).prefix(AdapterCandidate.otherLimit).compactMap(\.string)
    proposals.append(proposal)
    return bb_status_t(BB_OK)
  }
}

/// Filled on the call's thread, read when it is over.
private final class ScanBox: @unchecked Sendable {
  var steps = 0
  var candidates: [AdapterCandidate] = []
}
