// SPDX-License-Identifier: Apache-2.0

/// The kinds of device (interfaces 4 and 5).
package enum DeviceKind: String, Sendable, Codable, CaseIterable {
  case solar, battery, evcharger, heatpump, meter, load

  /// The first part of a derived id.
  package var prefix: String {
    switch self {
    case .solar: "sol"
    case .battery: "bat"
    case .evcharger: "evc"
    case .heatpump: "hp"
    case .meter: "met"
    case .load: "lod"
    }
  }
}
