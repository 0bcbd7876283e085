// SPDX-License-Identifier: Apache-2.0

/// Whose plugins this host loads.
package struct PluginTrust: Sendable, Equatable {
  package enum Pin: Sendable, Equatable {
    /// The file that this host has accepted under the id.
    case known
    /// The file with this SHA-256, hex.
    case hash(String)
  }

  /// Without a signature of a trusted key nothing is loaded.
  package var requiresSignature: Bool
  /// Raw Ed25519 public keys.
  package var keys: [[UInt8]]
  /// Plugin id to the only file that is loaded under it.
  package var pins: [String: Pin]

  package init(requiresSignature: Bool = false, keys: [[UInt8]] = [], pins: [String: Pin] = [:]) {
    self.requiresSignature = requiresSignature
    self.keys = keys
    self.pins = pins
  }

  /// Why a file may not be loaded; nil = it may. A signature that is there has to be right also where none is required.
  func objection(to id: String, hash: String, signature: PluginSignature.State, known: String?) -> String? {
    switch signature {
    case .absent where requiresSignature:
      return "it is not signed, and plugins.require_signature is set; its vendor signs it with busbar plugin sign"
    case .bad(let reason) where requiresSignature || !keys.isEmpty: return reason
    default: break
    }
    switch pins[id] {
    case .hash(let pinned) where pinned != hash:
      return "\(id) is pinned to the file with SHA-256 \(pinned), this one has \(hash); change plugins.pin if that is wanted"
    case .known where known != nil && known != hash:
      return "\(id) is pinned to the file that was here before, SHA-256 \(known ?? ""), this one has \(hash); "
        + "take it out of plugins.pin, until the new one is known, if that is wanted"
    default: return nil
    }
  }
}
