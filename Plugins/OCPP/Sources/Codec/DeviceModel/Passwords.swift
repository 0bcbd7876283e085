// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// The password by which a charger logs in: a setting that can be written and not read (AuthorizationKey of the 1.6 security
/// whitepaper, BasicAuthPassword of 2.0.1).
package enum Passwords {
  private static let names: Set<String> = ["authorizationkey", "basicauthpassword"]

  static func areNamed(_ name: String?) -> Bool { name.map { names.contains($0.trimmed.lowercased()) } ?? false }
}

extension JSON {
  /// Some chargers tell their password all the same, in an answer or a report: it goes no further.
  package var withoutPasswords: JSON {
    switch self {
    case .array(let items): return .array(items.map(\.withoutPasswords))
    case .object(let members):
      let isPassword = Passwords.areNamed((self["key"] ?? self["variable"]?["name"])?.string)
      return .object(members.map { JSON.Member($0.name, isPassword ? $0.value.hidden(at: $0.name) : $0.value.withoutPasswords) })
    default: return self
    }
  }

  private func hidden(at name: String) -> JSON {
    switch self {
    case .string where name == "value" || name == "attributeValue": return "(secret)"
    case .array(let items): return .array(items.map { $0.hidden(at: name) })
    case .object(let members): return .object(members.map { JSON.Member($0.name, $0.value.hidden(at: $0.name)) })
    default: return self
    }
  }
}
