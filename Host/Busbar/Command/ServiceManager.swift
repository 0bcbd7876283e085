// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc
internal import Synchronization

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
    guard let address, !address.isEmpty, address.utf8.count < 108 else { return }
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return }
    let descriptor = Descriptor(owning: number)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { path in
      unsafe path.copyBytes(from: address.utf8)
      // An abstract name begins with a zero byte, written as @.
      if address.hasPrefix("@") { unsafe path[0] = 0 }
    }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
    let bytes = Array(state.utf8)
    unsafe withUnsafePointer(to: name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        _ = unsafe sendto(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL), name, size)
      }
    }
  }
}
