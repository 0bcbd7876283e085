// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// Talks to systemd where it started the host (sd_notify(3)): ready, reloading, stopping, and the watchdog's pulse.
struct ServiceManager: Sendable {
  private let address: String?
  /// A quarter of the watchdog's time, so that one late answer is no reason to start the host again; nil without one.
  let pulse: Duration?

  /// `process` is this process's number: what the variables say of another one is not meant for this one.
  init(environment: [String: String], process: Int32) {
    address = environment["NOTIFY_SOCKET"]
    let isMeant = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
    let time = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
    pulse = isMeant && time > 0 ? .microseconds(max(time / 4, 1000)) : nil
  }

  func notify(_ state: String) {
    if let address { UnixDatagram.send(state, to: address) }
  }
}
