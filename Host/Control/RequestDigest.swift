// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension CommandRequest {
  /// Tells a repeated request from another one under the same id. Who sent it and when do not count: the same request may
  /// come by two ways. 64 bits of FNV-1a: this finds a mistake, it does not have to stand against an attacker, who could
  /// only answer himself.
  package var digest: String {
    var members: [String: JSONValue] = [
      "device": .string(device.rawValue), "priority": .string(priority.rawValue),
      "valid_for": validFor.map { .integer($0.milliseconds) } ?? .null, "safe": safe?.json ?? .null,
    ]
    switch verb {
    case .set(let point, let value):
      members["point"] = .string(point)
      members["value"] = value?.json ?? .null
    case .action(let name, let arguments):
      members["action"] = .string(name)
      members["args"] = .object(arguments)
    }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in JSONValue.object(members).text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }
}
