// SPDX-License-Identifier: Apache-2.0

import BusbarModel

/// The values of a reading as the API shows them: `values`, their `units`, and why points are `bad`.
enum ReadingBody {
  static func members(_ items: [Reading.Item]) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    var units: [String: JSONValue] = [:]
    var bad: [String: JSONValue] = [:]
    for item in items {
      if let value = item.value {
        values[item.point.name] = rounded(value, item.point.resolution)
        units[item.point.name] = .string(item.point.unit)
      } else if case .bad(let reason) = item.quality {
        bad[item.point.name] = .string(reason.rawValue)
      }
    }
    return ["values": .object(values), "units": .object(units), "bad": .object(bad)]
  }

  static func rounded(_ value: Value, _ resolution: Double) -> JSONValue {
    guard case .number(let number) = value, resolution > 0 else { return value.json }
    return .number(Double(JSONWriter.text(number, resolution: resolution)) ?? number)
  }
}
