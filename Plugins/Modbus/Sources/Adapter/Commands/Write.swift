// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// A value on its way into a device.
struct Write {
  let name: String
  /// After the device's own limits.
  var wanted: Double
  /// With the device's own scale.
  var rule: WriteRule
  let declared: DeclaredPoint
  let isSafe: Bool
  /// CLOCK_BOOTTIME; after this nothing is sent.
  let validUntil: Int64
  /// All that the value means, and what of it has to be sent.
  private(set) var planned: [WriteRule.Step] = []
  var steps: [WriteRule.Step] = []

  init(
    name: String, wanted: Double, rule: WriteRule, declared: DeclaredPoint, isSafe: Bool, validUntil: Int64
  ) {
    self.name = name
    self.wanted = wanted
    self.rule = rule
    self.declared = declared
    self.isSafe = isSafe
    self.validUntil = validUntil
  }

  /// Works out what has to be written; a refusal where that is not possible.
  mutating func plan() -> Outcome? {
    do {
      planned = try rule.steps(for: wanted)
      if let beat = declared.point.watchdog?.beat { planned.append(try beat.step(for: wanted)) }
      steps = planned
      return nil
    } catch {
      switch error {
      case .noCase: return .refused(code: 0, "\(name): the template has no case for this value")
      case .range(let address): return .refused(code: 0, "\(name): the value does not fit into \(address)")
      }
    }
  }
}
