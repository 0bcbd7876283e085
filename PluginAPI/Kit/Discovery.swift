// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// A device that a search recognised (discovery.h).
public struct Candidate: Sendable, Equatable {
  /// One of those that the search was handed.
  public var template: String
  /// The device's settings, a JSON object.
  public var config: String
  public var vendor = ""
  public var model = ""
  public var serial = ""
  public var firmware = ""
  /// Above 0 to 1.
  public var confidence: Double

  public init(template: String, config: String, confidence: Double) {
    self.template = template
    self.config = config
    self.confidence = confidence
  }
}

/// What one step of a search gave.
public struct ScanStep: Sendable {
  public var candidates: [Candidate]
  /// How many steps there are in all.
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
    let status = unsafe withText(candidate.template) { template in
      unsafe withText(candidate.config) { config in
        unsafe withText(candidate.vendor) { vendor in
          unsafe withText(candidate.model) { model in
            unsafe withText(candidate.serial) { serial in
              unsafe withText(candidate.firmware) { firmware in
                var record = unsafe bb_candidate_t()
                unsafe record.size = UInt32(MemoryLayout<bb_candidate_t>.size)
                unsafe record.template_name = template
                unsafe record.device_config = config
                unsafe record.vendor = vendor
                unsafe record.model = model
                unsafe record.serial = serial
                unsafe record.firmware = firmware
                unsafe record.confidence = candidate.confidence
                return unsafe propose(table, pointer, &record)
              }
            }
          }
        }
      }
    }
    try call.check(status)
  }
}
