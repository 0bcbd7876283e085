// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// Talks to systemd where it started the host (sd_notify(3)): ready, reloading, stopping, and the watchdog's pulse.
struct ServiceManager: Sendable {
  private let address: String?
  /// Half of the watchdog's time; nil without one.
  let pulse: Duration?

  init(environment: [String: String]) {
    address = environment["NOTIFY_SOCKET"]
    pulse = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0 / 2) }
  }

  func notify(_ state: String) {
    if let address { UnixDatagram.send(state, to: address) }
  }
}
