// SPDX-License-Identifier: Apache-2.0

/// What a session costs, in the currency that the charger shows (2.0.1: TariffCostCtrlr.Currency). A display for the driver, no
/// invoice: who bills has the session's document.
package struct Tariff: Equatable, Sendable {
  /// Once a session.
  package var start: Double
  /// A kWh.
  package var energy: Double
  /// An hour from start to end.
  package var hour: Double

  package init(start: Double = 0, energy: Double = 0, hour: Double = 0) {
    self.start = start
    self.energy = energy
    self.hour = hour
  }

  /// To a hundredth of a cent, as far as the session has come.
  package func cost(of session: ChargingSession, _ now: Moment) -> Double {
    let hours = Double(max(0, (session.stopped ?? now.unix) - session.started)) / 3_600_000
    let cost = start + energy * (session.energy.wattHours ?? 0) / 1000 + hour * hours
    return (cost * 10_000).rounded() / 10_000
  }
}
