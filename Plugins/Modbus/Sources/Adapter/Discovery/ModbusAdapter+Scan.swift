// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
public import PluginKit

/// A search and where it stands.
struct Search {
  var survey: Survey
  var lastRequest: Int64 = 0
}

extension ModbusAdapter {
  /// Nanoseconds of asking in one step; the request that runs then is waited for.
  private static let slice: Int64 = 500_000_000

  /// A step is a slice of time. What was found ends it, so that it is told before anything else is asked.
  public func scan(
    _ documents: String, step: Int, everywhere: Bool, _ call: borrowing Call
  ) throws(AdapterError) -> ScanStep {
    if step == 0 || search == nil {
      let templates = try ProbeDocument.list(documents) { link.log(.warning, $0) }
      let units = Survey.units(templates, isBus: stream.isSerial, everywhere: everywhere)
      search = Search(survey: Survey(templates, units: units, isBus: stream.isSerial))
    }
    guard var search else { return ScanStep(steps: step + 1) }
    defer { self.search = search }
    let end = BootClock.now + Self.slice
    var found: [Survey.Finding] = []
    while found.isEmpty {
      guard let question = search.survey.next() else {
        let rest = search.survey.take()
        search.survey = Survey([], units: [], isBus: true)
        return ScanStep(candidates: rest.map(\.candidate), steps: step + 1)
      }
      guard try put(question, to: &search, until: end, call) else { break }
      found = search.survey.take()
      if BootClock.now >= end { break }
    }
    let (done, total) = search.survey.progress
    return ScanStep(candidates: found.map(\.candidate), steps: step + 1 + max(1, total - done))
  }

  /// False where the step ends before the request may be sent.
  private func put(
    _ question: Survey.Question, to search: inout Search, until end: Int64, _ call: borrowing Call
  ) throws(AdapterError) -> Bool {
    if question.request == .identification, stream.isSerial {
      // libmodbus cannot tell how long such an answer is.
      search.survey.answered(.identification([:]))
      return true
    }
    let millisecond: Int64 = 1_000_000
    let free = max(
      opened + Int64(question.connectDelay) * millisecond,
      search.lastRequest > 0 ? search.lastRequest + Int64(question.spacing) * millisecond : 0)
    let wait = free - BootClock.now
    if wait > 0 {
      let left = max(0, end - BootClock.now)
      try pause(milliseconds: Int((min(wait, left) + millisecond - 1) / millisecond), call)
      if wait > left { return false }
    }
    defer { search.lastRequest = BootClock.now }
    do {
      search.survey.answered(
        try line.perform(question.request, unit: question.unit, within: question.timeout, call))
    } catch {
      switch error {
      case .silent, .mismatch, .unreachable: search.survey.silent()
      case .noTime: return false
      case .garbage, .lost, .cancelled: throw error.adapterError
      }
    }
    return true
  }
}

extension Survey.Finding {
  fileprivate var candidate: Candidate {
    var candidate = Candidate(template: template ?? "", config: "{\"unit\":\(unit)}", confidence: confidence)
    candidate.vendor = vendor
    candidate.model = model
    candidate.serial = serial
    candidate.firmware = firmware
    candidate.others = others
    return candidate
  }
}
