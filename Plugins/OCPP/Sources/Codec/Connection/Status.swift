// SPDX-License-Identifier: Apache-2.0

/// `status` of a charger (interfaces 5).
package enum Status: String, CaseIterable, Sendable {
  case available, preparing, charging
  case suspendedEV = "suspended-ev"
  case suspendedEVSE = "suspended-evse"
  case finishing, reserved, unavailable, faulted

  /// ChargePointStatus of 1.6 (section 7.7).
  package init?(v16 text: String) {
    switch text {
    case "Available": self = .available
    case "Preparing": self = .preparing
    case "Charging": self = .charging
    case "SuspendedEV": self = .suspendedEV
    case "SuspendedEVSE": self = .suspendedEVSE
    case "Finishing": self = .finishing
    case "Reserved": self = .reserved
    case "Unavailable": self = .unavailable
    case "Faulted": self = .faulted
    default: return nil
    }
  }

  /// ConnectorStatusEnumType of 2.0.1 says only that a connector is taken; what happens there is in the transaction.
  package init?(v201 text: String, session: ChargingSession.State?) {
    switch text {
    case "Available": self = .available
    case "Occupied": self = Status(session)
    case "Reserved": self = .reserved
    case "Unavailable": self = .unavailable
    case "Faulted": self = .faulted
    default: return nil
    }
  }

  init(_ session: ChargingSession.State?) {
    switch session {
    case .charging: self = .charging
    case .suspendedEV: self = .suspendedEV
    case .suspendedEVSE: self = .suspendedEVSE
    case .finishing, .ended: self = .finishing
    case .preparing, nil: self = .preparing
    }
  }

  /// What it says about a running session; nil where it says nothing.
  package var session: ChargingSession.State? {
    switch self {
    case .preparing: .preparing
    case .charging: .charging
    case .suspendedEV: .suspendedEV
    case .suspendedEVSE: .suspendedEVSE
    case .finishing: .finishing
    case .available, .reserved, .unavailable, .faulted: nil
    }
  }

  /// Power may flow, or may begin to without another word.
  package var isCharging: Bool { self == .charging || self == .suspendedEV || self == .suspendedEVSE }

  /// A cable is in.
  package var isConnected: Bool { session != nil }

  /// Which of several connectors' status the charger as a whole shows: the first of these.
  static let precedence: [Status] = [
    .charging, .suspendedEVSE, .suspendedEV, .finishing, .preparing, .reserved, .available, .faulted, .unavailable,
  ]
}
