// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// One device to simulate (simulate.h, `start`).
struct SimulatorDocument: Decodable {
  var template: TemplateBody
  var probe: [ProbeBody]?
  var title: String?
  var config: DeviceConfig?
  var set: [String: JSONValue]?

  static func list(_ text: String) throws(AdapterError) -> [SimulatorDocument] {
    do {
      return try decode([SimulatorDocument].self, text)
    } catch {
      throw error.adapterError
    }
  }

  /// The device, and what a search looks for in it. The mistakes of both are told together.
  func device() throws(AdapterError) -> (map: DeviceMap, checks: [ProbeCheck]) {
    var mistakes: [TemplateError] = []
    var checks: [ProbeCheck] = []
    var map: DeviceMap?
    do throws(TemplateError) { map = try Template(template).map } catch { mistakes.append(error) }
    // Where what a probe stands on is wrong, that was told of above.
    if let reader = try? TemplateReader(template) {
      for (index, check) in (probe ?? []).enumerated() {
        do throws(TemplateError) { checks.append(try check.check(reader, "probe.[\(index)]")) } catch { mistakes.append(error) }
      }
    }
    guard let map, mistakes.isEmpty else {
      throw (TemplateError(all: mistakes) ?? TemplateError("", "cannot be read")).adapterError
    }
    return (map, checks)
  }
}

/// What a document says beside the device: faults, and a trace in the place of a template.
struct SimulatorOptions: Decodable {
  var trace: TraceDocument?
  var faults: [String]?
  var seed: UInt64?

  static func list(_ text: String) throws(AdapterError) -> [SimulatorOptions] {
    do {
      return try decode([SimulatorOptions].self, text)
    } catch {
      throw AdapterError(.config, "the documents cannot be read: \(error.path) \(error.problem)")
    }
  }

  func rules() throws(AdapterError) -> [FaultRule] {
    var rules: [FaultRule] = []
    for text in faults ?? [] {
      do {
        rules.append(try FaultRule(text))
      } catch {
        throw AdapterError(.config, "faults: \"\(text.prefix(80))\": \(error)")
      }
    }
    return rules
  }
}

/// A trace as the host hands it over.
struct TraceDocument: Decodable {
  struct Frame: Decodable {
    /// Hexadecimal: what the host sent, and what it received.
    var sent: String?
    var received: String?
    /// A word of the trace format.
    var event: String?
  }

  var frames: [Frame]

  var steps: [Recording.Step] {
    frames.compactMap { frame in
      if let sent = frame.sent { return .sent(Self.bytes(sent)) }
      if let received = frame.received { return .received(Self.bytes(received)) }
      switch frame.event {
      case "timeout": return .ended
      case "closed": return .closed
      case "opened", "released", "cancelled", "failed": return .abandoned
      default: return nil
      }
    }
  }

  private static func bytes(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { index in
      UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0
    }
  }
}
