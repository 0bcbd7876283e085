// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
internal import CLinux
internal import Glibc

/// Listens on a TCP port.
package final class StreamListener: Sendable {
  private let descriptor: Descriptor
  /// The port in use, also where 0 was asked for.
  package let port: UInt16

  package init(host: String, port: UInt16) throws(TransportError) {
    guard let address = try Address.resolve(host, port).first else {
      throw TransportError(.address, "\(host) has no address")
    }
    let number = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw TransportError(.other, "no socket: \(systemError(errno))") }
    descriptor = Descriptor(owning: number)
    var yes: Int32 = 1
    unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard address.bind(number), listen(number, 64) == 0 else {
      throw TransportError(.address, "cannot listen on \(host):\(port): \(systemError(errno))")
    }
    var bound = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutablePointer(to: &bound) { place in
      _ = unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(number, $0, &size) }
    }
    // The port stands at the same place in IPv4 and IPv6 addresses: bytes 2 and 3, high byte first.
    self.port = unsafe withUnsafeBytes(of: bound) { bytes in unsafe UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
  }

  /// The next connection; nil once the signal is set.
  package func accept(stop: CallSignal) -> Descriptor? {
    while !stop.isSet {
      let number = busbar_accept(descriptor.number)
      if number >= 0 { return Descriptor(owning: number) }
      // Out of descriptors or memory: the pending connection stays readable, so waiting for it would spin.
      let exhausted = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED
      let pause = exhausted ? Clock.boot() + 100_000_000 : nil
      _ = Poll.wait(exhausted ? [(stop.descriptor, .read)] : [(descriptor.number, .read), (stop.descriptor, .read)], until: pause)
    }
    return nil
  }
}
