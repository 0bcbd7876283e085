// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginAPI
internal import PluginJSON
internal import PluginKit

/// The end of a command in the contract's words.
enum CommandEnd {
  /// `answer`: what the charger said, a JSON object; empty where nobody asked for it.
  case outcome(PluginKit.Outcome, answer: String)
  /// Nothing was sent, or nothing came of it.
  case failure(AdapterError)

  /// Longest answer that goes up (async.h); a longer one is cut down to a word about it.
  private static let longest = 48 << 10

  init(_ outcome: OCPPCodec.Outcome, _ kind: CommandDesk.Kind) {
    switch outcome {
    case .done(let answer):
      let value: PluginKit.Outcome.ReadBack? =
        switch kind {
        case .number(let name, let wanted): Self.readBack(name, answer, wanted)
        case .flag(_, let flag): .boolean(flag)
        case .action: nil
        }
      self = .outcome(.done(value), answer: kind == .action ? Self.text(answer) : "")
    case .accepted(let answer): self = .outcome(.accepted, answer: kind == .action ? Self.text(answer) : "")
    case .refused("unsupported"): self = .failure(AdapterError(.unsupported, "the charger does not support it"))
    case .refused(let text): self = .outcome(.refused(code: 0, text), answer: "")
    case .invalid(let text): self = .failure(.invalid(text))
    case .failed(let text): self = .failure(AdapterError(.transient, text))
    case .unknown(let text): self = .outcome(.unknown(text), answer: "")
    }
  }

  var tookEffect: Bool {
    switch self {
    case .outcome(.done, _), .outcome(.accepted, _): true
    default: false
    }
  }

  func get() throws(AdapterError) -> PluginKit.Outcome {
    switch self {
    case .outcome(let outcome, _): return outcome
    case .failure(let error): throw error
    }
  }

  /// What the charger says is in force, where it says it in the point's unit.
  private static func readBack(_ name: String, _ answer: JSON, _ wanted: Double) -> PluginKit.Outcome.ReadBack? {
    guard let limit = answer["limit"]?.number, let unit = answer["unit"]?.string,
      unit == (PointCatalogue.base(name) == "current_limit" ? "A" : "W")
    else { return nil }
    return .number(min(limit, wanted))
  }

  private static func text(_ answer: JSON) -> String {
    let text = answer.withoutPasswords.text
    return text.utf8.count <= longest ? text : #"{"truncated":true}"#
  }
}

extension AdapterError {
  /// A command that cannot be, whatever the charger does: the host says `refused`, `invalid`.
  static func invalid(_ text: String) -> AdapterError { AdapterError(.device, reason: UInt32(BB_REASON_RANGE), text) }
}
