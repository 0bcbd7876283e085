// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// How a payload differs from its shape.
package struct Finding: Equatable, Sendable, CustomStringConvertible {
  /// Where, such as `meterValue[0].sampledValue[2].unit`; empty for the payload itself.
  package var path: String
  package var code: ErrorCode
  package var text: String
  /// What was meant is clear, or not needed.
  package var isHarmless: Bool

  package var description: String { path.isEmpty ? text : "\(path) \(text)" }
}

/// What a payload is worth.
package struct Verdict: Equatable, Sendable {
  /// The payload in the form of the standard, as far as what was meant is clear: numbers in quotes are numbers, `null` is
  /// absent, enumerations have their case.
  package var payload: JSON
  /// At most `Verdict.mostFindings`.
  package var findings: [Finding] = []

  package static let mostFindings = 16

  /// It is what the schema says.
  package var isStrict: Bool { findings.isEmpty }
  /// Why it cannot be used.
  package var refusal: Finding? { findings.first { !$0.isHarmless } }
}

/// What of a message is to be checked.
package enum Part: Sendable {
  case request, response
}

extension Catalogue {
  /// Nil where the action is unknown.
  package func check(_ action: String, _ part: Part, _ payload: JSON) -> Verdict? {
    guard let action = actions[action] else { return nil }
    return check(part == .request ? action.request : action.response, payload)
  }

  package func check(_ shape: Shape, _ payload: JSON) -> Verdict {
    var check = Check(self)
    guard case .object(let members) = payload else {
      check.find(.formatViolation, "the payload is \(payload.kind), not an object", harmless: false)
      return Verdict(payload: payload, findings: check.findings)
    }
    let mended = check.object(members, shape)
    return Verdict(payload: mended.map { .object($0) } ?? payload, findings: check.findings)
  }
}
